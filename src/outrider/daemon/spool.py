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

from outrider.daemon.users import is_shared, open_spool
from outrider.detect.redact import redact
from outrider.events.codec import MAX_INT
from outrider.events.record import RecordGap
from outrider.identity import process

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.daemon.wiring import Parts

MOST = 500
"""Lines taken at one go, so that nobody waits for a long spool."""

MOST_BYTES = 4 << 20
"""Bytes of one spool that are read: some 20,000 lines."""

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
    _take_aside(parts)
    for taken in sorted(parts.home.run.glob("spool-*.taken")):
        done = _import(parts, taken)
        if done:
            return done
    return 0


def _take_aside(parts: Parts) -> None:
    home, spool = parts.home, parts.home.spool
    try:
        facts = spool.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(facts.st_mode) or not facts.st_size:
        return
    at = time.time_ns()
    # A clock that was set back names a time anew, and a name that was used stands for lines that were read.
    while (taken := spool.with_name(f"spool-{at:x}.taken")).exists() or parts.state.sources.count(taken.stem):
        at += 1
    if not is_shared(home):
        spool.rename(taken)
        return
    # Other users' hooks may not make a spool, so that there must always be one: a new one takes its place in one step.
    taken.hardlink_to(spool)
    fresh = spool.with_name("spool.new")
    fresh.unlink(missing_ok=True)
    open_spool(fresh)
    fresh.rename(spool)


def _import(parts: Parts, taken: Path) -> int:
    data, size = _read(taken)
    lines = [line for line in data.split(b"\n") if line.strip()]
    if size > len(data):  # Whoever may write there may fill it.
        lines[-1:] = [msgspec.json.encode(SpoolLine(event="spool", why=f"{size - len(data)} bytes more were not read"))]
    source = taken.name.removesuffix(".taken")
    start = parts.state.sources.count(source)
    fresh = lines[start : start + MOST]
    for raw in fresh:
        _gap(parts, raw, source)
    if start + len(fresh) >= len(lines):
        parts.ledger.commit()
        if taken.stat().st_size == size:  # Else a client had it open; its line comes next time.
            taken.unlink()
    return len(fresh)


def _read(taken: Path) -> tuple[bytes, int]:
    """Return the first :data:`MOST_BYTES` of a spool, and how long it is."""
    with taken.open("rb") as file:
        data = file.read(MOST_BYTES)
        size = file.seek(0, 2)
    return data, max(size, len(data))


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
