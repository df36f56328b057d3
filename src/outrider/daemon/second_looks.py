"""The queue of second looks: one scanner runs at a time, and no answer ever waits for it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from outrider.daemon import scanners
from outrider.detect.code.scan import MAX_TEXT
from outrider.detect.code.second_look import Asked, Reported
from outrider.errors import OutriderError
from outrider.events.record import SecondLook
from outrider.gate.clean import abbreviate, cut
from outrider.gate.gather import gather
from outrider.gate.study import day, listed

if TYPE_CHECKING:
    from outrider.config import SecondLooks as Wanted
    from outrider.daemon.scanners import Scanner
    from outrider.gate.scribe import Scribe
    from outrider.gate.second_looks import Passed

log = logging.getLogger("outrider.daemon")

FULL: Final = "too many writes were waiting"
ENDED: Final = "the daemon ended first"
_NOT_YET: Final = "it has not shown yet that it sees anything"


class SecondLooks:
    """Takes writes, and records what scanners say of them.

    Attributes:
        problems: Why a scanner's word does not count, by its name; empty for one that has found its canary.
    """

    def __init__(self, wanted: Wanted, scribe: Scribe) -> None:
        self._scanners = scanners.scanners(wanted)
        self._scribe = scribe
        self._queue: asyncio.Queue[tuple[Scanner, Passed]] = asyncio.Queue(wanted.queue)
        self._now: tuple[Scanner, Passed] | None = None
        self.problems: dict[str, str] = {one.name: one.lacks or _NOT_YET for one in self._scanners}

    @property
    def wanted(self) -> bool:
        """Whether there is any scanner to run."""
        return bool(self._scanners)

    def take(self, one: Passed) -> None:
        """Let a text that was let through be looked at, as soon as its turn comes.

        Raises:
            RecordError: That it will not be looked at cannot be recorded.
        """
        for scanner in self._scanners:
            if not scanner.looks_at(one.path, one.text):
                continue
            if len(one.text) > MAX_TEXT:
                self._record(scanner, one, Reported(problem=scanners.TOO_LARGE))
            elif self._queue.full():
                self._record(scanner, one, Reported(problem=FULL))
            else:
                self._queue.put_nowait((scanner, one))

    def stop(self) -> None:
        """Record what will not be looked at any more: this daemon ends.

        Raises:
            RecordError: It cannot be recorded.
        """
        if self._now is not None:
            self._record(*self._now, Reported(problem=ENDED))
        while not self._queue.empty():
            self._record(*self._queue.get_nowait(), Reported(problem=ENDED))

    async def run(self) -> None:
        """Let each scanner find its canary, then look at what waits, until cancelled."""
        for scanner in self._scanners:
            self.problems[scanner.name] = await scanners.canary(scanner)
        while True:
            scanner, one = self._now = await self._queue.get()
            try:
                seen = await self._look(scanner, one)
                self._now = None
                await self._scribe.durable(self._record(scanner, one, seen))
            except (OutriderError, OSError):
                log.exception("a second look could not be had or recorded")

    async def _look(self, scanner: Scanner, one: Passed) -> Reported:
        if problem := self.problems[scanner.name]:
            return Reported(problem=problem)
        if not one.whole:
            return Reported(problem=scanners.FRAGMENT)
        within = one.repo and one.path.startswith(f"{one.repo}/")
        asked = Asked(
            text=one.text,
            path=one.path,
            where=one.where,
            added=one.added,
            said=one.said,
            today=day(self._scribe.now()),
            listing=listed(one.repo, gather),
            inside=one.path[len(one.repo) + 1 :] if within else "",
        )
        return await scanners.scan(scanner, asked)

    def _record(self, scanner: Scanner, one: Passed, seen: Reported) -> SecondLook:
        key = self._scribe.key
        return self._scribe.write(
            SecondLook,
            agent=one.agent,
            intent=one.intent,
            scanner=scanner.name,
            path=cut(abbreviate(one.path, one.home), 4096, key),
            findings=seen.findings,
            unlooked=cut(seen.problem, 200, key),
        )
