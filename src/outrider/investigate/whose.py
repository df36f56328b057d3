"""Whose hook it was that met no daemon: told by the process that its line in the spool names, and the time of it.

A daemon that takes a spool in names the agent itself while that lives. Of one that has ended since, the record still
knows which process its host was, and when it lived; that is looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from outrider.events.record import AgentResumed, SessionJoined
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

_PROCESS: Final = re.compile(r"\(process ([1-9][0-9]{0,9}), [0-9]+ bytes\)")
_BEFORE: Final = 60_000_000
"""Microseconds before its birth at which a hook can still be an agent's: its first one, which nobody answered."""
_AFTER: Final = 5_000_000
"""The same after its end: its last hooks, of which the daemon may have heard late."""
_MOST_RESUMED: Final = 2_000
"""Sessions that went on in another process that are looked through, the latest ones."""
_CHUNK: Final = 500
_SHOWN: Final = 3


class Lifetime:
    """An agent as far as it is needed here: its id, root, depth in its lineage, birth and end."""

    __slots__ = ("agent", "born", "depth", "ended", "root")

    def __init__(self, agent: str, root: str, depth: int, born: int, ended: int | None) -> None:
        self.agent = agent
        self.root = root
        self.depth = depth
        self.born = born
        self.ended = ended

    def at(self, ts: int) -> bool:
        """Whether it lived at a time."""
        return self.born <= ts and (self.ended is None or ts <= self.ended)

    def near(self, ts: int) -> bool:
        """Whether a time is close enough to its life that a hook of then can be its own."""
        return self.born - _BEFORE <= ts and (self.ended is None or ts <= self.ended + _AFTER)


def process_of(detail: str) -> int:
    """Return the process that the line of a spool names as its hook's host, or 0."""
    found = _PROCESS.search(detail)
    return int(found[1]) if found else 0


def whose(view: View, hooks: Iterable[tuple[int, int, str]]) -> dict[int, tuple[str, str]]:
    """Return, by the event of each gap, the agent whose hook it was (or empty), and how that is known, in words.

    Args:
        view: The view.
        hooks: Of each gap its event, its time in microseconds since 1970 UTC, and its detail.
    """
    asked = [(n, ts, process_of(detail)) for n, ts, detail in hooks]
    lives = _lives(view, sorted({pid for _, _, pid in asked if pid}))
    return {n: _told(pid, ts, lives.get(pid, ())) for n, ts, pid in asked}


def _lives(view: View, pids: list[int]) -> dict[int, list[Lifetime]]:
    found: dict[int, list[Lifetime]] = {}
    for at in range(0, len(pids), _CHUNK):
        chunk = pids[at : at + _CHUNK]
        marks = ",".join("?" * len(chunk))
        rows = view.rows(
            f"SELECT pid, id, root, depth, ts, ended_ts FROM agents WHERE pid IN ({marks}) ORDER BY n",  # noqa: S608
            *chunk,
        )
        for pid, *facts in rows:
            found.setdefault(pid, []).append(Lifetime(*facts))
    for pid, life in _resumed(view, set(pids)) if pids else ():
        found.setdefault(pid, []).append(life)
    return found


def _resumed(view: View, pids: set[int]) -> Iterator[tuple[int, Lifetime]]:
    """Give the sessions that went on in another process, or joined an agent, from then on."""
    numbers = [n for kind in ("agent.resumed", "agent.joined") for n in reading.of_kind(view, kind)[-_MOST_RESUMED:]]
    for event in reading.leaves(view, numbers):
        if isinstance(event, AgentResumed | SessionJoined) and event.attested.pid in pids:
            agent = reading.agent(view, event.agent)
            if agent is not None:
                life = Lifetime(agent.id, agent.root, agent.depth, event.ts, agent.ended_ts)
                yield event.attested.pid, life


def _told(pid: int, ts: int, lives: Iterable[Lifetime]) -> tuple[str, str]:
    if not pid:
        return "", "whose cannot be told: its line names no process"
    known = tuple(lives)
    then = [one for one in known if one.at(ts)]
    around = then or [one for one in known if one.near(ts)]
    if not around:
        return "", f"whose cannot be told: no agent of this record had the process {pid} then"
    first = min(around, key=lambda one: one.depth)
    if any(one.root != first.root for one in around) or sum(one.depth == first.depth for one in around) > 1:
        names = ", ".join(one.agent for one in around[:_SHOWN])
        more = f" and {len(around) - _SHOWN} more" if len(around) > _SHOWN else ""
        return "", f"one of {names}{more}, whose host was the process {pid} then"
    when = "" if then else ", shortly before its birth" if ts < first.born else ", just after its end"
    below = len(around) - 1
    several = f" (or one of the {below:,} below it in the same process)" if below else ""
    return first.agent, f"of {first.agent}{several}: the process {pid} was its host's{when}"
