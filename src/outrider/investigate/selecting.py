"""Which events leave in a bundle: those that were asked for, and those without which they cannot be understood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from outrider.detect.redact import redact
from outrider.errors import BadInputError
from outrider.events.entities import guess
from outrider.events.record import AgentBorn, CallDecided
from outrider.investigate.cause import cause
from outrider.investigate.involved import involved
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

_CAUSES = 5
"""Agents of an artefact whose cause is looked for, the likeliest doers."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: everything that one of the first four names, within the time if one is given.

    Attributes:
        events: Indices.
        agents: Ids of agents: all their events.
        lineages: Ids of agents: all their events, and those of all that descends from them.
        artefacts: What ``involved`` takes: the events that tie agents to it, and what caused them.
        since: Microseconds since 1970 UTC, or 0.
        until: The same; 0 for no end.
    """

    events: tuple[int, ...] = ()
    agents: tuple[str, ...] = ()
    lineages: tuple[str, ...] = ()
    artefacts: tuple[str, ...] = ()
    since: int = 0
    until: int = 0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a bundle.

    Attributes:
        chosen: Those that were asked for.
        context: Those that come along: the log's first, births and ends of agents and of their ancestors, their
            charters, the other half of a call and its result, and where labels came from.
        asked: What was asked for, in words.
    """

    chosen: tuple[int, ...]
    context: tuple[int, ...]
    asked: str

    @property
    def events(self) -> tuple[int, ...]:
        """All of them, in order."""
        return tuple(sorted({*self.chosen, *self.context}))


def select(view: View, wanted: Wanted, *, key: bytes = b"") -> Selection:
    """Return the events that ``wanted`` names, and their context.

    Args:
        view: The view, caught up by the caller.
        wanted: What is asked for.
        key: Key of this host's prints, for artefacts.

    Raises:
        BadInputError: Nothing was asked for, something that is not there, or nothing was found.
    """
    with view.snapshot():
        chosen = _chosen(view, wanted, key)
        if not chosen:
            raise BadInputError(f"no event of the record is {asked(wanted)}", fix="`outrider log` shows what there is.")
        return Selection(
            chosen=tuple(sorted(chosen)), context=tuple(sorted(_context(view, chosen) - chosen)), asked=asked(wanted)
        )


def asked(wanted: Wanted) -> str:
    """Return what is asked for in words."""
    parts = [f"agent {one}" for one in wanted.agents] + [f"lineage {one}" for one in wanted.lineages]
    parts += [f"tied to {_named(one)}" for one in wanted.artefacts]
    if wanted.events:
        parts.append(f"one of {len(wanted.events)} named by number")
    said = " or ".join(parts) or "any"
    said += f", from {wanted.since} on" if wanted.since else ""
    return said + (f", before {wanted.until}" if wanted.until else "")


def _named(artefact: str) -> str:
    """Return an artefact as a bundle may name it: a secret and a person's address are not written out."""
    if redact(artefact, b"") != artefact:
        return "a secret"
    kinds = dict(guess(artefact))
    if kinds.get("email"):
        return "an e-mail address"
    return f"a URL at {kinds.get('host', 'some host')}" if "://" in artefact else artefact


def _chosen(view: View, wanted: Wanted, key: bytes) -> set[int]:
    named = [*wanted.events, *wanted.agents, *wanted.lineages, *wanted.artefacts]
    if not named and not wanted.since and not wanted.until:
        raise BadInputError("nothing was asked for", fix="Name an agent, a lineage, events, a time or an artefact.")
    beyond = [n for n in wanted.events if not 0 <= n < view.size]
    if beyond:
        raise BadInputError(f"there is no event {beyond[0]}: the record holds {view.size}")
    found = set(wanted.events)
    for agent in wanted.agents:
        found.update(reading.events_of(view, agent))
    for root in wanted.lineages:
        for agent in (root, *(child.id for child in reading.descendants(view, root))):
            found.update(reading.events_of(view, agent))
    for artefact in wanted.artefacts:
        found.update(_tied(view, artefact, key))
    if wanted.since or wanted.until:
        rows = view.rows("SELECT n FROM events WHERE ts >= ? AND ts < ?", wanted.since, wanted.until or 1 << 62)
        within = {int(row[0]) for row in rows}
        found = found & within if named else within
    return found


def _tied(view: View, artefact: str, key: bytes) -> Iterable[int]:
    agents = involved(view, artefact, key=key).agents
    for one in agents:
        yield from (evidence.n for evidence in one.evidence)
    for one in agents[:_CAUSES]:
        ranked = cause(view, one.evidence[0].n).ranked
        if ranked:
            yield from ranked[0].path


def _context(view: View, chosen: set[int]) -> set[int]:
    """Return what makes the chosen events understandable to somebody who has nothing else."""
    out: set[int] = {0}
    agents: dict[str, None] = {row.agent: None for row in reading.rows(view, chosen) if row.agent}
    for event in reading.leaves(view, chosen):
        if isinstance(event, CallDecided):
            out.update(label.origin for label in event.labels if 0 <= label.origin < event.n)
            result = reading.result_of(view, event.n)
            out.update(() if result is None else (result,))
    out.update(reading.intents_of(view, {*chosen, *out}).values())
    agents.update({row.agent: None for row in reading.rows(view, out) if row.agent})
    for name in list(agents):
        agents.update(dict.fromkeys(ancestor.id for ancestor in reading.ancestors(view, name)))
    born = [one for name in agents if (one := reading.agent(view, name)) is not None]
    out.update(one.born_n for one in born)
    out.update(one.ended_n for one in born if one.ended_n is not None)
    digests = {digest for one in reading.leaves(view, [a.born_n for a in born]) for digest in _chain(one)}
    for digest in digests:
        out.update(n for (n,) in view.rows("SELECT min(n) FROM charters WHERE digest = ?", digest) if n is not None)
    return {n for n in out if 0 <= n < view.size}


def _chain(event: object) -> tuple[str, ...]:
    return event.chain if isinstance(event, AgentBorn) else ()
