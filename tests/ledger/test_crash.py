"""A real writer process, killed at moments nobody chose: nothing that it acknowledged is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.ledger.verify import verify

WRITER = """
import json, os, random, sys
from pathlib import Path
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger

where = Path(sys.argv[1])
random.seed(int(sys.argv[2]))
ledger = Ledger.open(where / "record", origin="outrider.test/log", key=log_key(where / "k"), segment_bytes=1 << 16)
real = os.pwrite

def piecemeal(fd, data, at):
    if any(data[:16]):  # Not the zeros of a segment in the making.
        data = data[: random.randint(1, 4096)]  # A kill can fall between any two pieces of a commit.
    return real(fd, data, at)

os.pwrite = piecemeal

def build(n):
    event = {"kind": "record.opened", "n": n, "v": 1, "vkey": ledger.vkey, "origin": ledger.origin}
    if n:
        event = {"kind": "record.heartbeat", "n": n, "v": 1, "x": "x" * random.randint(0, 900)}
    beside = b""
    return json.dumps(event, sort_keys=True, separators=(",", ":")).encode(), beside

while True:
    for _ in range(random.randint(1, 40)):
        n = ledger.append(build, seal=random.random() < 0.01)
    size = ledger.flush()
    os.write(1, size.to_bytes(8, "big"))
"""


def acknowledged(pipe: int) -> int:
    data = b""
    while piece := os.read(pipe, 1 << 16):
        data += piece
    whole = len(data) // 8 * 8
    return int.from_bytes(data[whole - 8 : whole], "big") if whole else 0


@pytest.mark.parametrize("seed", [1])
def test_nothing_acknowledged_is_lost_over_15_kills(tmp_path: Path, seed: int):
    dice, most, survived = random.Random(seed), 0, 0
    for run in range(15):
        read, write = os.pipe()
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(seed * 100 + run)], stdout=write)
        os.close(write)
        # The kill falls after so many acknowledgements, at whatever the writer is doing then.
        said = b""
        for _ in range(dice.randint(1, 60)):
            piece = os.read(read, 8)
            assert piece, "the writer ended by itself"
            said = piece
        child.send_signal(signal.SIGKILL)
        most = max(most, int.from_bytes(said, "big"), acknowledged(read))
        child.wait()
        os.close(read)
        report = verify(tmp_path / "record")
        assert report.events >= most
        assert report.ok, report.problems
        survived = report.events
    assert survived > 1000
