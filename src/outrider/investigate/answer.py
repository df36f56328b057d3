"""From one artefact to the whole story of the agent behind it: the questions, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.investigate import blast as blasting
from outrider.investigate.cause import Source, cause, left_out
from outrider.investigate.contact import contact_of
from outrider.investigate.coverage import Coverage
from outrider.investigate.involved import Evidence, Involved, Involvement, involved
from outrider.investigate.touched import Thing, Touched, touched
from outrider.investigate.words import Line, line
from outrider.store import reading

if TYPE_CHECKING:
    from collections.abc import Collection

    from outrider.store.view import View

MOST_TOLD: Final = 5
"""Agents that are told in full; the rest are listed in ``involved``."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's story with the artefact.

    Attributes:
        agent: Its id.
        charter: Its charter's name.
        charter_digest: The version that it was bound to.
        parent: Its parent's id, or empty for a root.
        root: The root of its lineage.
        lineage: Its ancestors' ids, its parent first.
        sponsor: Pseudonym of who answers for it.
        sponsor_name: The name behind it, or empty once erased.
        born: Microseconds since 1970 UTC.
        ended: The same, or None while it lives.
        ended_how: ``completed``, ``killed``, ``expired``, ``vanished``, or None.
        act: The event that ties it to the artefact most.
        why: Why it stands where it stands.
        cause_event: Index of the event whose content caused the act, or -1.
        causes: What may have caused it, ranked.
        artefacts: Everything that it touched, the weightiest role first, complete.
        also_affected: Who else, and what else: forward from the cause, or from the act where none was found.
        outcome: What became of the act.
        confidence: How the artefact was matched.
        cause_confidence: What ties the cause to the act.
        score: As in :class:`Involvement`.
        contact: Whom to ask about it, or empty where nobody is named.
        causes_left_out: Events that were not compared when the cause was looked for (see :class:`Cause`).
    """

    agent: str
    charter: str
    charter_digest: str
    parent: str
    root: str
    lineage: tuple[str, ...]
    sponsor: str
    sponsor_name: str
    born: int
    ended: int | None
    ended_how: str | None
    act: Line
    why: str
    cause_event: int
    causes: tuple[Source, ...]
    artefacts: tuple[Thing, ...]
    also_affected: blasting.Blast
    outcome: str
    confidence: str
    cause_confidence: str
    score: float
    contact: str = ""
    causes_left_out: int = 0


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "what is behind this artefact?".

    Attributes:
        artefact: What was asked for.
        answer: ``yes``, ``no`` or ``not known``.
        agents: The agents told in full, the likeliest doer first.
        involved: All that were involved, with the evidence.
        coverage: What could not be seen.
        statement: The answer in a few sentences.
    """

    artefact: str
    answer: str
    agents: tuple[Told, ...]
    involved: Involved
    coverage: Coverage
    statement: str


def answer(
    view: View,
    artefact: str,
    *,
    key: bytes = b"",
    most: int = MOST_TOLD,
    hosts: Collection[str] = (),
    contact: str = "",
) -> Answer:
    """Return the whole answer to one artefact.

    Args:
        view: The view, caught up by the caller.
        artefact: As :func:`outrider.investigate.find.find` takes it.
        key: Key of this host's prints, for secrets and whole URLs.
        most: Most agents told in full.
        hosts: Names of the host that made the record.
        contact: Whom the host's configuration names to ask, where no charter names anybody.
    """
    with view.snapshot():
        found = involved(view, artefact, key=key, hosts=hosts)
        told = tuple(_tell(view, one, contact) for one in found.agents[:most])
    return Answer(
        artefact=artefact,
        answer=found.answer,
        agents=told,
        involved=found,
        coverage=found.coverage,
        statement=_statement(found, told),
    )


def _tell(view: View, one: Involvement, contact: str) -> Told:
    agent = one.agent
    act = _act(one)
    why = cause(view, act.n)
    things: Touched = touched(view, agent.id)
    return Told(
        agent=agent.id,
        charter=agent.charter,
        charter_digest=agent.charter_digest,
        parent=agent.parent,
        root=agent.root,
        lineage=tuple(ancestor.id for ancestor in reading.ancestors(view, agent.id)),
        sponsor=agent.sponsor,
        sponsor_name=_name(view, agent),
        born=agent.born_ts,
        ended=agent.ended_ts,
        ended_how=agent.ended_how,
        act=line(view, act.n),
        why=one.why,
        cause_event=why.cause_event,
        causes=why.ranked,
        artefacts=things.things,
        also_affected=blasting.blast(view, why.cause_event if why.cause_event >= 0 else act.n),
        outcome=one.outcome,
        confidence=one.confidence,
        cause_confidence=why.confidence,
        score=one.score,
        contact=contact_of(view, agent, contact),
        causes_left_out=why.left_out,
    )


def _name(view: View, agent: reading.Agent) -> str:
    """Return the name behind the pseudonym; a child may not have it beside its own birth."""
    if agent.sponsor_name or not agent.sponsor:
        return agent.sponsor_name
    row = view.one(
        "SELECT sponsor_name FROM agents WHERE sponsor = ? AND sponsor_name != '' ORDER BY n LIMIT 1", agent.sponsor
    )
    return str(row[0]) if row else ""


def _act(one: Involvement) -> Evidence:
    """Return the evidence that weighs most and, of those, came first."""
    return one.evidence[0]


def _statement(found: Involved, told: tuple[Told, ...]) -> str:
    if not told:
        return found.statement
    top = told[0]
    parts = [found.statement]
    if top.cause_event >= 0:
        first = top.causes[0]
        parts.append(f"Cause: event {first.event.n}, {first.event.what} ({first.confidence}).")
        if top.causes_left_out:
            parts.append(left_out(top.causes_left_out))
    else:
        parts.append("What caused it could not be traced.")
    if len(found.agents) > 1:
        second = found.agents[1]
        parts.append(f"The next, {second.agent.id}: {second.why}.")
    parts.append(found.coverage.statement)
    return " ".join(parts)
