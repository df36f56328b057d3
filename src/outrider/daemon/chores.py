"""What the daemon does between calls: ends and time-outs that nobody told of, the spool, heartbeats, snapshot, rest."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from outrider.daemon.levers import end_revoked
from outrider.daemon.spool import import_spool
from outrider.errors import OutriderError
from outrider.events.record import AskTimedOut, Heartbeat
from outrider.gate import snapshot
from outrider.identity import ends, process

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.daemon.wiring import Parts

log = logging.getLogger("outrider.daemon")

LOOK = 1.0
"""Seconds between two looks at what may have ended."""

SNAPSHOT_EVENTS = 5_000
SNAPSHOT = snapshot.NAME


class Chores:
    """Runs until cancelled; a chore that fails is told in the log and tried again.

    Silence and idleness are measured on the monotonic clock: a wall clock that jumps must not stop a heartbeat.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        stop: Callable[[str], None] = lambda _why: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look after the parts of a daemon.

        Args:
            parts: What it holds.
            stop: Ends it.
            clock: Seconds; only differences count.
        """
        self._parts = parts
        self._stop = stop
        self._clock = clock
        self._boot = process.boot_id()
        self._snapped = 0
        self._warmed = False
        self._size = parts.ledger.size
        self._spoke = self._busy = clock()

    async def run(self) -> None:
        """Look after things, once every :data:`LOOK` seconds."""
        while True:
            try:
                self.once()
                await self._parts.ledger.durable(self._parts.ledger.size - 1)
            except (OutriderError, OSError):
                log.exception("a chore failed and will be tried again")
            await asyncio.sleep(LOOK)

    def once(self) -> None:
        """Do every chore that is due."""
        parts = self._parts
        if not self._warmed:
            self._warmed = True
            parts.workers.warm()
        registry = parts.state.registry
        for end in (*ends.gone(registry, boot=self._boot), *ends.expired(registry, now=parts.scribe.now())):
            parts.enrolment.end(end.agent, end.how, end.detail)
        for question, unused in parts.state.asks.out_of_time(parts.scribe.now()):
            parts.scribe.write(AskTimedOut, agent=question.agent, question=question.n, unused=unused)
        end_revoked(parts)  # What a crash between a revocation and its ends left alive.
        import_spool(parts)
        parts.enrolment.attest_late()
        parts.charters.refresh()
        if parts.facts.refresh():
            parts.gate.take_names(parts.facts.facts)
        self._speak(len(registry.living()))
        if parts.ledger.size - self._snapped >= SNAPSHOT_EVENTS:
            self.snapshot()

    def _speak(self, living: int) -> None:
        """Say that we live after a while of silence; end after a while without an agent, where that is configured."""
        now, parts = self._clock(), self._parts
        if parts.ledger.size != self._size:
            self._spoke = self._busy = now
        if living:
            self._busy = now
        if now - self._spoke >= parts.config.daemon.heartbeat:
            parts.scribe.write(Heartbeat, living=living)
            self._spoke = now
        self._size = parts.ledger.size
        if parts.config.daemon.idle and now - self._busy >= parts.config.daemon.idle:
            self._stop(f"no agent for {parts.config.daemon.idle} s")

    def snapshot(self) -> None:
        """Save the state as it is after the last event."""
        try:
            snapshot.save(self._parts.home.record / SNAPSHOT, self._parts.state, self._parts.ledger)
        except OSError as error:
            log.warning("the state could not be saved: %s", error)
        self._snapped = self._parts.ledger.size


def home_is_there(parts: Parts, inode: int) -> bool:
    """Tell whether the socket that we listen on is still the one that clients would find."""
    try:
        return parts.home.socket.stat().st_ino == inode
    except OSError:
        return False
