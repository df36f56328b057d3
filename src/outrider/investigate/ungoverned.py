"""What hosts themselves say was done, held against what was decided: calls that nobody asked us about.

Hosts' own transcripts and their OpenTelemetry are somebody else's word about the same calls. A call of theirs that the
record does not hold went past us; one that was refused and ran shows a host that did not obey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.investigate.coverage import Coverage, coverage, gaps_of

if TYPE_CHECKING:
    from outrider.store.view import View
    from outrider.transcripts.step import Step

MOST: Final = 1_000
"""Most ungoverned calls that are listed one by one; the counts are always whole."""

Why = Literal["no-door", "no-session", "no-daemon", "not-asked"]
WORDS: Final[dict[str, str]] = {
    "no-door": "Outrider has no door for this host",
    "no-session": "nothing of its session ever came through the door: its hooks were off or not installed",
    "no-daemon": "no daemon ran then",
    "not-asked": "its session is known, and this call was never asked about",
}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A call as a host tells it.

    Attributes:
        door: Door of the host.
        session: The host's session.
        host_agent: The host's id of the sub-agent, or empty.
        call: The host's id of the call, or empty.
        name: The tool's name.
        ts: Microseconds since 1970 UTC, 0 if the host wrote no time.
        where: File and line that say so.
        ran: Whether it succeeded; None where no result is told.
    """

    door: str
    session: str
    host_agent: str
    call: str
    name: str
    ts: int
    where: str
    ran: bool | None


class Ungoverned(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a host tells of and that was never decided.

    Attributes:
        done: The call.
        agent: Id of the agent whose session it was, or empty.
        why: See :data:`WORDS`.
    """

    done: Done
    agent: str
    why: Why


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        compared: Calls that hosts tell of since the record began.
        governed: Of these, calls that were decided.
        before: Calls from before the record began, which it cannot hold.
        unread: Lines that could not be read: what they tell of is not compared.
        ungoverned: Calls that were not decided, at most a thousand.
        ran: How many of these are told to have succeeded.
        counts: Door to why to how many.
        agents: Agent, or session of a door where none is known, to how many.
        despite: Events of calls that were refused and that the host tells ran.
        coverage: What the record covers.
        statement: The answer in sentences.
    """

    compared: int
    governed: int
    before: int
    unread: int
    ungoverned: tuple[Ungoverned, ...]
    ran: int
    counts: dict[str, dict[str, int]]
    agents: dict[str, int]
    despite: tuple[int, ...]
    coverage: Coverage
    statement: str


def calls(door: str, steps: Iterable[tuple[str, Step]]) -> Iterator[Done | None]:
    """Yield the calls of some steps, each once its result is known or the end has come; None for what is unread.

    Args:
        door: Door of the host that wrote them.
        steps: Each with the file that it stands in.
    """
    open_calls: dict[tuple[str, str], Done] = {}
    for where, step in steps:
        if step.what == "unread":
            yield None
        elif step.what == "call":
            done = Done(
                door=door, session=step.session, host_agent=step.agent, call=step.id, name=step.name, ts=step.ts,
                where=f"{where}:{step.line}", ran=None,
            )  # fmt: skip
            if old := open_calls.pop((step.session, step.id), None):
                yield old
            open_calls[step.session, step.id] = done
        elif step.what == "result" and (found := open_calls.pop((step.session, step.id), None)):
            yield msgspec.structs.replace(found, ran=step.ok)
    yield from open_calls.values()


def compare(view: View, told: Iterable[Done | None], *, doors: frozenset[str], since: int = 0) -> Diff:
    """Return which of the calls that hosts tell of were never decided.

    Args:
        view: The view, caught up by the caller.
        told: From :func:`calls`.
        doors: Names of the doors that there are.
        since: Microseconds since 1970 UTC; earlier calls are left out, those without a time are not.
    """
    with view.snapshot():
        first = view.one("SELECT ts FROM events ORDER BY n LIMIT 1")
        began = int(first[0]) if first else 1 << 62
        away = [(gap.since, gap.until) for gap in gaps_of(view) if gap.what in {"down", "killed", "silent"}]
        look = _Look(view, doors, away)
        compared = governed = before = unread = ran = 0
        seen: set[int] = set()
        listed: list[Ungoverned] = []
        despite: list[int] = []
        counts: dict[str, Counter[str]] = {}
        agents: Counter[str] = Counter()
        for done in told:
            if done is None:
                unread += 1
                continue
            if done.call and _again(done, seen):
                continue
            if done.ts and done.ts < max(since, began):
                before += done.ts < began
                continue
            compared += 1
            decided = look.decided(done)
            if decided is not None:
                governed += 1
                n, enforced = decided
                if done.ran and enforced in {"deny", "error"}:
                    despite.append(n)
                continue
            agent = look.agent(done)
            why = look.why(done)
            counts.setdefault(done.door, Counter())[why] += 1
            agents[agent or f"{done.door}:{done.session}"] += 1
            ran += done.ran is True
            if len(listed) < MOST:
                listed.append(Ungoverned(done=done, agent=agent, why=why))
        return Diff(
            compared=compared, governed=governed, before=before, unread=unread, ungoverned=tuple(listed), ran=ran,
            counts={door: dict(of) for door, of in sorted(counts.items())}, agents=dict(agents.most_common()),
            despite=tuple(despite), coverage=coverage(view),
            statement=_statement(compared, governed, before, unread, ran, counts, despite),
        )  # fmt: skip


def _again(done: Done, seen: set[int]) -> bool:
    """Whether another file told of the same call already; a transcript and telemetry often do."""
    mark = hash((done.door, done.session, done.call))
    known = mark in seen
    seen.add(mark)
    return known


class _Look:
    """Looks calls up in the view."""

    def __init__(self, view: View, doors: frozenset[str], away: list[tuple[int, int]]) -> None:
        self._view = view
        self._doors = doors
        self._away = away
        self._sessions: dict[tuple[str, str], bool] = {}

    def decided(self, done: Done) -> tuple[int, str] | None:
        """Return the decision about a call: its index and what was enforced."""
        if not done.call or done.door not in self._doors:
            return None
        row = self._view.one(
            "SELECT e.n, e.enforced FROM events e JOIN agents a ON a.id = e.agent"
            " WHERE e.call = ? AND e.call != '' AND e.kind = 'call.decided' AND a.door = ? ORDER BY e.n DESC LIMIT 1",
            done.call[:200],
            done.door,
        )
        return (int(row[0]), str(row[1])) if row else None

    def agent(self, done: Done) -> str:
        row = self._view.one(
            "SELECT id FROM agents WHERE session = ? AND door = ? ORDER BY host_agent != ?, n LIMIT 1",
            done.session,
            done.door,
            done.host_agent,
        )
        return str(row[0]) if row else ""

    def why(self, done: Done) -> Why:
        if done.door not in self._doors:
            return "no-door"
        key = (done.door, done.session)
        if key not in self._sessions:
            known = self._view.one("SELECT 1 FROM sources WHERE id = ?", f"{done.door}:{done.session}"[:200])
            self._sessions[key] = known is not None or bool(self.agent(done))
        if not self._sessions[key]:
            return "no-session"
        return "no-daemon" if any(start <= done.ts <= end for start, end in self._away) else "not-asked"


def _statement(
    compared: int,
    governed: int,
    before: int,
    unread: int,
    ran: int,
    counts: dict[str, Counter[str]],
    despite: list[int],
) -> str:
    if not compared:
        parts = ["No call was told of since the record began."]
    elif governed == compared:
        parts = [f"All {compared:,} calls that hosts tell of were decided."]
    else:
        first = f"Of {compared:,} calls that hosts tell of, {compared - governed:,} were never decided"
        parts = [f"{first}; {ran:,} of these are told to have succeeded."]
        parts += [
            f"Through {door or 'an unknown host'}: {count:,} because {WORDS[why]}."
            for door, of in sorted(counts.items())
            for why, count in of.most_common()
        ]
    if despite:
        parts.append(f"{len(despite):,} calls were refused and ran all the same.")
    if before:
        parts.append(f"{before:,} calls are older than the record.")
    if unread:
        parts.append(f"{unread:,} lines could not be read, and what they tell of is not compared.")
    return " ".join(parts)
