"""Bundles: sealing 10,000 events of a larger record, and checking them with the one file that travels along."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from bench.measure import Row
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.investigate.sealing import Contents, seal
from outrider.ledger.ledger import Ledger
from outrider.ledger.proving import Prover
from outrider.ledger.verify.bundle.single import source

ORIGIN = "outrider.bench/bundles"
SOURCES = 40


def _events(count: int) -> list[tuple[bytes, bytes]]:
    """Make events as large as decisions are, each naming the one before of its source."""
    heads: dict[int, tuple[int, str]] = {}
    out = []
    for n in range(count):
        seq, prev = heads.get(n % SOURCES, (-1, ""))
        event = {
            "agent": f"ag_{n % SOURCES:026d}", "beside": "0" * 64, "content": {"c": f"{n:064x}", "size": 300}, "n": n,
            "kind": "call.decided", "src": {"id": f"claude_code:{n % SOURCES}", "prev": prev, "seq": seq + 1}, "v": 1,
            "effects": [{"kind": "path", "value": f"/repo/src/module_{n % 977}/file.py", "verb": "read"}] * 6,
            "ts": 1_790_000_000_000_000 + n, "chain": ["sha256:" + "0" * 64] * 2,
        }  # fmt: skip
        leaf = json.dumps(event, sort_keys=True, separators=(",", ":")).encode()
        heads[n % SOURCES] = (seq + 1, sha256(b"\0" + leaf).hexdigest())
        out.append((leaf, b"y" * 200))
    return out


def _children() -> float:
    """Return the processor time that ended child processes took, seconds."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def run(events: int, rounds: int) -> list[Row]:
    """Measure sealing ``events`` of a record four times as long, and checking them in a process of its own."""
    key = Ed25519PrivateKey.generate()
    sealing, checking, spent_cpu, wrong = [], [], [[], []], 0
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        made = _events(4 * events)
        with Ledger.open(where / "record", origin=ORIGIN, key=key) as ledger:
            for one in made:
                ledger.append(lambda _, one=one: one)
        start = time.perf_counter_ns()
        for leaf, _ in made[:events]:
            sha256(leaf).digest()
        hashing = (time.perf_counter_ns() - start) / 1e6
        (where / "verify.py").write_text(source())
        chosen = Contents(
            events=tuple(range(1, 4 * events, 4)), asked="bench", created="", made_by="bench", coverage={}
        )
        for _ in range(rounds):
            start, cpu = time.perf_counter_ns(), time.process_time()
            with (where / "b.zip").open("wb") as file:
                sealed = seal(file, Prover(where / "record"), key, chosen)
            sealing.append((time.perf_counter_ns() - start) / 1e6)
            spent_cpu[0].append(time.process_time() - cpu)
            start, cpu = time.perf_counter_ns(), _children()
            done = subprocess.run(
                [sys.executable, where / "verify.py", where / "b.zip", "--vkey", sealed.vkey, "--json"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            checking.append((time.perf_counter_ns() - start) / 1e6)
            spent_cpu[1].append(_children() - cpu)
            wrong += done.returncode != 0 or json.loads(done.stdout)["events"] != events
        size = (where / "b.zip").stat().st_size
    rows = []
    for what, spent, cpus in zip(("sealing", "verify.py on"), (sealing, checking), spent_cpu, strict=True):
        ranked = sorted(spent)
        values = {"p50": ranked[len(ranked) // 2], "p95": ranked[-1], "p99": ranked[-1]}
        row = Row(f"bundle, {what} {events:,} events", "ms", values, wrong=wrong, budgets={"p50": 5_000.0})
        row.baseline, row.beside = "hashing their leaves", hashing
        cpu = sorted(cpus)[len(cpus) // 2]
        row.notes = f"{cpu:.1f} s of processor time; every fourth of {4 * events:,} events; {size / 1e6:.1f} MB"
        rows.append(row)
    return rows
