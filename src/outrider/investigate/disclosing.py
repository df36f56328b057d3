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
    """Return the content of events, as far as it is kept. That it was read is for the caller to have recorded.

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
    with kept:
        found = [content for n in wanted if (content := kept.read(n)) is not None]
    pieces = tuple(piece for content in found if (piece := _piece(view, content)) is not None)
    there = {piece.of for piece in pieces}
    return Disclosure(
        pieces=pieces,
        promised_by=tuple(sorted({piece.event for piece in pieces})),
        lacking=tuple(n for n in wanted if n not in there),
    )


def _piece(view: View, content: Content) -> Disclosed | None:
    if content.text is None:
        return None
    if content.exact:
        return Disclosed(
            event=content.n, at="/content", of=content.n, salt=content.salt, content=content.text, media=content.media
        )
    told = reading.peek(view, content.told) if content.told >= 0 else None
    if not isinstance(told, ContentKept):
        return None
    places = [place for place, one in enumerate(told.kept) if one.of == content.n]
    if not places:
        return None
    return Disclosed(
        event=told.n, at=f"/kept/{places[0]}/content", of=content.n, salt=content.own, content=content.text,
        media=content.media,
    )  # fmt: skip
