"""How far the record reaches: by host, door and agent, what was covered, what was not, since when, and why.

:mod:`outrider.investigate.coverage` says in one value what every answer rests on; here the same is taken apart. What is
missing is put down to the agent that it concerns where that can be told, else to the door, else to the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.errors import BadInputError
from outrider.events.record import AgentBorn
from outrider.events.sensor import SensorState
from outrider.investigate.coverage import MOST_LISTED, Coverage, coverage, gaps_of
from outrider.store import reading
from outrider.store.schema import RARE

if TYPE_CHECKING:
    from outrider.store.view import View

State = Literal["whole", "told", "in part"]
"""``whole``: every call was told and its result heard, and what its programs did was seen. ``told``: the same, but the
inside of programs was not seen. ``in part``: something is missing."""

WORDS: Final[dict[str, str]] = {
    "down": "times without a daemon, which had been stopped",
    "killed": "times without a daemon, which had been killed",
    "silent": "times in which the daemon stood still",
    "outage": "outages",
    "clock": "jumps of the wall clock",
    "torn-tail": "bytes cut at a start, never acknowledged",
    "spool": "hooks met no daemon",
    "unseen-call": "calls never asked about",
    "ungoverned": "calls in its transcript never asked",
    "unreadable": "inputs that could not be read",
    "unjudged": "calls that could not be judged",
    "lost-result": "results lost",
    "unheard-result": "results never heard",
    "under-way": "calls still under way",
    "asked": "calls put to a person, result unknown",
    "despite": "calls ran despite a refusal",
    "opaque": "programs not seen into",
    "unseen-deeds": "deeds not heard",
    "model-input-unseen": "agents whose models' input is not seen",
    "messages-lost": "messages lost on the way",
    "events-skipped": "sequence numbers missing",
    "links-broken": "events out of their chain",
    "vanished": "ended without a word",
    "erased": "events with details erased",
    "refused": "messages not believed",
    "unasked-result": "results of calls never asked about",
    "cut": "calls with effects cut",
}
"""What may be lacking, in a few words that follow a number."""

MISSING: Final = frozenset({
    "spool", "unseen-call", "ungoverned", "unreadable", "unjudged", "lost-result", "unheard-result", "despite",
    "messages-lost", "events-skipped", "links-broken", "vanished", "unseen-deeds", "outage", "unasked-result",
})  # fmt: skip
"""What makes an agent's or a door's coverage one in part; the rest is known, and nothing is missing by it."""


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not covered.

    Attributes:
        what: Its name, see :data:`WORDS`.
        count: How many.
        since: When it began, microseconds since 1970 UTC, 0 if unknown.
        until: When it ended, or 0.
        why: A sentence without its full stop.
        answered: What agents were told meanwhile, or empty.
    """

    what: str
    count: int
    since: int
    until: int
    why: str
    answered: str = ""


class AgentExtent(msgspec.Struct, frozen=True, kw_only=True):
    """What was covered of one agent.

    Attributes:
        agent: The agent.
        calls: Its calls that were judged, in the span asked about.
        deeds: Whether what its processes did was heard from the kernel.
        state: See :data:`State`.
        lacks: What is missing.
    """

    agent: reading.Agent
    calls: int
    deeds: bool
    state: State
    lacks: tuple[Lack, ...]


class DoorExtent(msgspec.Struct, frozen=True, kw_only=True):
    """What was covered of one door.

    Attributes:
        door: Its name.
        agents: Agents that came through it and lived in the span asked about.
        living: Of these, not ended.
        in_part: Of these, with something missing.
        since: First birth among them, microseconds since 1970 UTC.
        state: See :data:`State`; ``told`` unless the deeds of all of them were heard.
        lacks: What is missing and is no agent's, as far as can be told.
    """

    door: str
    agents: int
    living: int
    in_part: int
    since: int
    state: State
    lacks: tuple[Lack, ...]


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        host: Origin line of the host's record.
        since: Start of the span asked about, 0 for the whole record.
        until: Time of the last event.
        events: Events in the span.
        lacks: What is missing on the host as a whole.
        doors: Door by door.
        agents: The agents with something missing, the youngest first, at most a thousand; one asked for by id always.
        seen: Agents whose processes' deeds were heard.
        sensor: When a sensor listened: spans of microseconds since 1970 UTC, the end 0 while it does.
        coverage: What the whole record covers.
        statement: The answer in sentences.
    """

    host: str
    since: int
    until: int
    events: int
    lacks: tuple[Lack, ...]
    doors: tuple[DoorExtent, ...]
    agents: tuple[AgentExtent, ...]
    seen: int
    sensor: tuple[tuple[int, int], ...]
    coverage: Coverage
    statement: str


def extent(view: View, *, since: int = 0, agent: str = "") -> Extent:
    """Return how far the record reaches.

    Args:
        view: The view, caught up by the caller.
        since: Microseconds since 1970 UTC; what ended before is left out.
        agent: Id of the one agent to look at, or empty.

    Raises:
        BadInputError: There is no such agent.
    """
    with view.snapshot():
        first = _first(view, since)
        wanted = _agents(view, since, agent)
        found = _Found({one.id: one for one in wanted}, alone=bool(agent))
        _gaps(view, since, found)
        _calls(view, first, found)
        _sources(view, since, found)
        if not agent:
            _host(view, found)
        spans = _listened(view)
        heard = _heard(view, wanted, spans)
        doors = tuple(_door(name, wanted, found, heard) for name in sorted({one.door for one in wanted} | found.doors))
        listed = tuple(
            _agent(view, one, first, found, heard) for one in wanted if agent or found.missing(one.id)
        )[:MOST_LISTED]  # fmt: skip
        covered = coverage(view)
        lacks = found.lacks("", "")
        return Extent(
            host=view.origin,
            since=since,
            until=covered.until,
            events=max(0, view.size - first),
            lacks=lacks,
            doors=doors,
            agents=listed,
            seen=len(heard),
            sensor=spans,
            coverage=covered,
            statement=_statement(doors, lacks, len(heard), view.origin),
        )


class _Found:
    """What is lacking, by whom and what."""

    def __init__(self, agents: dict[str, reading.Agent], *, alone: bool) -> None:
        self._agents = agents
        self._alone = alone
        self._lacks: dict[tuple[str, str], dict[tuple[str, str], Lack]] = {}

    @property
    def doors(self) -> set[str]:
        return {door for door, _ in self._lacks if door}

    def add(
        self, what: str, count: int, since: int, until: int, *, agent: str = "", door: str = "", answered: str = ""
    ) -> None:
        """Put something down to its agent, else to its door, else to the host."""
        known = self._agents.get(agent)
        if not count or (self._alone and known is None):
            return
        whose = (known.door, known.id) if known is not None else (door, "")
        of = self._lacks.setdefault(whose, {})
        old = of.get((what, answered))
        starts = [one for one in (since, old.since if old else 0) if one]
        of[what, answered] = Lack(
            what=what,
            count=count + (old.count if old else 0),
            since=min(starts, default=0),
            until=max(until, old.until if old else 0),
            why=WORDS.get(what, what),
            answered=answered,
        )

    def lacks(self, door: str, agent: str) -> tuple[Lack, ...]:
        return tuple(sorted(self._lacks.get((door, agent), {}).values(), key=lambda one: (one.since, one.what)))

    def missing(self, agent: str) -> bool:
        door = self._agents[agent].door
        return any(_is_missing(one) for one in self.lacks(door, agent))


def _is_missing(lack: Lack) -> bool:
    """Whether something may have been done that is not in the record; what was answered with deny was not done."""
    return lack.what in MISSING and lack.answered != "deny"


def _first(view: View, since: int) -> int:
    """Return the index of the first event at ``since`` or later, by halving: but for clocks put back, times rise."""
    low, high = 0, view.size if since else 0
    while low < high:
        middle = (low + high) // 2
        row = view.one("SELECT ts FROM events WHERE n >= ? ORDER BY n LIMIT 1", middle)
        if row and row[0] < since:
            low = middle + 1
        else:
            high = middle
    return low


def _agents(view: View, since: int, agent: str) -> list[reading.Agent]:
    if agent:
        one = reading.agent(view, agent)
        if one is None:
            raise BadInputError(f"there is no agent {agent!r}", fix="`outrider agents --all` lists them.")
        return [one]
    found = reading.agents(view, limit=1_000_000)
    return [one for one in found if one.ended_ts is None or one.ended_ts >= since]


def _gaps(view: View, since: int, found: _Found) -> None:
    for gap in gaps_of(view, since):
        start, until = gap.since or gap.ts, gap.until or gap.ts
        found.add(gap.what, gap.count, start, until, agent=gap.agent, door=gap.door, answered=gap.answered)


_WENT_WELL: Final = b'"ok":true'
"""Stands in the leaf of every result that went well, and hardly in another: what holds it is then read."""


def _calls(view: View, first: int, found: _Found) -> None:
    # The few open calls lead: asked of the agents first, SQLite would look at each of them.
    # outrider: allow code.python-sql-from-string -- constants of this function
    waiting = view.rows(
        "SELECT o.agent, CASE WHEN o.enforced = 'ask' THEN 'asked' WHEN a.ended_n IS NULL THEN 'under-way'"
        " ELSE 'unheard-result' END, count(*), min(e.ts), max(e.ts) FROM open_calls o CROSS JOIN events e ON e.n = o.n"
        " CROSS JOIN agents a ON a.id = o.agent WHERE o.n >= ? GROUP BY 1, 2",
        first,
    )
    for agent, what, count, since, until in waiting:
        found.add(what, count, since, until, agent=agent)
    opaque = view.rows(
        "SELECT agent, count(*), min(ts), max(ts) FROM events WHERE opaque AND n >= ? GROUP BY agent", first
    )
    for agent, count, since, until in opaque:
        found.add("opaque", count, since, until, agent=agent)
    refused = view.rows(
        "SELECT e.n, e.agent, e.ts FROM events e WHERE e.verdict != '' AND e.verdict != 'allow' AND e.n >= ?"
        " AND e.enforced IN ('deny', 'error')"
        " AND EXISTS (SELECT 1 FROM causes c JOIN leaves l ON l.n = c.dst WHERE c.src = e.n AND c.why = 'returns'"
        " AND instr(l.leaf, ?))",
        first, _WENT_WELL,
    )  # fmt: skip
    outcomes = reading.outcomes(view, [row[0] for row in refused])
    for n, agent, ts in refused:
        if outcomes[n] == "ran despite the refusal":
            found.add("despite", 1, ts, ts, agent=agent)


def _sources(view: View, since: int, found: _Found) -> None:
    rows = view.rows(
        "SELECT id, lost, skipped, broken, first_ts, last_ts FROM sources WHERE (lost OR skipped OR broken)"
        " AND last_ts >= ? AND id NOT LIKE 'spool-%' ORDER BY id",
        since,
    )
    for name, lost, skipped, broken, first, last in rows:
        door, _, session = name.partition(":")
        of = reading.agents_by(view, "session", session, 1) if session else []
        agent = of[0].id if of and of[0].door == door else ""
        for what, count in (("messages-lost", lost), ("events-skipped", skipped), ("links-broken", broken)):
            found.add(what, count, first, last, agent=agent, door=door if session else "")


def _host(view: View, found: _Found) -> None:
    tally = dict(view.rows("SELECT what, count FROM tallies"))
    erased = tally.get("beside erased", 0) + tally.get("beside unreadable", 0)
    for what, count in (
        ("erased", erased),
        ("refused", tally.get("messages refused", 0)),
        ("unasked-result", tally.get("results without an intent", 0)),
        ("cut", tally.get("effects cut", 0)),
    ):
        found.add(what, count, 0, 0)
    for agent, ts in view.rows("SELECT id, ended_ts FROM agents WHERE ended_how = 'vanished'"):
        found.add("vanished", 1, ts, ts, agent=agent)


def _listened(view: View) -> tuple[tuple[int, int], ...]:
    """Return when a sensor listened. One that a killed daemon had ended with it, at the latest when the next began."""
    kinds = "'sensor.state', 'daemon.started'"
    numbers = [
        n
        for (n,) in view.rows(f"SELECT n FROM events WHERE kind IN ({kinds}) AND {RARE} ORDER BY n")  # noqa: S608 - constant
    ]
    found: list[tuple[int, int]] = []
    for event in reading.leaves(view, numbers):
        if found and not found[-1][1]:
            found[-1] = (found[-1][0], event.ts)
        if isinstance(event, SensorState) and event.state == "on":
            found.append((event.ts, 0))
    return tuple(found)


def _heard(view: View, agents: list[reading.Agent], spans: tuple[tuple[int, int], ...]) -> frozenset[str]:
    """Return the agents whose deeds were heard from their birth on.

    Those are who came under ``outrider run`` where the kernel tells, and who is below them; and who was born while a
    sensor listened. One that it lost sight of has a gap that says so.
    """
    roots = {one.root for one in agents}
    runs = [row for row in view.rows("SELECT id, n FROM agents WHERE how = 'run'") if row[0] in roots]
    births = reading.leaves(view, [n for _, n in runs])
    seen = {one.agent for one in births if isinstance(one, AgentBorn) and one.held is not None and one.held.seen}
    runs_of = {row[0] for row in runs}
    by_sensor = {
        one.id
        for one in agents
        if one.root not in runs_of and any(on <= one.born_ts and (not off or one.born_ts < off) for on, off in spans)
    }
    return frozenset(one.id for one in agents if one.root in seen) | by_sensor


def _state(*, missing: bool, seen: bool) -> State:
    return "in part" if missing else "whole" if seen else "told"


def _door(name: str, agents: list[reading.Agent], found: _Found, heard: frozenset[str]) -> DoorExtent:
    mine = [one for one in agents if one.door == name]
    lacks = found.lacks(name, "")
    in_part = sum(found.missing(one.id) for one in mine)
    missing = in_part > 0 or any(_is_missing(one) for one in lacks)
    return DoorExtent(
        door=name,
        agents=len(mine),
        living=sum(one.ended_n is None for one in mine),
        in_part=in_part,
        since=min((one.born_ts for one in mine), default=0),
        state=_state(missing=missing, seen=bool(mine) and all(one.id in heard for one in mine)),
        lacks=lacks,
    )


def _agent(view: View, one: reading.Agent, first: int, found: _Found, heard: frozenset[str]) -> AgentExtent:
    calls = view.one(
        "SELECT count(*) FROM events WHERE agent = ? AND n >= ? AND kind = 'call.decided'", one.id, first
    )  # fmt: skip
    return AgentExtent(
        agent=one,
        calls=int(calls[0]) if calls else 0,
        deeds=one.id in heard,
        state=_state(missing=found.missing(one.id), seen=one.id in heard),
        lacks=found.lacks(one.door, one.id),
    )


def _statement(doors: tuple[DoorExtent, ...], lacks: tuple[Lack, ...], seen: int, host: str) -> str:
    agents = sum(one.agents for one in doors)
    parts = sum(one.in_part for one in doors)
    through = ", ".join(one.door for one in doors if one.agents) or "no door"
    first = f"{host or 'This host'}: {agents:,} agents came through {through}."
    if not agents:
        first = f"{host or 'This host'}: no agent lived then."
    elif parts:
        first += f" Of {parts:,} something is missing; of {agents - parts:,} every call was told and its result heard."
    else:
        first += " Every call that was let through was told, and its result was heard or is still to come."
    sentences = [first]
    if agents:
        inside = f"What programs did inside was seen for {seen:,} of {agents:,} agents"
        sentences.append(inside + ("." if seen == agents else "; `outrider run` and the sensor show it."))
    away = [one for one in lacks if one.what in {"down", "killed", "silent"}]
    if away:
        lasted = ", ".join(f"{one.count:,} {WORDS[one.what]}" for one in away)
        sentences.append(f"On the host: {lasted}.")
    rest = [one for door in doors for one in door.lacks] + [one for one in lacks if one not in away]
    if rest:
        told = "; ".join(f"{one.count:,} {one.why}{_told(one)}" for one in rest)
        sentences.append(f"Put down to no agent: {told}.")
    return " ".join(sentences)


def _told(lack: Lack) -> str:
    return f" (answered with {lack.answered})" if lack.answered else ""
