"""The lines that hook clients left because nobody answered them, each turned into one ``record.gap``, once.

A spool is taken aside under a name of its own before it is read, so that a client that writes meanwhile makes a new
one. Its gaps count for a source of that name: how many of its lines are in the record is read from the record, so
that a daemon which dies half way goes on where it was.
"""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING

import msgspec

from outrider.detect.redact import redact
from outrider.events.codec import MAX_INT
from outrider.events.record import RecordGap
from outrider.identity import process

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.daemon.wiring import Parts

MOST = 500
"""Lines taken at one go, so that nobody waits for a long spool."""

_ANSWERED = frozenset({"deny", "ask", "allow", "none"})


class SpoolLine(msgspec.Struct):
    """One line that a hook client left because nobody answered it; it never holds any of the call's text."""

    ts: int = 0
    door: str = ""
    event: str = ""
    answered: str = ""
    why: str = ""
    ppid: int = 0
    bytes: int = 0


def import_spool(parts: Parts) -> int:
    """Turn up to :data:`MOST` lines into gaps; return how many. What is imported whole is deleted.

    Raises:
        OSError: The spool cannot be read or taken aside; nothing is lost by it.
        RecordError: The record cannot be written.
    """
    _take_aside(parts.home.spool)
    for taken in sorted(parts.home.run.glob("spool-*.taken")):
        done = _import(parts, taken)
        if done:
            return done
    return 0


def _take_aside(spool: Path) -> None:
    try:
        facts = spool.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISREG(facts.st_mode) and facts.st_size:
        spool.rename(spool.with_name(f"spool-{time.time_ns():x}.taken"))


def _import(parts: Parts, taken: Path) -> int:
    data = taken.read_bytes()
    lines = [line for line in data.split(b"\n") if line.strip()]
    source = taken.name.removesuffix(".taken")
    start = parts.state.sources.get(source, (-1, ""))[0] + 1
    fresh = lines[start : start + MOST]
    for raw in fresh:
        _gap(parts, raw, source)
    if start + len(fresh) >= len(lines):
        parts.ledger.commit()
        if taken.stat().st_size == len(data):  # Else a client had it open; its line comes next time.
            taken.unlink()
    return len(fresh)


def _gap(parts: Parts, raw: bytes, source: str) -> None:
    try:
        line = msgspec.json.decode(raw, type=SpoolLine)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        line = SpoolLine(event="unreadable", why="the line could not be read")
    detail = f"{line.door}, {line.event}: {line.why} (process {line.ppid}, {line.bytes} bytes)"
    at = min(max(line.ts, 0), MAX_INT)
    parts.scribe.write(
        RecordGap,
        agent=_agent(parts, line.ppid),
        told_by=source,
        lost=1,
        seal=True,
        what="spool",
        count=1,
        since=at,
        until=at,
        answered=line.answered if line.answered in _ANSWERED else "",
        detail=redact(detail, parts.scribe.key)[:200],
        door=line.door[:40],
    )


def _agent(parts: Parts, ppid: int) -> str:
    """Return the living agent whose host process left the line, as far as that can be told."""
    facts = process.read(ppid) if ppid > 0 else None
    found = parts.state.registry.find_process(facts.pid, facts.start) if facts else ()
    return found[-1].id if found else ""
