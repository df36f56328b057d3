"""What the daemon does between calls: ends that nobody told of, the spool, heartbeats, the snapshot."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from outrider.errors import OutriderError
from outrider.events.record import Heartbeat, RecordGap
from outrider.gate import snapshot
from outrider.identity import ends, process

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts

log = logging.getLogger("outrider.daemon")

LOOK = 1.0
"""Seconds between two looks at what may have ended."""

HEARTBEAT_US = 60_000_000
SNAPSHOT_EVENTS = 5_000
SNAPSHOT = "state.snapshot"
_MOST_SPOOL = 16 * 1024 * 1024


class SpoolLine(msgspec.Struct):
    """One line that a hook client left because nobody answered it; it never holds any of the call's text."""

    ts: int = 0
    door: str = ""
    event: str = ""
    answered: str = ""
    why: str = ""
    ppid: int = 0
    bytes: int = 0


class Chores:
    """Runs until cancelled; a chore that fails is told in the log and tried again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._boot = process.boot_id()
        self._snapped = 0

    async def run(self) -> None:
        """Look after things, once every :data:`LOOK` seconds."""
        while True:
            try:
                self.once()
            except (OutriderError, OSError):
                log.exception("a chore failed and will be tried again")
            await asyncio.sleep(LOOK)

    def once(self) -> None:
        """Do every chore that is due."""
        parts = self._parts
        registry = parts.state.registry
        for end in (*ends.gone(registry, boot=self._boot), *ends.expired(registry, now=parts.scribe.now())):
            parts.enrolment.end(end.agent, end.how, end.detail)
        self.import_spool()
        parts.charters.refresh()
        if parts.scribe.now() - parts.state.last_ts > HEARTBEAT_US:
            parts.scribe.write(Heartbeat, living=len(registry.living()))
        if parts.ledger.size - self._snapped >= SNAPSHOT_EVENTS:
            self.snapshot()

    def snapshot(self) -> None:
        """Save the state as it is after the last event."""
        try:
            snapshot.save(self._parts.home.record / SNAPSHOT, self._parts.state, self._parts.ledger)
        except OSError as error:
            log.warning("the state could not be saved: %s", error)
        self._snapped = self._parts.ledger.size

    def import_spool(self) -> int:
        """Turn every line that hook clients left into a ``record.gap``; return how many.

        The file is taken aside first, so that a client that writes meanwhile makes a new one; it is deleted once its
        gaps are durable, and found again if we die in between.
        """
        parts = self._parts
        taken = parts.home.spool.with_suffix(".taken")
        if not taken.exists():
            try:
                if parts.home.spool.stat().st_size == 0:
                    return 0
                parts.home.spool.rename(taken)
            except FileNotFoundError:
                return 0
        data = taken.read_bytes()[:_MOST_SPOOL]
        lines = [line for line in data.split(b"\n") if line.strip()]
        for raw in lines:
            self._gap(raw)
        parts.ledger.commit()
        taken.unlink()
        return len(lines)

    def _gap(self, raw: bytes) -> None:
        try:
            line = msgspec.json.decode(raw, type=SpoolLine)
        except (msgspec.DecodeError, UnicodeDecodeError):
            line = SpoolLine(event="unreadable", why="the line could not be read")
        agent = self._agent(line.ppid)
        self._parts.scribe.write(
            RecordGap,
            agent=agent,
            told_by=f"spool:{line.door[:40]}",
            lost=1,
            seal=True,
            what="spool",
            count=1,
            since=max(line.ts, 0),
            until=max(line.ts, 0),
            answered=line.answered[:16],
            detail=f"{line.event[:40]}: {line.why[:60]} (process {line.ppid}, {line.bytes} bytes)",
        )

    def _agent(self, ppid: int) -> str:
        """Return the living agent whose host process left the line, as far as that can be told."""
        facts = process.read(ppid) if ppid else None
        found = self._parts.state.registry.find_process(facts.pid, facts.start) if facts else ()
        return found[-1].id if found else ""


def home_is_there(parts: Parts, inode: int) -> bool:
    """Tell whether the socket that we listen on is still the one that clients would find."""
    try:
        return parts.home.socket.stat().st_ino == inode
    except OSError:
        return False
