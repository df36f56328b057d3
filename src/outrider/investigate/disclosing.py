"""Content that leaves with a bundle: each piece with the salt under which an event promised it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from outrider.errors import UnavailableError
from outrider.events.content import ContentKept
from outrider.investigate.sealing import Disclosed
from outrider.ledger.content.contents import Content, Contents
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.store.view import View

_ERASED = "it is not kept, or its key was destroyed"


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What of the content that was asked for can leave.

    Attributes:
        pieces: The content.
        promised_by: Indices of the events that promise it and have to come along.
        lacking: Indices of events whose content is not to be had.
    """

    pieces: tuple[Disclosed, ...] = ()
    promised_by: tuple[int, ...] = ()
    lacking: tuple[int, ...] = ()

    @property
    def notes(self) -> tuple[tuple[str, tuple[int, ...], str], ...]:
        """What a bundle says of what is lacking."""
        return (("content", self.lacking, _ERASED),) if self.lacking else ()


def disclose(view: View, home: Home, numbers: Iterable[int]) -> Disclosure:
    """Return the content of events, as far as it is kept.

    What is whole opens the commitment of the event itself; what had secrets taken out of it, or was cut, opens the one
    in the ``content.kept`` event that names it.

    Raises:
        TamperedError: What is kept was changed.
        RecordError: It cannot be read.
    """
    wanted = sorted(set(numbers))
    if not wanted:
        return Disclosure()
    try:
        kept = Contents(home.content, home.content_key)
    except UnavailableError:
        return Disclosure(lacking=tuple(wanted))
    pieces: list[Disclosed] = []
    with kept:
        told = _told(view, wanted)
        for n in wanted:
            content = kept.read(n)
            piece = _piece(content, told.get(n)) if content is not None else None
            pieces += [piece] if piece is not None else []
    found = {piece.of for piece in pieces}
    return Disclosure(
        pieces=tuple(pieces),
        promised_by=tuple(sorted({piece.event for piece in pieces})),
        lacking=tuple(n for n in wanted if n not in found),
    )


def _piece(content: Content, told: tuple[int, int] | None) -> Disclosed | None:
    if content.text is None:
        return None
    if content.exact:
        return Disclosed(
            event=content.n, at="/content", of=content.n, salt=content.salt, content=content.text, media=content.media
        )
    if told is None:
        return None
    n, place = told
    at = f"/kept/{place}/content"
    return Disclosed(event=n, at=at, of=content.n, salt=content.own, content=content.text, media=content.media)


def _told(view: View, wanted: list[int]) -> dict[int, tuple[int, int]]:
    """Return, for each event whose content is kept, the event that says so and the place in it."""
    rows = view.rows("SELECT n FROM events WHERE kind = 'content.kept' AND n > ? ORDER BY n", wanted[0])
    found: dict[int, tuple[int, int]] = {}
    for event in reading.leaves(view, [row[0] for row in rows]):
        if isinstance(event, ContentKept):
            found.update({one.of: (event.n, place) for place, one in enumerate(event.kept)})
    return found
