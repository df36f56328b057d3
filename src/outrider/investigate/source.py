"""Where an instruction came from that made an agent act: the place to clean, or to keep agents from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.record import AgentBorn, CallDecided, CallResult, Prompted
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.investigate.cause import Source
    from outrider.store.view import View

Kind = Literal["host", "file", "tool", "prompt", "agent", "other"]
_OF: Final[dict[str, Kind]] = {"connect": "host", "read": "file", "call": "tool"}
"""What an effect brings content from, the likeliest first."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the content stood that a cause brought.

    Attributes:
        event: The cause, or where that is a call, what came back.
        asked: The call that it is the result of, or -1.
        act: The act that it led to.
        kind: ``host``, ``file``, ``tool`` (an MCP server's), ``prompt``, ``agent`` (handed over by one), or ``other``.
        value: The host, file or tool; of the rest what the record says. Written by others: escape it.
        trusted: Whether a person asked for it.
        sure: Whether it is tied to the act by what it says, and not only by a label.
        place: Where it stands in a transcript that was imported, or empty.
    """

    event: int
    asked: int
    act: int
    kind: Kind
    value: str
    trusted: bool
    sure: bool
    place: str = ""


def origin(view: View, cause: Source, act: int) -> Origin:
    """Return where a cause's content stood."""
    event = reading.peek(view, cause.event.n)
    kind: Kind = "other"
    value, n, asked = cause.event.what, cause.event.n, -1
    if isinstance(event, Prompted):
        kind = "prompt"
    elif isinstance(event, AgentBorn):
        kind = "agent"
    elif isinstance(event, CallResult | CallDecided):
        asked = event.intent if isinstance(event, CallResult) else n
        result = reading.result_of(view, n) if isinstance(event, CallDecided) else None
        n = n if result is None else result
        call = reading.peek(view, asked) if asked >= 0 else None
        effects = call.effects if isinstance(call, CallDecided) else ()
        first = next((one for verb in _OF for one in effects if one.verb == verb and one.value), None)
        if first is not None:
            kind, value = _OF[first.verb], first.value
    return Origin(
        event=n, asked=asked, act=act, kind=kind, value=value, trusted=cause.trusted,
        sure=cause.confidence not in {"label", "time"}, place=cause.place.words if cause.place else "",
    )  # fmt: skip


def once(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Return each place once, in order, with the first of its events."""
    return tuple({(one.kind, one.value, one.trusted): one for one in reversed(tuple(origins))}.values())[::-1]
