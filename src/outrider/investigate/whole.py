"""Whether the record that a case rests on is whole: checked from its bytes while it is small, else left to who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from outrider.errors import OutriderError
from outrider.ledger.verify import verify

if TYPE_CHECKING:
    from outrider.config import Home

MOST_EVENTS: Final = 100_000
"""Largest record that is checked whenever a case is shown: about a second of work."""


def whole(home: Home, size: int) -> str:
    """Return what a check of the record says, in a sentence; empty for a record of more events than are checked."""
    if size > MOST_EVENTS:
        return ""
    try:
        report = verify(home.record, content=home.content if home.content.is_dir() else None)
    except OutriderError as error:
        return f"It could not be checked: {error}."
    if not report.ok:
        return f"No: it was tampered with, or is damaged. {report.problems[0]}."
    key = "under the record's own key; `outrider verify --vkey` proves more"
    covers = f"{report.events:,} events, of which the checkpoint covers {report.sealed:,}"
    return f"Yes, nothing in it was changed: {covers}, {key}."
