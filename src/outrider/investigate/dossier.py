"""What a case amounts to: the agents behind it, the time line, why, what else is affected, and what to do now.

Everything here is computed anew from the record whenever it is asked for; a case keeps only what people put into it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.errors import BadInputError
from outrider.investigate import touched as touching
from outrider.investigate.answer import Answer, answer
from outrider.investigate.blast import Blast, blast
from outrider.investigate.carried import carried
from outrider.investigate.case import Case
from outrider.investigate.cause import cause
from outrider.investigate.contact import contact_of
from outrider.investigate.containing import Known, Step, steps, unwitnessed
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.due import Due, due
from outrider.investigate.groups import of_host
from outrider.investigate.meeting import CLOSE, Meeting, meetings
from outrider.investigate.remedy import Remedy, remedies
from outrider.investigate.source import Origin, origin
from outrider.investigate.stopped import Stopped, stopped
from outrider.investigate.words import Line, line
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

MOST_MOMENTS: Final = 400
MOST_FAMILY: Final = 200
MOST_TRIED: Final = 10
"""Refused calls of one agent that the time line has."""
MOST_CAME: Final = 50
"""Agents that came under it whose births, ends and deeds are told."""
_LOUD: Final = ("sent", "committed", "pushed", "installed", "deleted", "credential", "spawned")
_PRINCIPALS: Final = 3
"""Agents of one artefact that a case follows, the likeliest doers."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the time line.

    Attributes:
        line: It.
        why: Why it is here: ``act``, ``cause``, ``result`` (of the act), ``pinned``, ``refused``, ``birth``, ``end``,
            ``label`` or ``touched``.
        became: What became of it, where it is a call.
    """

    line: Line
    why: str
    became: str = ""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The text of an event that leaves with the case, and why it does. Written by an attacker: escape it."""

    event: int
    why: str
    text: str


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """One agent of a lineage. ``depth`` counts from its root; ``marked`` is whether the case is about it."""

    agent: reading.Agent
    depth: int
    marked: bool


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One step of provenance: from an event to one that it led to, and by what that is known."""

    source: int
    target: int
    by: str


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """A case and what the record says of it.

    Attributes:
        case: The case.
        answers: Who was behind each artefact.
        agents: The agents that it is about, the likeliest doer first.
        moments: The time line.
        more: Events that the time line has no room for.
        families: The lineage of each agent, by root.
        edges: Why: from what came into a context to the act.
        acts: The acts: the event of each artefact that ties an agent to it most, and calls that were pinned.
        impact: What else is affected, from each cause, or act where no cause was found.
        todo: What to do now.
        coverage: What could not be seen.
        remedies: What one rule would have stopped and broken, by charter; see :mod:`.remedy`.
        whole: What a check of the record from its bytes says, or empty where it was not checked.
        imported: The same of what hosts' own transcripts tell, which nobody witnessed; None where the case seeks
            nothing there. Its events are numbered in that record, and none of them can be proven.
        met: Every agent that met the artefacts or what caused the acts, and what each did.
        stopped: Of those, who tried and was refused: what each had read, and who had started it.
        children: What agents that came under it did, by id: how many things of each role.
        prompts: Instructions that the agents and those above them were given.
        words: Texts of events that leave with it; none unless somebody asked for them.
        contacts: Whom to ask about each agent that it is about, by id; those of whom nobody is named are left out.
        groups: What names with ``@`` stand for on the host that made the record.
        carried: Of an act that carried what a credential's reading had brought, that event.
        holds: What a bundle holds of the record, a sentence; empty outside of one.
        log: The name of the record's log.
        origins: Where the contents stood that led to the acts.
        due: The credentials to change, each once by its value.
    """

    case: Case
    answers: tuple[Answer, ...]
    agents: tuple[reading.Agent, ...]
    moments: tuple[Moment, ...]
    more: int
    families: tuple[tuple[Kin, ...], ...]
    edges: tuple[Edge, ...]
    acts: tuple[int, ...]
    impact: tuple[Blast, ...]
    todo: tuple[Step, ...]
    coverage: Coverage
    remedies: tuple[Remedy, ...] = ()
    whole: str = ""
    imported: Dossier | None = None
    met: tuple[Meeting, ...] = ()
    stopped: tuple[Stopped, ...] = ()
    children: dict[str, dict[str, int]] = {}
    prompts: tuple[int, ...] = ()
    words: tuple[Words, ...] = ()
    contacts: dict[str, str] = {}
    carried: dict[int, int] = {}
    groups: dict[str, tuple[str, ...]] = {}
    holds: str = ""
    log: str = ""
    origins: tuple[Origin, ...] = ()
    due: tuple[Due, ...] = ()

    @property
    def causes(self) -> tuple[int, ...]:
        """The events that led to the acts, each the likeliest of its act."""
        return tuple(dict.fromkeys(one.start.n for one in self.impact if one.start.n not in self.acts))

    @property
    def sources(self) -> tuple[int, ...]:
        """The calls that the causes are the results of: which page was asked for, which file was read."""
        return tuple(moment.line.n for moment in self.moments if moment.why == "source")

    @property
    def results(self) -> tuple[int, ...]:
        """The results of the acts."""
        return tuple(moment.line.n for moment in self.moments if moment.why == "result")

    @property
    def events(self) -> tuple[int, ...]:
        """Every event of this record that it speaks of, the case's own entries among them."""
        own = [entry.n for entry in self.case.entries if not entry.origin]
        lines = [moment.line.n for moment in self.moments]
        ends = [n for edge in self.edges for n in (edge.source, edge.target)]
        cited = [t.first for one in self.impact for t in (*one.credentials, *one.hosts, *one.commits, *one.files)]
        came = [one.since for told in self.impact for one in told.agents[:MOST_CAME]]
        loud = [one.event for met in self.met if met.did in CLOSE for one in met.deeds][:MOST_MOMENTS]
        loud += [met.first for met in self.met if met.did in CLOSE][:MOST_MOMENTS]
        refused = [n for one in self.stopped[:MOST_MOMENTS] for n in one.events]
        went = [*self.carried.values(), *(gap.n for gap in self.coverage.gaps[:MOST_CAME])]
        return tuple(sorted({*own, *lines, *ends, *self.acts, *cited, *came, *loud, *refused, *went, *self.prompts}))


def dossier(
    view: View,
    case: Case,
    *,
    key: bytes = b"",
    imported: View | None = None,
    whole: str = "",
    contact: str = "",
) -> Dossier:
    """Return what the record says of a case.

    Args:
        view: The view, caught up by the caller.
        case: The case.
        key: Key of this host's prints, for secrets and whole URLs.
        imported: The view of what was imported, if the case seeks something there.
        whole: What a check of the record says, if it was made.
        contact: Whom the host's configuration names to ask, where no charter names anybody.
    """
    told = msgspec.structs.replace(_dossier(view, case, key, contact), whole=whole)
    if imported is None or not case.transcribed:
        return told
    there = case.transcribed
    other = msgspec.structs.replace(case, artefacts=there.artefacts, agents=there.agents, pinned=there.pinned)
    more = _dossier(imported, other, key, contact)
    return msgspec.structs.replace(told, imported=more, todo=(*told.todo, *unwitnessed(more.todo)))


def _dossier(view: View, case: Case, key: bytes, contact: str) -> Dossier:
    with view.snapshot():
        answers = tuple(answer(view, one, key=key, most=_PRINCIPALS) for one in case.artefacts)
        pinned = tuple(n for n in case.pinned if 0 <= n < view.size)
        agents = _agents(view, case, answers, pinned)
        acts, causes, edges, origins = _why(view, answers, pinned)
        impact = tuple(blast(view, n) for n in (causes or acts)[:_PRINCIPALS])
        came = [one.agent for told in impact for one in told.agents[:MOST_CAME]]
        others = [one for one in {x.id: x for x in came}.values() if one.id not in {x.id for x in agents}]
        results = tuple(n for act in acts if (n := reading.result_of(view, act)) is not None)
        sources = tuple(reading.intents_of(view, causes).values())
        known = {"act": acts, "cause": causes, "result": results, "source": sources, "pinned": pinned}
        met = meetings(view, answers, impact)
        named = {(e.kind, e.value) for told in answers for one in told.involved.agents for e in one.evidence}
        refused = stopped(view, met, impact, named)
        moments = _moments(view, (*agents, *others), known | _tried(refused))
        went = _carried(view, answers, impact, acts, causes)
        contacts = {one.id: whom for one in agents if (whom := contact_of(view, one, contact))}
        tried = remedies(view, acts)
        known_of = Known(refused=refused, contacts=contacts, carried=went, remedies=tried, origins=origins)
        todo = steps(case.id, agents, impact, acts, known_of)
        return Dossier(
            case=case,
            answers=answers,
            agents=agents,
            moments=moments[:MOST_MOMENTS],
            more=max(0, len(moments) - MOST_MOMENTS),
            families=tuple(_families(view, agents)),
            edges=edges,
            acts=acts,
            impact=impact,
            todo=tuple(sorted(todo, key=lambda step: not step.urgent)),
            coverage=coverage(view),
            remedies=tried,
            log=view.origin,
            origins=origins,
            due=due(impact, refused),
            met=met,
            stopped=refused,
            contacts=contacts,
            carried=went,
            groups=of_host(view),
            children={one.id: _roles(view, one) for one in others},
            prompts=_prompts(view, agents),
        )


def _carried(
    view: View, answers: Iterable[Answer], impact: Iterable[Blast], acts: Iterable[int], causes: Iterable[int]
) -> dict[int, int]:
    """Return, of the acts that carried what a credential's reading had brought, the event that brought it."""
    things = [t for told in impact for t in told.credentials]
    things += [t for told in answers for top in told.agents for t in top.also_affected.credentials]
    reads = sorted({n for thing in things for n in thing.events})
    found = {act: carried(view, act, [n for n in reads if n < act], causes) for act in acts}
    return {act: n for act, n in found.items() if n >= 0}


def _roles(view: View, agent: reading.Agent) -> dict[str, int]:
    """Return how many things an agent touched, by role; what only was tried is left out."""
    sums: touching.Sums = {}
    touching.gather(view, reading.events_of(view, agent.id), sums)
    done = [thing.role for thing in touching.things(sums) if thing.happened and thing.role not in {"is", "mentioned"}]
    return dict(Counter(done))


def _prompts(view: View, agents: Iterable[reading.Agent]) -> tuple[int, ...]:
    names = dict.fromkeys(
        name for agent in agents for name in (agent.id, *(a.id for a in reading.ancestors(view, agent.id)))
    )
    return tuple(n for name in names for n in reading.events_of(view, name, ("agent.prompted",))[:MOST_CAME])


def _agents(
    view: View, case: Case, answers: Iterable[Answer], pinned: Iterable[int]
) -> tuple[reading.Agent, ...]:  # fmt: skip
    names = dict.fromkeys(one.agent for told in answers for one in told.agents if _did(one.outcome))
    names.update(dict.fromkeys(case.agents))
    names.update(dict.fromkeys(row.agent for row in reading.rows(view, pinned) if row.agent))
    return tuple(agent for name in names if (agent := reading.agent(view, name)) is not None)


def _did(outcome: str) -> bool:
    return outcome not in {"refused", "not run"}


def _why(
    view: View, answers: Iterable[Answer], pinned: Iterable[int]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Edge, ...], tuple[Origin, ...]]:
    """Return the acts, what caused them, the steps between, and where what caused them stood."""
    acts: dict[int, None] = {}
    causes: dict[int, None] = {}
    edges: dict[tuple[int, int], Edge] = {}
    origins: list[Origin] = []
    calls = [row.n for row in reading.rows(view, pinned) if row.kind == "call.decided"]
    for n in [*(one.act.n for told in answers for one in told.agents if _did(one.outcome)), *calls]:
        acts[n] = None
        try:
            ranked = cause(view, n).ranked
        except BadInputError:
            continue
        if not ranked or ranked[0].confidence == "time":
            continue
        first = ranked[0]
        causes[first.event.n] = None
        origins.append(origin(view, first, n))
        path = first.path if first.path[-1] == n else (*first.path, n)
        for source, target in itertools.pairwise(path):
            if source != target:
                edges[source, target] = Edge(source=source, target=target, by=first.confidence)
    return tuple(acts), tuple(causes), tuple(edges.values()), tuple(origins)


def _moments(view: View, agents: Iterable[reading.Agent], known: dict[str, tuple[int, ...]]) -> tuple[Moment, ...]:
    why: dict[int, str] = {n: word for word, numbers in reversed(known.items()) for n in numbers}
    for agent in agents:
        why.setdefault(agent.born_n, "birth")
        if agent.ended_n is not None:
            why.setdefault(agent.ended_n, "end")
        for n, word in _loud(view, agent.id):
            why.setdefault(n, word)
    there = [n for n in sorted(why) if 0 <= n < view.size]
    became = reading.outcomes(view, there)
    return tuple(Moment(line=line(view, n), why=why[n], became=became.get(n, "")) for n in there)


def _tried(refused: Iterable[Stopped]) -> dict[str, tuple[int, ...]]:
    """Return the events of agents that were refused, by why they are told: their lives, what they read, what failed."""
    these = list(refused)[:MOST_CAME]
    return {
        "refused": tuple(try_.event for one in these for try_ in one.attempts[:MOST_TRIED]),
        "birth": tuple(one.agent.born_n for one in these),
        "end": tuple(one.agent.ended_n for one in these if one.agent.ended_n is not None),
        "label": tuple(n for one in these for n in (*(t.first for t in one.credentials), *_ways(one))),
    }


def _ways(one: Stopped) -> tuple[int, ...]:
    return tuple(hop.event for hop in one.parent_way)


def _loud(view: View, agent: str) -> Iterator[tuple[int, str]]:
    """Give the events of an agent that a responder wants to see, and why: not its every read."""
    for n, enforced in view.rows(
        "SELECT n, enforced FROM events WHERE agent = ? AND kind = 'call.decided' AND enforced != 'allow'", agent
    ):
        yield n, "refused" if enforced in {"deny", "error"} else "asked"
    for (n,) in view.rows("SELECT DISTINCT origin FROM labels WHERE agent = ? AND origin >= 0", agent):
        yield n, "label"
    marks = ",".join("?" * len(_LOUD))
    rows = view.rows(
        f"SELECT DISTINCT e.n FROM events e JOIN touches t ON t.n = e.n WHERE e.agent = ? AND t.role IN ({marks})"  # noqa: S608
        " AND e.kind = 'call.decided' ORDER BY e.n",
        agent, *_LOUD,
    )  # fmt: skip
    for (n,) in rows:
        yield n, "touched"


def _families(view: View, agents: Iterable[reading.Agent]) -> Iterator[tuple[Kin, ...]]:
    marked = {agent.id for agent in agents}
    for root in dict.fromkeys(agent.root for agent in agents):
        head = reading.agent(view, root)
        if head is not None:
            yield tuple(_kin(view, head, marked, 0))[:MOST_FAMILY]


def _kin(view: View, agent: reading.Agent, marked: set[str], depth: int) -> Iterator[Kin]:
    yield Kin(agent=agent, depth=depth, marked=agent.id in marked)
    if depth < MOST_FAMILY:
        for child in reading.agents_by(view, "parent", agent.id, MOST_FAMILY):
            yield from _kin(view, child, marked, depth + 1)
