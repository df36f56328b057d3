"""Who tried the artefact and was refused: what it had read before, who had started it, and whether that one lives.

A refusal keeps a value from leaving by that call. It does not take it out of the agent's context again, so that what a
stopped agent had read is to be changed as well; and whoever started the agent may have been told the same, or have
taken it over from another child, and passed it on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.record import CallDecided
from outrider.investigate import passing
from outrider.investigate import touched as touching
from outrider.investigate.meeting import REFUSED, Deed, Meeting
from outrider.investigate.passing import Hop
from outrider.investigate.words import summary, tail
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.investigate.blast import Blast
    from outrider.store.view import View

MOST: Final = 200
"""Agents that are looked at, the first ones."""
MOST_ATTEMPTS: Final = 50
"""Refused calls of one agent that are kept, the first ones."""
MOST_LABELS: Final = 20
"""Labels of a parent that are followed back, the first ones."""

_TRIED: Final = {
    "sent": "send to", "exposed": "connect, a secret in its context, to", "reached": "connect to", "pushed": "push to",
    "called": "call", "wrote": "write", "deleted": "delete", "committed": "commit", "ran": "run",
    "installed": "install",
}  # fmt: skip
Read = Literal[
    "the same content", "took it over", "came under it", "carries its label", "the same place", "nothing of it",
    "not known",
]  # fmt: skip
TOLD: Final = frozenset({"the same content", "took it over"})
"""What a parent had of it that can make it act as its child did."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One call that was refused: the event, and its tool with what it was to do, as the record names it."""

    event: int
    what: str


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """One agent that was refused.

    Attributes:
        agent: It.
        attempt: The first call of its on the artefact that was refused.
        what: What that call was to do with what, as the record names it.
        credentials: What it had read that lets its reader in elsewhere.
        parent: Who started it; None for a root, and where the record has no birth of it.
        parent_read: What the parent had of it: the same content or place as the cause, or what else. ``took it over``:
            it carries a label from another agent, which had met the content when it passed the label on. ``carries its
            label``: it carries a label that the refused agent carried, and nothing ties that to the content.
        parent_event: The event that says so, or -1.
        attempts: Every call of its that was refused, the first included.
        parent_way: How that label came to the parent, from it back to whoever read it first.
        parent_label: The label's name, or empty.
    """

    agent: reading.Agent
    attempt: int
    what: str
    credentials: tuple[touching.Thing, ...]
    parent: reading.Agent | None
    parent_read: Read
    parent_event: int = -1
    attempts: tuple[Attempt, ...] = ()
    parent_way: tuple[Hop, ...] = ()
    parent_label: str = ""

    @property
    def others(self) -> dict[str, tuple[int, ...]]:
        """The other calls that were refused, by what they were to do, with their events."""
        out: dict[str, tuple[int, ...]] = {}
        for one in self.attempts:
            if one.event != self.attempt:
                out[one.what] = (*out.get(one.what, ()), one.event)
        return out

    @property
    def events(self) -> tuple[int, ...]:
        """The events that say all this."""
        parent = (self.parent.born_n,) if self.parent is not None else ()
        every = (
            self.attempt, self.agent.born_n, *(one.first for one in self.credentials), *parent, self.parent_event,
            *(one.event for one in self.attempts), *(one.event for one in self.parent_way),
        )  # fmt: skip
        return tuple(dict.fromkeys(n for n in every if n >= 0))

    @property
    def started_by(self) -> str:
        """Who started it and whether that one lives, in a phrase."""
        if not self.agent.parent:
            sponsor = f"; {self.agent.sponsor} answers for it" if self.agent.sponsor else ""
            return f"a person's program, no agent{sponsor}"
        if self.parent is None:
            return f"{tail(self.agent.parent)}, of which the record has no birth"
        ended = self.parent.ended_how if self.parent.ended_n is not None else ""
        now = f"has ended ({ended}, event {self.parent.ended_n})" if ended else "still lives"
        return f"{tail(self.parent.id)} of class {self.parent.charter}, which {now}"

    @property
    def parent_had(self) -> str:
        """Whether its parent read the same, in a phrase."""
        if not self.agent.parent:
            return "it has no parent"
        at = f" (event {self.parent_event})" if self.parent_event >= 0 else ""
        how = passing.told(self.parent_way)
        words = {
            "the same content": f"yes, the same content{at}",
            "took it over": f"not by itself, but its context carries a label of it ({self.parent_label}): it"
            f" {how}{self._passed_on}",
            "carries its label": f"it is not known to have read the same, but its context carries a label of it"
            f" ({self.parent_label}): it {how}{self._passed_on}",
            "the same place": f"it reached the same place{at}; that it read the same is not shown",
            "came under it": f"it came under it{at}",
            "nothing of it": "no, nothing of it is recorded",
            "not known": "not known",
        }
        return words[self.parent_read]

    @property
    def _passed_on(self) -> str:
        """That the refused agent was born with what its parent carried, the end of a sentence."""
        born = 0 <= self.parent_event < self.agent.born_n
        return f"; {tail(self.agent.id)} was born with it (event {self.agent.born_n})" if born else ""


class _Known:
    """What of the content is known of every agent.

    Attributes:
        content: The first event by which an agent met the same content, by agent.
        place: The same of the place where the content was.
        under: Since which event an agent came under it.
    """

    def __init__(self, blasts: Sequence[Blast]) -> None:
        met = [one for told in reversed(blasts) for one in reversed(told.met)]
        self.content = {one.agent: one.n for one in met if one.what == "content"}
        self.place = {one.agent: one.n for one in met if one.what != "content"}
        self.under = {one.agent.id: one.since for told in blasts for one in told.agents}
        for told in blasts:
            if told.start.agent:
                self.content.setdefault(told.start.agent, told.start.n)


def stopped(
    view: View, met: Iterable[Meeting], impact: Iterable[Blast], artefacts: Collection[tuple[str, str]] = ()
) -> tuple[Stopped, ...]:
    """Return who tried the artefact and was refused, in the order of ``met``.

    Args:
        view: The view.
        met: Who met it.
        impact: What else is affected, from each cause.
        artefacts: Kind and value of what the case is about.
    """
    known = _Known(tuple(impact))
    out = []
    for meeting in [one for one in met if one.did == REFUSED][:MOST]:
        agent = reading.agent(view, meeting.agent)
        tried = _tried(meeting, artefacts)
        if agent is None or tried is None:
            continue
        sums: touching.Sums = {}
        touching.secrets(view, agent.id, sums)
        parent = reading.agent(view, agent.parent) if agent.parent else None
        had, event, label, way = _had(view, known, agent, parent)
        out.append(
            Stopped(
                agent=agent, attempt=tried.event, what=f"{_TRIED.get(tried.role, tried.role)} {tried.value}",
                credentials=tuple(one for one in touching.things(sums) if touching.is_credential(one)),
                parent=parent, parent_read=had, parent_event=event, parent_label=label, parent_way=way,
                attempts=tuple(_attempts(view, agent.id)),
            )
        )  # fmt: skip
    return tuple(out)


def _tried(meeting: Meeting, artefacts: Collection[tuple[str, str]]) -> Deed | None:
    """Return what an agent tried: on the artefact itself, where it is known what that is."""
    failed = [deed for deed in meeting.deeds if not deed.happened]
    return next((deed for deed in failed if (deed.kind, deed.value) in artefacts), failed[0] if failed else None)


def _attempts(view: View, agent: str) -> Iterator[Attempt]:
    """Give every call of an agent that was refused and did not run, the first ones."""
    rows = view.rows(
        "SELECT n FROM events WHERE agent = ? AND kind = 'call.decided' AND enforced IN ('deny', 'error') ORDER BY n"
        " LIMIT ?",
        agent, MOST_ATTEMPTS,
    )  # fmt: skip
    became = reading.outcomes(view, [n for (n,) in rows])
    for event in reading.leaves(view, [n for n, outcome in became.items() if outcome == "refused"]):
        if isinstance(event, CallDecided) and not event.permission:
            yield Attempt(event=event.n, what=summary(event))


def _had(
    view: View, known: _Known, agent: reading.Agent, parent: reading.Agent | None
) -> tuple[Read, int, str, tuple[Hop, ...]]:
    """Return what the parent of a refused agent had of it, the event that says so, and a label and its way, if any."""
    if parent is None:
        return "not known", -1, "", ()
    if parent.id in known.content:
        return "the same content", known.content[parent.id], "", ()
    ways = [(label[0], passing.way(view, parent.id, label)) for label in _ordered(passing.carried(view, parent.id))]
    for name, hops in ways:
        if way := passing.content(view, hops, known.content):
            return "took it over", way[0].event, name, way
    if parent.id in known.under:
        return "came under it", known.under[parent.id], "", ()
    shared = passing.carried(view, agent.id)
    for label in _ordered(passing.carried(view, parent.id, shared)):
        way = passing.way(view, parent.id, label)
        return "carries its label", way[0].event, label[0], way
    if parent.id in known.place:
        return "the same place", known.place[parent.id], "", ()
    return "nothing of it", -1, "", ()


def _ordered(labels: dict[passing.Carried, int]) -> list[passing.Carried]:
    """Return labels in the order to follow them: what came from outside before a secret, the earliest carried first."""
    return sorted(labels, key=lambda label: (label[0] != "untrusted", labels[label], label[1]))[:MOST_LABELS]
