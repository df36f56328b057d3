"""What the sensor in the kernel adds: to what is followed, and to everybody else."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.launching import PROGRAMS, STARTS
from bench.measure import Row, spread

from outrider.confine import told
from outrider.confine.sensor import build, cannot, lacking, probe
from outrider.identity import process

CALLS = 2_000_000
EMPTY = f"import os\ncall = os.getppid\nfor _ in range({CALLS}): call()"
"""Nothing but system calls that the sensor passes over: the most that it can cost who is not followed."""


@contextlib.contextmanager
def _sensor(program: Path, follows: int) -> Iterator[None]:
    """Let the sensor listen and follow a process, 0 for none, with somebody who takes what it tells."""
    here, there = socket.socketpair()
    with here, subprocess.Popen([program, "--uid", str(os.getuid())], stdin=there, stdout=there) as running:
        there.close()
        here.recv(1 << 16)  # It is there.
        if follows:
            facts = process.read(follows)
            here.sendall(told.pack(told.ANSWERED, [("follow", f"{facts.pid}.{facts.start}"), ("follow", "1.0")]))
            while b"not=1" not in here.recv(1 << 16):
                continue

        def take() -> None:
            with contextlib.suppress(OSError):
                while here.recv(1 << 16):
                    continue

        taking = threading.Thread(target=take)
        taking.start()
        try:
            yield
        finally:
            here.shutdown(socket.SHUT_RDWR)
            taking.join()
            running.wait()


def _beside(program: Path, name: str, argv: Sequence[str], turns: int, *, followed: bool) -> Row:
    """Measure a command with the sensor and without, alternately, in milliseconds."""
    alone, heard = [], []
    for turn in range(turns + 1):
        for spent, how in (
            (alone, contextlib.nullcontext()),
            (heard, _sensor(program, os.getpid() if followed else 0)),
        ):
            with how:
                began = time.perf_counter_ns()
                subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
                if turn:  # The first warms.
                    spent.append(time.perf_counter_ns() - began)
    before = spread(alone, "ms")["p50"]
    row = Row(name, "ms", spread(heard, "ms"), "the same without a sensor", before)
    row.notes = f"{row.main / before:.2f} times as long"
    return row


def sensing(turns: int) -> list[Row]:
    """Measure programs that are started, followed and not, and system calls of who is not followed."""
    if os.geteuid() or (why := cannot() or lacking()):
        raise SystemExit(f"the sensor cannot be measured: {'only root can' if os.geteuid() else why}")
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as name:
        program = Path(name) / "outrider-sensor"
        build(program)
        if why := probe(program):
            raise SystemExit(f"this kernel takes no sensor: {why}")
        starts, few = ["/bin/sh", "-c", STARTS], max(5, turns // 10)
        rows = [
            _beside(program, f"the sensor, {PROGRAMS} programs that it follows", starts, few, followed=True),
            _beside(program, f"the sensor, {PROGRAMS} programs that it does not follow", starts, few, followed=False),
        ]
        calls = ["/usr/bin/env", "python3", "-S", "-c", EMPTY]
        rows.append(_beside(program, f"the sensor, {CALLS:,} system calls not followed", calls, few, followed=False))
    for row, count, what in zip(rows, (PROGRAMS, PROGRAMS, CALLS), ("a program", "a program", "a call"), strict=True):
        row.notes += f"; {(row.main - row.beside) * 1_000_000 / count:,.0f} ns {what}"
    return rows
