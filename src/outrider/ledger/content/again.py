"""Erasures that came after a backup, carried out on the content that the backup brought back."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from outrider.events.codec import decode
from outrider.events.content import ContentErased
from outrider.ledger.content.contents import Contents
from outrider.ledger.content.database import NAME
from outrider.ledger.reader import Reader

if TYPE_CHECKING:
    from outrider.config import Home

_STAGING = "staging"


def erase_again(home: Home, since: int) -> int:
    """Erase, in a home's content, what its record says was erased from event ``since`` on; return how many contents.

    What waits in staging is dropped with it: whose it is can no longer be told from what was erased.

    Raises:
        RecordError: The record cannot be read, or the disk refuses.
        RefusedError: Others could read the keys.
    """
    if not (home.content / NAME).is_file():
        return 0
    # Nearly no event is one; those that are not need not be decoded.
    leaves = (entry.leaf for entry in Reader(home.record).entries(since) if b'"content.erased"' in entry.leaf)
    found = [event for event in map(decode, leaves) if isinstance(event, ContentErased)]
    if not found:
        return 0
    shutil.rmtree(home.content / _STAGING, ignore_errors=True)
    count = 0
    with Contents(home.content, home.content_key, write=True) as contents:
        for event in found:
            named: dict[str, Any] = {event.what: event.handle} if event.handle else {"events": event.events}
            if event.what == "age":
                named = {"before": event.before}
            count += contents.erase(**named, slots=event.slots).contents
    return count
