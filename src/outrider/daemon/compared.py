"""The standing proof of coverage: the transcripts of living agents' sessions, held against what was decided.

Every few minutes, beside everything else, in a thread. A call that a transcript tells of and that was never asked about
becomes a gap of its agent, once. Only calls since the daemon's start are looked at: `outrider coverage --diff` looks at
all of them.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from outrider.errors import OutriderError
from outrider.events.record import RecordGap
from outrider.investigate.ungoverned import Diff, calls, compare
from outrider.store.view import View
from outrider.transcripts.registry import FORMATS, steps

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

EVERY: Final = 300.0
"""Seconds between two looks."""

SETTLED_US: Final = 30_000_000
"""A call that is younger may still be on its way into the view."""

LARGEST: Final = 64 << 20
"""Bytes of a transcript that is still read each time it has changed."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LOGGED = "%d calls of agent %s went past us, says its transcript"


class Compared:
    """Compares until cancelled."""

    def __init__(self, parts: Parts, doors: frozenset[str]) -> None:
        self._parts = parts
        self._doors = doors
        self._started = parts.scribe.now()
        self._told: set[tuple[str, str]] = set()
        self._seen: dict[Path, tuple[int, int]] = {}

    async def run(self) -> None:
        """Look every :data:`EVERY` seconds."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once()
            except (OutriderError, OSError, sqlite3.Error):
                log.exception("transcripts could not be compared, and will be again")

    async def once(self) -> None:
        """Look once, and record what went past us."""
        agents = [one for one in self._parts.state.registry.living() if not one.host_agent and one.home]
        found = [await asyncio.to_thread(self._look, one) for one in agents]
        for agent, diff in zip(agents, found, strict=True):
            if diff is not None:
                self._record(agent, diff)

    def _look(self, agent: Agent) -> Diff | None:
        form = next((one for one in FORMATS.values() if one.door == agent.door), None)
        if form is None or not self._parts.home.view.exists():
            return None
        place = Path(agent.home) / form.where.removeprefix("~/").rstrip("/")
        main = next(iter(place.glob(f"*/{agent.session}.jsonl")), None) if _NAME.fullmatch(agent.session) else None
        if main is None:
            return None
        facts = main.stat()
        now = (facts.st_size, facts.st_mtime_ns)
        if self._seen.get(main) == now or facts.st_size > LARGEST or not stat.S_ISREG(facts.st_mode):
            return None
        rows = ((str(path), step) for path, step in steps(form, (main, *form.also(main))))
        with View(self._parts.home.view, write=False) as view:
            until = int(view.meta("last_ts", 0)) - SETTLED_US
            told = (one for one in calls(agent.door, rows) if one is None or (one.ran and one.ts < until))
            diff = compare(view, told, doors=self._doors, since=self._started)
        if facts.st_mtime_ns // 1000 < until:  # Else some of it was too young to be looked at.
            self._seen[main] = now
        return diff

    def _record(self, agent: Agent, diff: Diff) -> None:
        fresh = [one for one in diff.ungoverned if (agent.id, one.done.call) not in self._told]
        if not fresh:
            return
        self._told |= {(agent.id, one.done.call) for one in fresh}
        names = Counter(one.done.name for one in fresh)
        log.warning(_LOGGED, len(fresh), agent.id)
        self._parts.scribe.write(
            RecordGap,
            agent=agent.id,
            seal=True,
            what="ungoverned",
            count=len(fresh),
            since=min(one.done.ts for one in fresh),
            until=max(one.done.ts for one in fresh),
            detail=", ".join(f"{count} {name[:40]}" for name, count in names.most_common(8)),
            door=agent.door,
        )
