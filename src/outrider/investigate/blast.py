"""What else is affected? Forward from an event or an agent: who came under the same content, and what they then did.

Two ways forward. The closure follows what can carry: an agent's own context, children born of it, reports that came
back to a parent, files that one wrote and another read, labels that name the event as their origin. The pivot asks the
whole record who else met the same content or place.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.errors import BadInputError
from outrider.events.record import AgentBorn, AnyEvent, Beside, CallResult, LabelsJoined
from outrider.investigate import touched as touching
from outrider.investigate.basis import Basis, basis
from outrider.investigate.carriers import lean, pieces, split
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.words import Line, of
from outrider.store import reading
from outrider.store.fold import SKETCH

if TYPE_CHECKING:
    from outrider.store.view import View

Tie = Literal["origin", "label", "born of it", "report", "file"]

MOST_AGENTS: Final = 500
"""Agents followed, the nearest first."""

MOST_TOUCHING: Final = 5_000
"""Most events of affected agents of which it is looked at what they touched."""

FILE_HOPS: Final = 2
"""Files written and read in a row that are followed where no label says more: beyond, everybody is affected by all."""

MOST_READERS: Final = 100
"""Reads of one written file that are followed, the first ones."""

MOST_PIVOT: Final = 2_000
_COMMON: Final = 0.5
"""Share of an event's fingerprints that another must hold to count as the same content."""

_PLACES: Final = frozenset({"host", "ip", "url", "digest", "email"})
_MAX_PLACES: Final = 16


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that came under it.

    Attributes:
        agent: The agent.
        since: The event from which on it is affected.
        by: How it came there.
        through: The agent that it came from, or empty.
        confidence: ``label`` if a label in its context names the origin, else ``context``: it could have carried.
    """

    agent: reading.Agent
    since: int
    by: Tie
    through: str
    confidence: Literal["label", "context"]


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """An event of any agent that met the same content or place.

    Attributes:
        n: The event.
        agent: Its agent.
        what: ``content`` or the kind of the place.
        value: The place; for content, the share of fingerprints in common.
        role: What was done with the place.
    """

    n: int
    agent: str
    what: str
    value: str
    role: str


class Blast(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        start: The event that it starts from.
        agents: Who came under it, itself first.
        credentials: Secrets and credentials to change: what affected agents read, at any time.
        hosts: Where affected agents connected from then on, where data went first.
        commits: Commits, pushes and packages to look at again.
        files: Files written or deleted from then on.
        met: Who else met the same content or place, whether affected or not.
        truncated: True if a limit was reached: there may be more.
        confidence: The weakest tie among the agents.
        coverage: What could not be seen.
        statement: The answer in a sentence.
        basis: Whether the content can still be read of what it starts from and of who met the same.
    """

    start: Line
    agents: tuple[Affected, ...]
    credentials: tuple[touching.Thing, ...]
    hosts: tuple[touching.Thing, ...]
    commits: tuple[touching.Thing, ...]
    files: tuple[touching.Thing, ...]
    met: tuple[Met, ...]
    truncated: bool
    confidence: str
    coverage: Coverage
    statement: str
    basis: Basis = Basis()


def blast(view: View, start: int | str) -> Blast:
    """Return what else is affected by an event, or by all that an agent did.

    Args:
        view: The view.
        start: Index of an event, or id of an agent (from its birth on).

    Raises:
        BadInputError: There is no such event or agent.
    """
    with view.snapshot():
        event = reading.event(view, _index(view, start))
        origin = event.intent if isinstance(event, CallResult) and event.intent >= 0 else event.n
        agents, truncated = _closure(view, event, {event.n, origin})
        things, left_out = _things(view, agents)
        met = tuple(_met(view, event, origin))
        same = [one.n for one in met if one.what == "content"][:MOST_PIVOT]
        rests = basis(view, [event.n, *same])
        covered = coverage(view)
        shown = of(view, event)
    credentials = tuple(thing for thing in things if touching.is_credential(thing))
    hosts = _pick(things, {"sent", "exposed", "reached", "called"}, {"host", "ip", "url", "email"})
    commits = _pick(things, {"committed", "pushed", "installed", "sent"}, {"commit", "branch", "repo", "package"})
    files = _pick(things, {"wrote", "deleted"}, {"path"})
    return Blast(
        start=shown,
        agents=agents,
        credentials=credentials,
        hosts=hosts,
        commits=commits,
        files=files,
        met=met,
        truncated=truncated or left_out or len(met) >= MOST_PIVOT,
        confidence="context" if any(one.confidence == "context" for one in agents) else "label",
        coverage=covered,
        statement=f"{_statement(agents, (credentials, hosts, commits, files), met)} {rests.statement}".rstrip(),
        basis=rests,
    )


def _statement(
    agents: tuple[Affected, ...], things: tuple[tuple[touching.Thing, ...], ...], met: tuple[Met, ...]
) -> str:
    credentials, hosts, commits, files = things
    kinds = Counter(thing.kind for thing in commits)
    work = ", ".join(_counted(kinds[kind], word) for kind, word in _WORK.items() if kinds[kind]) or "no commit"
    own = sum("/.git/" in thing.value for thing in files)
    same = {one.agent for one in met if one.what == "content"}
    where = {one.agent for one in met if one.what != "content"}
    return (
        f"{_counted(len(agents), 'agent')} came under it; {_counted(len(credentials), 'credential')} to change,"
        f" {_counted(len(hosts), 'host')} reached, {work} to review,"
        f" {_counted(len(files) - own, 'file')} changed{f' (and {own} inside .git)' if own else ''};"
        f" {_counted(len(same), 'agent')} met the same content, {_counted(len(where), 'agent')} the same place."
    )


_WORK: Final = {"commit": "commit", "branch": "branch", "repo": "repository", "package": "package"}


def _counted(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun}"
    return (
        f"{count:,} {noun}es"
        if noun.endswith("ch")
        else f"{count:,} {noun.removesuffix('y')}ies"
        if noun.endswith("y")
        else f"{count:,} {noun}s"
    )


def _index(view: View, start: int | str) -> int:
    if isinstance(start, int):
        return start
    agent = reading.agent(view, start)
    if agent is None:
        raise BadInputError(f"there is no agent {start!r}", fix="`outrider agents` lists them.")
    return agent.born_n


def _closure(view: View, event: AnyEvent, origins: set[int]) -> tuple[tuple[Affected, ...], bool]:
    """Return who came under an event: who carries its label; if it brought none, who could have had it passed on.

    Labels travel with children, reports and files already, so that where there are some, nothing has to be guessed.
    """
    labelled: dict[str, int] = {}
    for origin in origins:
        for agent, n in view.rows("SELECT agent, min(n) FROM labels WHERE origin = ? GROUP BY agent", origin):
            labelled[agent] = min(n, labelled.get(agent, n))
    guess = not labelled
    out: dict[str, Affected] = {}
    waiting: set[str] = set()
    cut = False
    queue: deque[tuple[str, int, Tie, str, int]] = deque()
    if event.agent:
        queue.append((event.agent, event.n, "origin", "", 0))
    queue.extend((agent, n, "label", "", 0) for agent, n in sorted(labelled.items(), key=lambda pair: pair[1]))
    while queue:
        agent_id, since, by, through, hops = queue.popleft()
        known = out.get(agent_id)
        agent = known.agent if known else reading.agent(view, agent_id)
        if agent is None or (known is not None and known.since <= since):
            continue
        if known is None and len(out) >= MOST_AGENTS:
            return _ordered(out, event.agent), True
        sure = by == "origin" or agent_id in labelled
        came = _passed(view, since) if by == "label" else through
        out[agent_id] = Affected(
            agent=agent, since=since, by=by, through=came, confidence="label" if sure else "context"
        )
        queue.extend((*tie, hops) for tie in _family(view, agent, since, reports=guess))
        if guess and hops < FILE_HOPS and not cut:
            for tie in _readers(view, agent, since):
                if len(waiting) > MOST_AGENTS:
                    cut = True  # They come first, and nobody behind them would be followed: readers of no other are.
                    break
                waiting.add(tie[0])
                queue.append((*tie, hops + 1))
    return _ordered(out, event.agent), cut


def _passed(view: View, n: int) -> str:
    """Return from whom an agent has a label since event ``n``, or nothing where nobody passed it on."""
    event = reading.peek(view, n)
    if isinstance(event, LabelsJoined):
        return event.origin_agent
    return event.parent if isinstance(event, AgentBorn) else ""


def _ordered(out: dict[str, Affected], first: str) -> tuple[Affected, ...]:
    return tuple(sorted(out.values(), key=lambda one: (one.agent.id != first, one.since, one.agent.id)))


def _family(view: View, agent: reading.Agent, since: int, *, reports: bool) -> Iterator[tuple[str, int, Tie, str]]:
    """Give the children born from ``since`` on, and the parent once it has the report."""
    for child in reading.agents_by(view, "parent", agent.id):
        if child.born_n > since:
            yield child.id, child.born_n, "born of it", agent.id
    if reports and agent.parent and (agent.ended_n is None or agent.ended_n > since):
        # A report comes back with the result of the call that asked for the agent, or, at the latest, at its end.
        row = view.one(
            "SELECT min(r.dst) FROM causes s JOIN causes r ON r.src = s.src AND r.why = 'returns'"
            " WHERE s.dst = ? AND s.why = 'spawn' AND r.dst > ?",
            agent.born_n, since,
        )  # fmt: skip
        back = row[0] if row and row[0] is not None else agent.ended_n
        if back is not None:
            yield agent.parent, back, "report", agent.id


def _readers(view: View, agent: reading.Agent, since: int) -> Iterator[tuple[str, int, Tie, str]]:
    """Give who read, afterwards, a file that the agent wrote from ``since`` on."""
    written = view.rows(
        "SELECT t.entity, min(t.n) FROM events e JOIN touches t ON t.n = e.n JOIN entities x ON x.id = t.entity"
        " WHERE e.agent = ? AND e.n >= ? AND t.role = 'wrote' AND x.kind = 'path'"
        " AND e.enforced NOT IN ('deny', 'error') GROUP BY t.entity",
        agent.id, since,
    )  # fmt: skip
    for entity, n in written:
        readers = view.rows(
            "SELECT e.agent, min(t.n) FROM (SELECT n FROM touches WHERE entity = ? AND n > ? AND role = 'read'"
            " ORDER BY n LIMIT ?) t JOIN events e ON e.n = t.n WHERE e.agent != ?"
            " AND e.enforced NOT IN ('deny', 'error') GROUP BY e.agent",
            entity, n, MOST_READERS, agent.id,
        )  # fmt: skip
        for reader, at in readers:
            yield reader, at, "file", agent.id


def _things(view: View, agents: Iterable[Affected]) -> tuple[tuple[touching.Thing, ...], bool]:
    """Return what the affected agents touched from then on, and which credentials they had read before.

    The last says whether events were left out, of those who are least affected: credentials never are.
    """
    sums: touching.Sums = {}
    left, left_out = MOST_TOUCHING, False
    for one in agents:
        later = reading.events_of(view, one.agent.id, after=one.since - 1, most=left + 1)
        taken = later[:left]
        touching.gather(view, taken, sums)
        left_out = left_out or len(later) > left
        left -= len(taken)
        touching.secrets(view, one.agent.id, sums, looked=set(taken))
    return touching.things(sums), left_out


def _pick(things: Iterable[touching.Thing], roles: set[str], kinds: set[str]) -> tuple[touching.Thing, ...]:
    return tuple(thing for thing in things if thing.happened and thing.role in roles and thing.kind in kinds)


def _met(view: View, event: AnyEvent, origin: int) -> Iterator[Met]:
    """Give who else met the same content (by fingerprints) or place, up to a limit."""
    seen: set[tuple[int, str]] = set()
    left = MOST_PIVOT
    mine = reading.beside(view, event.n)
    for met in _same_content(view, event.n, mine):
        seen.add((met.n, met.what))
        left -= 1
        yield met
    places: dict[tuple[str, str], None] = {}
    if isinstance(event, AgentBorn):
        return
    for number in (origin, event.n):
        for entity in reading.beside(view, number).entities:
            if entity.kind in _PLACES and (number == origin or entity.role != "mentioned"):
                places[entity.kind, entity.value] = None
    for kind, value in list(places)[:_MAX_PLACES]:
        row = view.one("SELECT id FROM entities WHERE value = ? AND kind = ?", value, kind)
        for touch in reading.touching(view, row[0], left) if row and left > 0 else []:
            if touch.n not in {event.n, origin} and (touch.n, kind) not in seen:
                seen.add((touch.n, kind))
                left -= 1
                yield Met(n=touch.n, agent=touch.agent, what=kind, value=value, role=touch.role)


def _same_content(view: View, n: int, beside: Beside) -> Iterator[Met]:
    prints = split(beside.prints)
    if len(prints) < SKETCH:
        return
    sketch = [int.from_bytes(one, "big", signed=True) for one in sorted(prints)[:SKETCH]]
    marks = ",".join("?" * len(sketch))
    near = view.rows(
        f"SELECT e.n, e.agent FROM (SELECT DISTINCT n FROM sketches WHERE print IN ({marks})"  # noqa: S608
        " AND n != ? ORDER BY n LIMIT ?) t JOIN events e ON e.n = t.n ORDER BY e.n",
        *sketch, n, MOST_PIVOT,
    )  # fmt: skip
    agents = dict(near)
    for other, blob in reading.blobs(view, agents):
        common = len(prints.intersection(pieces(lean(blob).prints))) / len(prints)
        if common >= _COMMON:
            yield Met(n=other, agent=agents[other], what="content", value=f"{common:.2f}", role="read")
