"""Who tried the artefact and was refused: what it had read before, who had started it, and whether that one lives.

A refusal keeps a value from leaving by that call. It does not take it out of the agent's context again, so that what a
stopped agent had read is to be changed as well; and whoever started the agent may have been told the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.investigate import touched as touching
from outrider.investigate.meeting import REFUSED, Meeting
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.investigate.blast import Blast
    from outrider.store.view import View

MOST: Final = 200
"""Agents that are looked at, the first ones."""

_TRIED: Final = {
    "sent": "send to", "exposed": "connect, a secret in its context, to", "reached": "connect to", "pushed": "push to",
    "called": "call", "wrote": "write", "deleted": "delete", "committed": "commit", "ran": "run",
    "installed": "install",
}  # fmt: skip
Read = Literal["the same content", "the same place", "came under it", "nothing of it", "not known"]


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """One agent that was refused.

    Attributes:
        agent: It.
        attempt: The first call of its that was refused.
        what: What that call was to do with what, as the record names it.
        credentials: What it had read that lets its reader in elsewhere.
        parent: Who started it; None for a root, and where the record has no birth of it.
        parent_read: What the parent had of it: the same content or place as the cause, or what else.
        parent_event: The event that says so, or -1.
    """

    agent: reading.Agent
    attempt: int
    what: str
    credentials: tuple[touching.Thing, ...]
    parent: reading.Agent | None
    parent_read: Read
    parent_event: int = -1

    @property
    def events(self) -> tuple[int, ...]:
        """The events that say all this."""
        parent = (self.parent.born_n,) if self.parent is not None else ()
        every = (self.attempt, self.agent.born_n, *(one.first for one in self.credentials), *parent, self.parent_event)
        return tuple(n for n in every if n >= 0)

    @property
    def started_by(self) -> str:
        """Who started it and whether that one lives, in a phrase."""
        if not self.agent.parent:
            sponsor = f"; {self.agent.sponsor} answers for it" if self.agent.sponsor else ""
            return f"a person's program, no agent{sponsor}"
        if self.parent is None:
            return f"{self.agent.parent}, of which the record has no birth"
        ended = self.parent.ended_how if self.parent.ended_n is not None else ""
        now = f"has ended ({ended}, event {self.parent.ended_n})" if ended else "still lives"
        return f"{self.parent.id} of class {self.parent.charter}, which {now}"

    @property
    def parent_had(self) -> str:
        """Whether its parent read the same, in a phrase."""
        if not self.agent.parent:
            return "it has no parent"
        at = f" (event {self.parent_event})" if self.parent_event >= 0 else ""
        words = {
            "the same content": f"yes, the same content{at}",
            "the same place": f"it reached the same place{at}; that it read the same is not shown",
            "came under it": f"it came under it{at}",
            "nothing of it": "no, nothing of it is recorded",
            "not known": "not known",
        }
        return words[self.parent_read]


def stopped(view: View, met: Iterable[Meeting], impact: Iterable[Blast]) -> tuple[Stopped, ...]:
    """Return who tried the artefact and was refused, in the order of ``met``."""
    blasts = tuple(impact)
    all_ = tuple(met)
    content = {one.agent: one.n for told in reversed(blasts) for one in reversed(told.met) if one.what == "content"}
    place = {one.agent: one.n for told in reversed(blasts) for one in reversed(told.met) if one.what != "content"}
    under = {one.agent.id: one.since for told in blasts for one in told.agents}
    out = []
    for meeting in [one for one in all_ if one.did == REFUSED][:MOST]:
        agent = reading.agent(view, meeting.agent)
        tried = next((deed for deed in meeting.deeds if not deed.happened), None)
        if agent is None or tried is None:
            continue
        sums: touching.Sums = {}
        touching.secrets(view, agent.id, sums)
        parent = reading.agent(view, agent.parent) if agent.parent else None
        ways: tuple[tuple[Read, dict[str, int]], ...] = (
            ("the same content", content), ("came under it", under), ("the same place", place)
        )  # fmt: skip
        had: tuple[Read, int] = next(
            ((word, of[agent.parent]) for word, of in ways if agent.parent in of),
            ("nothing of it" if parent is not None else "not known", -1),
        )
        out.append(
            Stopped(
                agent=agent, attempt=tried.event, what=f"{_TRIED.get(tried.role, tried.role)} {tried.value}",
                credentials=tuple(one for one in touching.things(sums) if touching.is_credential(one)),
                parent=parent, parent_read=had[0], parent_event=had[1],
            )
        )  # fmt: skip
    return tuple(out)
