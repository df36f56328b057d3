"""Ends a process and everything below it, named by pid and start time: a pid that changed hands is let live."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from outrider.identity import process

_ROUNDS = 16
"""Looks for processes that were started while the others were being stopped."""


def end_tree(pid: int, start: int) -> tuple[int, ...]:
    """Kill the process that had ``pid`` and started at ``start`` (clock ticks), and all that descends from it.

    All are stopped first, so that none can start another meanwhile. A process that cut its ancestry before is not
    found. Returns the pids that were ended; nothing if that process is gone.
    """
    if not process.alive(pid, start) or pid in {0, 1, os.getpid()}:
        return ()
    held: dict[int, int] = {}
    _signal(pid, start, signal.SIGSTOP)
    held[pid] = start
    for _ in range(_ROUNDS):
        fresh = {one: begun for one, begun in _below(pid).items() if one not in held and one != os.getpid()}
        if not fresh:
            break
        for one, begun in fresh.items():
            _signal(one, begun, signal.SIGSTOP)
        held |= fresh
    return tuple(one for one, begun in held.items() if _signal(one, begun, signal.SIGKILL))


def _below(top: int) -> dict[int, int]:
    """Return the processes below ``top``, pid to start time."""
    parents: dict[int, list[process.ProcessFacts]] = {}
    for entry in Path(process.PROC).iterdir():
        facts = process.read(int(entry.name)) if entry.name.isdigit() else None
        if facts is not None:
            parents.setdefault(facts.ppid, []).append(facts)
    found: dict[int, int] = {}
    waiting = [top]
    while waiting:
        for facts in parents.get(waiting.pop(), ()):
            if facts.pid not in found:
                found[facts.pid] = facts.start
                waiting.append(facts.pid)
    return found


def _signal(pid: int, start: int, number: signal.Signals) -> bool:
    """Send a signal to exactly that process; tell whether it was there."""
    fd = process.watch(pid)
    try:
        if not process.alive(pid, start):
            return False
        with contextlib.suppress(OSError):
            if fd is None:
                os.kill(pid, number)
            else:
                signal.pidfd_send_signal(fd, number)
            return True
        return False
    finally:
        if fd is not None:
            os.close(fd)
