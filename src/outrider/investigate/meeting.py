"""Every agent that met a case's content or artefact, and what each of them did with it: no count without its list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.investigate import touched as touching
from outrider.investigate.roles import WEIGHT
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.investigate.answer import Answer
    from outrider.investigate.blast import Blast
    from outrider.store.view import View

MOST_DEEDS: Final = 20
"""Deeds listed of one agent, the weightiest first."""

SENT: Final = "sent something to it"
EXPOSED: Final = "reached it with a secret in its context"
REACHED: Final = "reached it"
REFUSED: Final = "tried it: refused"
READ: Final = "only met the same content or its name"
VISITED: Final = "only visited the same place"
UNDER: Final = "only came under it"
_DID: Final = {"sent": SENT, "pushed": SENT, "exposed": EXPOSED, "called": REACHED, "reached": REACHED}
ORDER: Final = (SENT, EXPOSED, REACHED, REFUSED, READ, VISITED, UNDER)


CLOSE: Final = frozenset({SENT, EXPOSED, REACHED, REFUSED})
"""What was done with the artefact itself: the events of it leave with a case."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent did with one thing: its role, the thing, the first event of it, and whether it came about."""

    role: str
    kind: str
    value: str
    event: int
    happened: bool


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """One agent that met it.

    Attributes:
        agent: Its id.
        charter: Its class.
        sponsor: Pseudonym of who answers for it, or empty.
        did: The weightiest of what it did with the artefact, one of :data:`ORDER`. ``only visited the same place``:
            where the cause came from; ``only came under it``: nothing but lineage or a label ties it.
        by: Why it is here: ``came under it``, ``met the artefact``, ``met the same content``, ``met the same place``.
        first: The first event of it.
        ts: Its time, microseconds since 1970 UTC.
        deeds: What it did with it.
    """

    agent: str
    charter: str
    did: str
    by: tuple[str, ...]
    first: int
    ts: int
    deeds: tuple[Deed, ...]
    sponsor: str = ""


def meetings(view: View, answers: Iterable[Answer], impact: Iterable[Blast]) -> tuple[Meeting, ...]:
    """Return who met the artefacts of a case, or what caused its acts, the weightiest deed first."""
    ties: dict[str, dict[str, None]] = {}
    events: dict[str, dict[int, None]] = {}
    deeds: dict[str, dict[tuple[str, str, str], Deed]] = {}
    for agent, by, n in _ties(answers, impact):
        ties.setdefault(agent, {})[by] = None
        events.setdefault(agent, {})[n] = None
    artefacts = {(e.kind, e.value) for told in answers for one in told.involved.agents for e in one.evidence}
    wanted = artefacts | {(met.what, met.value) for told in impact for met in told.met if met.what != "content"}
    for agent, numbers in events.items():
        sums: touching.Sums = {}
        touching.gather(view, sorted(numbers), sums)
        for thing in touching.things(sums):
            if (thing.kind, thing.value) in wanted:
                deeds.setdefault(agent, {})[thing.role, thing.kind, thing.value] = Deed(
                    role=thing.role, kind=thing.kind, value=thing.value, event=thing.first, happened=thing.happened
                )
    rows = {row.n: row.ts for row in reading.rows(view, {n for of in events.values() for n in of})}
    found = []
    for agent, because in ties.items():
        tied = tuple(because)
        known = reading.agent(view, agent) or reading.unknown(agent)
        done = sorted(deeds.get(agent, {}).values(), key=lambda one: -WEIGHT.get(one.role, 0))
        first = min(events[agent])
        found.append(
            Meeting(
                agent=agent, charter=known.charter, did=_did(done, tied, artefacts), by=tied, first=first,
                ts=rows.get(first, 0), deeds=tuple(done[:MOST_DEEDS]), sponsor=known.sponsor,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.did), one.first, one.agent)))


def counted(met: Iterable[Meeting]) -> str:
    """Return how many of them did what, in a sentence; each agent is counted once, by its weightiest deed."""
    all_ = tuple(met)
    did = Counter(one.did for one in all_)
    by = Counter(tie for one in all_ for tie in one.by)
    parts = ", ".join(f"{did[name]:,} {name}" for name in ORDER if did[name])
    ties = ", ".join(f"{count:,} {name}" for name, count in by.items())
    several = " (one agent may count in several)" if sum(by.values()) > len(all_) else ""
    return (
        f"{len(all_):,} agents met it: {parts}. Why they are listed{several}: {ties}. Events of those who only met the"
        " content or the place stay in the record."
    )


def _ties(answers: Iterable[Answer], impact: Iterable[Blast]) -> Iterator[tuple[str, str, int]]:
    for told in answers:
        for one in told.involved.agents:
            for evidence in one.evidence:
                yield one.agent.id, "met the artefact", evidence.n
    for blast in impact:
        for came in blast.agents:
            yield came.agent.id, "came under it", came.since
        for met in blast.met:
            if met.agent:
                yield met.agent, f"met the same {'content' if met.what == 'content' else 'place'}", met.n


def _did(deeds: Iterable[Deed], by: Iterable[str], artefacts: set[tuple[str, str]]) -> str:
    done = tuple(deeds)
    on = [one for one in done if (one.kind, one.value) in artefacts]
    acts = [_DID[one.role] for one in on if one.happened and one.role in _DID]
    if acts:
        return min(acts, key=ORDER.index)
    if any(not one.happened for one in on):
        return REFUSED
    if on or "met the same content" in by:
        return READ
    return VISITED if done else UNDER
