"""Whether assumptions hold: each checked over the whole record, with the events that broke it.

Calls are read once for all assumptions. What broke an assumption stays: a record does not change its mind. Where
nothing broke it, the answer says what could not be seen, for that is where it may be broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.events.record import CallDecided
from outrider.investigate import replay
from outrider.investigate.assumptions import Assumption, Must, What, Who, texts
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.extent import Extent, Lack, extent
from outrider.investigate.words import Line, of
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

SHOWN: Final = 50
"""Most events told of one assumption; they are all counted."""

State = Literal["held", "broken", "untested"]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one assumption.

    Attributes:
        assumption: The assumption.
        state: ``held``: nothing broke it; ``broken``; ``untested``: nothing happened that it is about.
        since: ``broken``: time of the first event that broke it; else start of what was looked at. Microseconds since
            1970 UTC, 0 if unknown.
        until: ``broken``: time of the last event that did; else time of the last event.
        about: Calls, births or gaps that it is about.
        broken: How many broke it.
        agents: Agents that did.
        events: The events that did, the first fifty.
        lacks: For one about coverage, what is lacking.
        statement: A sentence.
    """

    assumption: Assumption
    state: State
    since: int
    until: int
    about: int
    broken: int
    agents: tuple[str, ...]
    events: tuple[Line, ...]
    lacks: tuple[Lack, ...]
    statement: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all of them.

    Attributes:
        checked: In the order of the files.
        coverage: What could not be seen: where an assumption may be broken although it is said to be held.
        statement: The answer in a sentence or two.
    """

    checked: tuple[Checked, ...]
    coverage: Coverage
    statement: str


def check(view: View, assumptions: Iterable[Assumption], *, since: int = 0) -> Answer:
    """Check assumptions over what the view holds.

    Args:
        view: The view, caught up by the caller.
        assumptions: What is assumed.
        since: Microseconds since 1970 UTC; what came before is left out.
    """
    with view.snapshot():
        covered = coverage(view)
        runs = [_Run(one) for one in assumptions]
        agents = _Agents(view)
        if any(run.about_calls for run in runs):
            _calls(view, runs, agents, since)
        for agent in agents.born(since):
            for run in runs:
                run.birth(agent, agents)
        reach = extent(view, since=since) if any(run.one.lacks for run in runs) else None
        start = max(since, covered.since)
        checked = tuple(run.result(view, start, covered.until, reach) for run in runs)
    return Answer(checked=checked, coverage=covered, statement=_statement(checked, covered))


class _Agents:
    """The agents of a view, looked up as they come."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, reading.Agent] = {}

    def of(self, agent_id: str) -> reading.Agent:
        found = self._known.get(agent_id)
        if found is None:
            found = reading.agent(self._view, agent_id) or reading.unknown(agent_id)
            self._known[agent_id] = found
        return found

    def born(self, since: int) -> Iterator[reading.Agent]:
        """Yield the agents born at ``since`` or later, in the order of their births."""
        found = reading.agents(self._view, limit=10_000_000)
        yield from (one for one in reversed(found) if one.born_ts >= since)

    def fits(self, who: Who, agent: reading.Agent) -> bool:
        parent = self.of(agent.parent).charter if agent.parent else "none"
        facts = (
            (who.charter, (agent.charter,)),
            (who.sponsor, (agent.sponsor, agent.sponsor_name)),
            (who.door, (agent.door,)),
            (who.mode, (agent.mode,)),
            (who.how, (agent.how,)),
            (who.repo, (agent.repo,)),
            (who.parent, (parent,)),
        )
        wanted = all(_fits(patterns, values) for patterns, values in facts)
        return wanted and not (who.not_charter and _fits(who.not_charter, (agent.charter,)))


def _fits(patterns: str | tuple[str, ...], values: Iterable[str]) -> bool:
    """Whether one of the patterns fits one of the values; nothing given fits everything."""
    several = texts(patterns)
    return not several or any(fnmatchcase(value, pattern) for value in values for pattern in several)


class _Run:
    """One assumption while it is checked."""

    def __init__(self, one: Assumption) -> None:
        self.one = one
        self.about = 0
        self.candidates: list[int] = []
        """Events that break it unless they never happened."""
        self.broken: list[int] = []

    @property
    def about_calls(self) -> bool:
        return self.one.never is not None or self.one.every is not None

    def call(self, call: CallDecided, agents: _Agents) -> None:
        one = self.one
        what = one.never or one.every
        if what is None or not matches(what, call) or not agents.fits(one.who, agents.of(call.agent)):
            return
        self.about += 1
        if one.never is not None or (one.must is not None and not _holds(one.must, call)):
            self.candidates.append(call.n)

    def birth(self, agent: reading.Agent, agents: _Agents) -> None:
        one = self.one
        if one.born is None or not agents.fits(one.born, agent) or not agents.fits(one.who, agent):
            return
        self.about += 1
        if one.by is None or not agents.fits(one.by, agent):
            self.broken.append(agent.born_n)

    def settle(self, outcome: Callable[[int], str]) -> None:
        """Keep of what may have broken it what was not proved never to have run, or lacks the result it must have."""
        tried = bool(self.one.never and self.one.never.tried)
        self.broken += [n for n in self.candidates if tried or outcome(n) not in {"not run", "refused"}]
        self.candidates = []

    def result(self, view: View, start: int, until: int, reach: Extent | None) -> Checked:
        lacks = _lacking(self.one, reach) if reach is not None and self.one.lacks else ()
        events = tuple(of(view, one) for one in reading.leaves(view, self.broken[:SHOWN]))
        times = [row[0] for row in _times(view, self.broken)] + [lack.since for lack in lacks if lack.since]
        ends = [row[0] for row in _times(view, self.broken)] + [lack.until for lack in lacks]
        count = len(self.broken) + sum(lack.count for lack in lacks)
        about = self.about if not self.one.lacks else count
        state: State = "broken" if count else "held" if about or self.one.lacks or _is_denial(self.one) else "untested"
        agents = tuple(dict.fromkeys(one.agent for one in events if one.agent))
        return Checked(
            assumption=self.one,
            state=state,
            since=min(times, default=0) if count else start,
            until=max(ends, default=0) if count else until,
            about=about,
            broken=count,
            agents=agents,
            events=events,
            lacks=lacks,
            statement=_sentence(self.one, state, count, about, lacks),
        )


def _is_denial(one: Assumption) -> bool:
    """Whether nothing it is about having happened is just what it says: it is held then, and not untested."""
    return one.never is not None or (one.born is not None and one.by is None)


def _calls(view: View, runs: list[_Run], agents: _Agents, since: int) -> None:
    row = view.one("SELECT n FROM events WHERE ts >= ? ORDER BY n LIMIT 1", since) if since else (0,)
    asking = [run for run in runs if run.about_calls]
    for call in replay.calls(view, int(row[0])) if row else ():
        for run in asking:
            run.call(call, agents)
    wanted = {n for run in asking for n in run.candidates}
    outcomes = reading.outcomes(view, wanted)
    unheard = [run for run in asking if run.one.must is not None and run.one.must.heard]
    for run in asking:
        run.settle(lambda n: outcomes.get(n, ""))
    for run in unheard:
        run.broken = [n for n in run.broken if outcomes.get(n) == "no result seen"]


def matches(what: What, call: CallDecided) -> bool:
    """Whether a call is one of those that ``what`` describes."""
    if not what.tried and call.decision.enforced in {"deny", "error"}:
        return False
    if not _fits(what.tool, (call.tool,)):
        return False
    carried = {label.name for label in (*call.labels, *call.adds)}
    if not carried.issuperset(texts(what.label)):
        return False
    if what.finding and not _fits(what.finding, (one.rule for one in call.findings if not one.suppressed)):
        return False
    if not (what.verb or what.value or what.flags):
        return True
    flags = set(texts(what.flags))
    return any(
        (not what.verb or effect.verb in texts(what.verb))
        and _fits(what.value, {effect.value, effect.resolved or effect.value})
        and flags.issubset(effect.flags)
        for effect in call.effects
    )


def _holds(must: Must, call: CallDecided) -> bool:
    """Whether what must hold of a call does, as far as the call itself says; its result is looked for afterwards."""
    if must.mode and call.decision.mode != must.mode:
        return False
    if must.looked and call.looked:
        return False
    if must.asked and call.asked is None:
        return False
    return not must.heard


def _lacking(one: Assumption, reach: Extent) -> tuple[Lack, ...]:
    wanted = set(texts(one.lacks))
    whole = one.who == Who()
    found = [lack for lack in reach.lacks if whole]
    found += [lack for door in reach.doors for lack in door.lacks if whole]
    for row in reach.agents:
        if _fits(one.who.charter, (row.agent.charter,)):
            found += row.lacks
    return tuple(lack for lack in found if lack.what in wanted)


def _times(view: View, numbers: list[int]) -> list[tuple[int]]:
    ends = [min(numbers), max(numbers)] if numbers else []
    return [(int(row[0]),) for n in ends if (row := view.one("SELECT ts FROM events WHERE n = ?", n))]


def _sentence(one: Assumption, state: State, count: int, about: int, lacks: tuple[Lack, ...]) -> str:
    if state == "untested":
        return f"Untested: nothing happened that it is about ({one.that})."
    if state == "held":
        return f"Held: {one.that}" + (f"; {about:,} times it could have been broken." if about else ".")
    if lacks:
        return f"Broken: {one.that}, and yet: {'; '.join(f'{lack.count:,} {lack.why}' for lack in lacks)}."
    return f"Broken {count:,} times: {one.that}."


def _statement(checked: tuple[Checked, ...], covered: Coverage) -> str:
    broken = [one.assumption.name for one in checked if one.state == "broken"]
    untested = sum(one.state == "untested" for one in checked)
    held = len(checked) - len(broken) - untested
    first = f"{held} of {len(checked)} assumptions are held, {len(broken)} broken, {untested} untested."
    if broken:
        first += f" Broken: {', '.join(broken)}."
    if held and not covered.whole:
        first += f" What is held, is held as far as was seen. {covered.statement}"
    return first
