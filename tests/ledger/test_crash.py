"""Writers killed at moments nobody chose: nothing that they acknowledged is lost, and every state verifies.

``OUTRIDER_KILLS`` says how often (100 by default); ``make kills`` says it for the daemon's test too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import struct
import time
from pathlib import Path

import pytest
from tests.ledger.conftest import ORIGIN

from outrider.ledger.ledger import Ledger
from outrider.ledger.verify import verify

KILLS = int(os.environ.get("OUTRIDER_KILLS", "100"))
A_RECORD = 20
"""So many kills in a row fall on one record; then the next one begins."""


def build(n: int, dice: random.Random, vkey: str) -> tuple[bytes, bytes]:
    if not n:
        return b'{"kind":"record.opened","n":0,"origin":"%s","v":1,"vkey":"%s"}' % (ORIGIN.encode(), vkey.encode()), b""
    return b'{"kind":"record.heartbeat","n":%d,"v":1,"x":"%s"}' % (n, b"x" * dice.randint(0, 900)), b""


def write(where: Path, key, seed: int, pipe: int) -> None:
    """Append for ever, in pieces as small as a kernel may take them, and say what is durable."""
    dice, real = random.Random(seed), os.pwrite

    def piecemeal(fd: int, data, at: int) -> int:
        # A kill can fall between any two pieces of a commit; the zeros of a segment in the making go whole.
        return real(fd, data[: dice.randint(1, 4096)] if any(data[:16]) else data, at)

    os.pwrite = piecemeal
    ledger = Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=1 << 16)

    def one(n: int) -> tuple[bytes, bytes]:
        return build(n, dice, ledger.vkey)

    def said() -> None:
        os.write(pipe, struct.pack(">Q", ledger.durable_size))

    async def client() -> None:
        while True:
            await ledger.durable(ledger.append(one, seal=dice.random() < 0.01))
            said()

    async def crowd() -> None:
        await asyncio.gather(*(client() for _ in range(20)))

    if dice.random() < 0.5:  # As the daemon does it, with threads that commit and seal.
        asyncio.run(crowd())
    while True:
        for _ in range(dice.randint(1, 40)):
            ledger.append(one, seal=dice.random() < 0.01)
        ledger.flush()
        said()


def killed(where: Path, key, seed: int) -> int:
    """Start a writer, kill it, and return the most that it acknowledged."""
    read, pipe = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.close(read)
            write(where, key, seed, pipe)
        os._exit(1)
    os.close(pipe)
    dice, said = random.Random(-seed), b""
    if dice.random() < 0.9:  # The others are killed while they open the record and recover it.
        for _ in range(dice.randint(1, 40)):
            piece = os.read(read, 8)
            assert piece, "the writer ended by itself"
            said += piece
    until = time.perf_counter_ns() + dice.randint(0, 3_000_000)
    while time.perf_counter_ns() < until:
        pass
    os.kill(child, signal.SIGKILL)
    while piece := os.read(read, 1 << 16):
        said += piece
    os.close(read)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return max((one for (one,) in struct.iter_unpack(">Q", said[: len(said) // 8 * 8])), default=0)


@pytest.mark.parametrize("first", range(0, KILLS, A_RECORD))
def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged_and_leaves_what_verifies(tmp_path, key, first):
    where, most = tmp_path / "record", 0
    for seed in range(first, min(first + A_RECORD, KILLS)):
        most = max(most, killed(where, key, seed))
        if (where / "checkpoint").exists():  # Else it was killed before it had signed its first event.
            report = verify(where)
            assert report.ok, report.problems
            assert report.events >= most
        with Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=1 << 16) as ledger:
            assert ledger.size >= most
            most = max(most, ledger.size)
    assert most > 20
