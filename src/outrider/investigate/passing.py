"""How a label came into an agent's context: read by itself, born with, taken over with a report, or from a file.

A label keeps its origin wherever it goes, and the record has the event by which each agent came to carry it. Followed
back from one agent to the next, these events are the way that a taint took.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.record import AgentBorn, LabelsJoined
from outrider.investigate.words import tail
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

DEPTH: Final = 12
"""Most agents that are followed back."""

Carried = tuple[str, int]
"""A label's name and its origin."""


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One agent and how it came to carry a label.

    Attributes:
        agent: The agent.
        event: The event from which on it carries the label.
        by: ``read`` (by itself), ``born`` (with it), ``report`` (its child's message or end), ``file`` (that another
            agent wrote) or ``content`` (it had met the content before it passed the label on).
        source: The agent that it came from; empty where it read it itself, and where nobody is known.
        charter: The agent's class, or empty.
    """

    agent: str
    event: int
    by: Literal["read", "born", "report", "file", "content"]
    source: str = ""
    charter: str = ""


def carried(view: View, agent: str, among: Collection[Carried] | None = None) -> dict[Carried, int]:
    """Return the labels that an agent carries, or those of them that are among some, each with the event since when."""
    rows = view.rows("SELECT name, origin, n FROM labels WHERE agent = ? ORDER BY n, origin, name", agent)
    return {(name, origin): n for name, origin, n in rows if among is None or (name, origin) in among}


def hop(view: View, agent: str, origin: int, since: int) -> Hop:
    """Return how an agent came by a label of an origin that it carries since an event."""
    event = reading.peek(view, since)
    known = reading.agent(view, agent)
    bare = Hop(agent=agent, event=since, by="read", charter=known.charter if known is not None else "")
    if isinstance(event, LabelsJoined):
        return msgspec.structs.replace(bare, by="report", source=event.origin_agent)
    if isinstance(event, AgentBorn):
        return msgspec.structs.replace(bare, by="born", source=event.parent)
    first = reading.peek(view, origin)
    owner = first.agent if first is not None else ""
    if owner in {"", agent}:
        return bare
    return msgspec.structs.replace(bare, by="file", source=owner)


def way(view: View, agent: str, label: Carried) -> tuple[Hop, ...]:
    """Return how a label came to an agent, from it back to whoever read it first; empty where it does not carry it."""
    out: list[Hop] = []
    known = {agent}
    current = agent
    while current and len(out) < DEPTH:
        since = carried(view, current, {label}).get(label)
        if since is None:
            break
        found = hop(view, current, label[1], since)
        out.append(found)
        if found.source in known:
            break
        known.add(found.source)
        current = found.source
    return tuple(out)


def content(view: View, hops: Sequence[Hop], met: Mapping[str, int]) -> tuple[Hop, ...]:
    """Return a way as far as to an agent that had met the content when it passed the label on; empty where none had.

    An agent keeps few origins of each label, so that the content itself may not be among those that went on: whoever
    had met it by then passed on what it had made of it.

    Args:
        view: The view.
        hops: A way, as :func:`way` gives it.
        met: The first event by which an agent met the content, by agent.
    """
    for position, one in enumerate(hops):
        if 0 <= met.get(one.source, -1) < one.event:
            known = reading.agent(view, one.source)
            charter = known.charter if known is not None else ""
            last = Hop(agent=one.source, event=met[one.source], by="content", charter=charter)
            return (*hops[: position + 1], last)
    return ()


def told(hops: Iterable[Hop]) -> str:
    """Return a way in words, without its subject: ``took it over from ...x (event 9), which read it (event 4)``."""
    every = tuple(hops)
    parts = []
    for one in every:
        whom = tail(one.source)
        parts.append(
            {
                "read": f"read it itself (event {one.event})",
                "born": f"was born with it (event {one.event}), of {whom}",
                "report": f"took it over from {whom} (event {one.event})",
                "file": f"read it in a file (event {one.event}), from {whom}",
                "content": f"had met the same content (event {one.event})",
            }[one.by]
        )
    return ", which ".join(parts)
