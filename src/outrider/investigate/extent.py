"""How far the record reaches: by host, door and agent, what was covered, what was not, since when, and why.

:mod:`outrider.investigate.coverage` says in one value what every answer rests on; here the same is taken apart. What is
missing is put down to the agent that it concerns where that can be told, else to the door, else to the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.errors import BadInputError
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

_CHUNK: Final = 500

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
        alone = _alone(view, agent) if agent else None
        found = _Found(alone)
        _gaps(view, since, found)
        _calls(view, first, found)
        _sources(view, since, found)
        if alone is None:
            _host(view, found)
        found.settle(view, since)
        spans = _listened(view)
        seen = _doors(view, since, alone, found)
        doors = tuple(_door(name, of, found) for name, of in sorted(seen.items()))
        listed = tuple(_agent(view, one, first, found) for one in ([alone] if alone else found.in_part(view)))
        covered = coverage(view)
        lacks = found.lacks("", "")
        heard = sum(one.heard for one in seen.values())
        return Extent(
            host=view.origin,
            since=since,
            until=covered.until,
            events=max(0, view.size - first),
            lacks=lacks,
            doors=doors,
            agents=listed,
            seen=heard,
            sensor=spans,
            coverage=covered,
            statement=_statement(doors, lacks, heard, view.origin),
        )


class _Found:
    """What is lacking, by whom and what: gathered first, then put down to the agents that lived in the span."""

    def __init__(self, alone: reading.Agent | None) -> None:
        self._alone = alone
        self._added: list[tuple[Lack, str, str]] = []
        self._lacks: dict[tuple[str, str], dict[tuple[str, str], Lack]] = {}
        self._missing: dict[str, tuple[int, str]] = {}

    @property
    def doors(self) -> set[str]:
        return {door for door, _ in self._lacks if door}

    def add(
        self, what: str, count: int, since: int, until: int, *, agent: str = "", door: str = "", answered: str = ""
    ) -> None:
        """Gather something that is its agent's, else its door's, else the host's."""
        if count:
            one = Lack(
                what=what, count=count, since=since, until=until, why=WORDS.get(what, what), answered=answered
            )  # fmt: skip
            self._added.append((one, agent, door))

    def settle(self, view: View, since: int) -> None:
        """Put down what was gathered to whose it is."""
        known = self._known(view, since)
        for lack, agent, door in self._added:
            whose = known.get(agent)
            if whose is not None and lack.what != "opaque":  # Counted for those only that are listed.
                self.put(lack, whose[1], agent)
                if _is_missing(lack):
                    self._missing[agent] = whose
            elif whose is None and self._alone is None:
                self.put(lack, door, "")
        self._added.clear()

    def put(self, lack: Lack, door: str, agent: str) -> None:
        """Add something to what is known to be lacking."""
        of = self._lacks.setdefault((door, agent), {})
        old = of.get((lack.what, lack.answered))
        starts = [one for one in (lack.since, old.since if old else 0) if one]
        of[lack.what, lack.answered] = msgspec.structs.replace(
            lack,
            count=lack.count + (old.count if old else 0),
            since=min(starts, default=0),
            until=max(lack.until, old.until if old else 0),
        )

    def lacks(self, door: str, agent: str) -> tuple[Lack, ...]:
        return tuple(sorted(self._lacks.get((door, agent), {}).values(), key=lambda one: (one.since, one.what)))

    def missing(self, agent: str) -> bool:
        return agent in self._missing

    def parts(self, door: str) -> int:
        """Return of how many agents of a door something is missing."""
        return sum(one == door for _, one in self._missing.values())

    def in_part(self, view: View) -> list[reading.Agent]:
        """Return the agents of which something is missing, the youngest first, as many as are listed."""
        youngest = sorted(self._missing, key=lambda one: -self._missing[one][0])[:MOST_LISTED]
        return list(reading.agents_of(view, youngest).values())

    def _known(self, view: View, since: int) -> dict[str, tuple[int, str]]:
        """Return of the agents that something was gathered about, and that are asked about, their births and doors."""
        if self._alone is not None:
            return {self._alone.id: (self._alone.born_n, self._alone.door)}
        wanted = list({agent for _, agent, _ in self._added if agent})
        found: dict[str, tuple[int, str]] = {}
        for at in range(0, len(wanted), _CHUNK):
            chunk = wanted[at : at + _CHUNK]
            marks = ",".join("?" * len(chunk))
            rows = view.rows(
                f"SELECT id, n, door FROM agents WHERE id IN ({marks}) AND (ended_ts IS NULL OR ended_ts >= ?)",  # noqa: S608 - question marks
                *chunk, since,
            )  # fmt: skip
            found.update((name, (n, door)) for name, n, door in rows)
        return found


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


def _alone(view: View, agent: str) -> reading.Agent:
    one = reading.agent(view, agent)
    if one is None:
        raise BadInputError(f"there is no agent {agent!r}", fix="`outrider agents --all` lists them.")
    return one


class _Door(msgspec.Struct, frozen=True):
    """Who came through a door: how many, how many of them live, the first birth, and how many are heard."""

    agents: int = 0
    living: int = 0
    since: int = 0
    heard: int = 0


def _doors(view: View, since: int, alone: reading.Agent | None, found: _Found) -> dict[str, _Door]:
    if alone is not None:
        heard = int(_is_heard(view, alone))
        return {alone.door: _Door(1, int(alone.ended_n is None), alone.born_ts, heard)}
    rows = view.rows(
        "SELECT door, count(*), sum(ended_ts IS NULL), min(ts), sum(heard) FROM agents"
        " WHERE ended_ts IS NULL OR ended_ts >= ? GROUP BY door",
        since,
    )
    return {door: _Door() for door in found.doors} | {name: _Door(*facts) for name, *facts in rows}


def _gaps(view: View, since: int, found: _Found) -> None:
    for gap in gaps_of(view, since):
        start, until = gap.since or gap.ts, gap.until or gap.ts
        found.add(gap.what, gap.count, start, until, agent=gap.agent, door=gap.door, answered=gap.answered)


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
    strays = view.rows(
        "SELECT agent, count(*), min(ts), max(ts) FROM events WHERE opaque = 2 AND n >= ? GROUP BY agent", first
    )
    for agent, count, since, until in strays:
        found.add("opaque", count, since, until, agent=agent)
    despite = view.rows(
        "SELECT DISTINCT e.n, e.agent, e.ts FROM events r CROSS JOIN causes c ON c.dst = r.n AND c.why = 'returns'"
        " CROSS JOIN events e ON e.n = c.src WHERE r.came >= 8 AND e.n >= ? AND e.verdict NOT IN ('', 'allow')"
        " AND e.enforced IN ('deny', 'error')",
        first,
    )
    outcomes = reading.outcomes(view, [row[0] for row in despite])
    for n, agent, ts in despite:
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


def _is_heard(view: View, one: reading.Agent) -> bool:
    """Tell whether an agent's deeds were heard from its birth on. One that the sensor lost sight of has a gap."""
    row = view.one("SELECT heard FROM agents WHERE id = ?", one.id)
    return bool(row and row[0])


def _state(*, missing: bool, seen: bool) -> State:
    return "in part" if missing else "whole" if seen else "told"


def _door(name: str, seen: _Door, found: _Found) -> DoorExtent:
    lacks = found.lacks(name, "")
    in_part = found.parts(name)
    missing = in_part > 0 or any(_is_missing(one) for one in lacks)
    return DoorExtent(
        door=name,
        agents=seen.agents,
        living=seen.living,
        in_part=in_part,
        since=seen.since,
        state=_state(missing=missing, seen=0 < seen.agents == seen.heard),
        lacks=lacks,
    )


def _agent(view: View, one: reading.Agent, first: int, found: _Found) -> AgentExtent:
    calls = view.one(
        "SELECT count(*) FROM events WHERE agent = ? AND n >= ? AND kind = 'call.decided'", one.id, first
    )  # fmt: skip
    opaque = view.one(
        "SELECT count(*), min(ts), max(ts) FROM events WHERE agent = ? AND opaque AND n >= ?", one.id, first
    )
    if opaque and opaque[0]:
        count, since, until = opaque
        found.put(Lack(what="opaque", count=count, since=since, until=until, why=WORDS["opaque"]), one.door, one.id)
    heard = _is_heard(view, one)
    return AgentExtent(
        agent=one,
        calls=int(calls[0]) if calls else 0,
        deeds=heard,
        state=_state(missing=found.missing(one.id), seen=heard),
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
