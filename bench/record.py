"""The record: appends in groups, the wait for durability, proofs, reopening, following and verifying.

    PYTHONPATH=src python bench/record.py [--events 1000000] [--full] [--json]

Every row stands beside a baseline of the same run: a bare ``fdatasync`` of as many bytes into a file of zeros on the
same disk, taken alternately; one SHA-256 and one CRC of the same bytes. Leaves are 360 bytes with 100 beside, about
what a decision takes. ``--full`` takes ten million events, of 40 bytes and nothing beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify

ORIGIN = "outrider.bench/record"


def spread(spent: Sequence[int], unit: float = 1e3) -> dict[str, float]:
    """Return percentiles of nanoseconds in microseconds (or another ``unit`` of nanoseconds)."""
    ranked = sorted(spent)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {name: round(ranked[min(int(len(ranked) * share), len(ranked) - 1)] / unit, 1) for name, share in at.items()}


def timed(call: Callable[[], Any]) -> int:
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def builder(leaf: int, beside: int) -> Callable[[int], tuple[bytes, bytes]]:
    """Build events of fixed sizes; a share that does not depend on us is kept out of the measurement."""
    padding, rest = b"x" * leaf, b"y" * beside
    return lambda n: ((b'{"n":%d,"v":1,"x":"' % n + padding)[: leaf - 2] + b'"}', rest)


def appends(ledger: Ledger, build: Callable[[int], tuple[bytes, bytes]], events: int, group: int) -> dict[str, Any]:
    spent = []
    for _ in range(events // group):
        start = time.perf_counter_ns()
        for _ in range(group):
            ledger.append(build)
        ledger.flush()
        spent.append(time.perf_counter_ns() - start)
    floor = 0
    for n in range(min(events, 100_000)):
        leaf, beside = build(n)
        start = time.perf_counter_ns()
        sha256(leaf).digest()
        crc32(leaf + beside)
        floor += time.perf_counter_ns() - start
    return {
        "group": group,
        "events_per_second": round(events / (sum(spent) / 1e9)),
        "group_us": spread(spent),
        "baseline_hash_and_crc_per_second": round(min(events, 100_000) / (floor / 1e9)),
    }


async def waits(
    ledger: Ledger, build: Callable[[int], tuple[bytes, bytes]], where: Path, rounds: int
) -> dict[str, Any]:
    """Measure append-to-durable for one event at a time, each beside one bare flush of as many bytes."""
    fd = os.open(where / "baseline", os.O_RDWR | os.O_CREAT)
    os.write(fd, bytes(16 << 20))
    os.fsync(fd)
    data = b"".join(build(0)) + bytes(28)
    at, ours, bare = 0, [], []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        await ledger.durable(ledger.append(build))
        ours.append(time.perf_counter_ns() - start)
        start = time.perf_counter_ns()
        os.pwrite(fd, data, at)
        os.fdatasync(fd)
        bare.append(time.perf_counter_ns() - start)
        at = (at + len(data)) % (15 << 20)
    os.close(fd)
    above = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
    return {"durable_us": spread(ours), "baseline_fdatasync_us": spread(bare), "above_us": spread(above)}


async def crowd(ledger: Ledger, build: Callable[[int], tuple[bytes, bytes]], clients: int, each: int) -> dict[str, Any]:
    """Measure the same for many waiters at once, who share commits."""
    spent = []

    async def one() -> None:
        for _ in range(each):
            start = time.perf_counter_ns()
            await ledger.durable(ledger.append(build))
            spent.append(time.perf_counter_ns() - start)

    start = time.perf_counter_ns()
    await asyncio.gather(*(one() for _ in range(clients)))
    took = (time.perf_counter_ns() - start) / 1e9
    return {"clients": clients, "events_per_second": round(clients * each / took), "durable_us": spread(spent)}


def proofs(ledger: Ledger, count: int) -> dict[str, Any]:
    dice, size = random.Random(1), ledger.checkpoint.size
    places = [dice.randrange(size) for _ in range(count)]
    inclusion = [timed(lambda at=at: ledger.inclusion(at, size)) for at in places]
    consistency = [timed(lambda at=at: ledger.consistency(max(at, 1), size)) for at in places]
    reads = [timed(lambda at=at: ledger.read(at)) for at in places]
    one = [timed(lambda: sha256(bytes(65)).digest()) for _ in range(count)]
    return {
        "events": size,
        "inclusion_us": spread(inclusion),
        "consistency_us": spread(consistency),
        "read_us": spread(reads),
        "baseline_one_hash_us": spread(one),
    }


def run(where: Path, events: int, *, full: bool) -> dict[str, Any]:
    key = Ed25519PrivateKey.generate()
    build = builder(40, 0) if full else builder(360, 100)
    record = where / "record"
    rows: dict[str, Any] = {"events": events, "cores": os.cpu_count()}
    with Ledger.open(record, origin=ORIGIN, key=key) as ledger:
        small = min(events // 10, 100_000)
        rows["append"] = [appends(ledger, build, small, group) for group in (16, 64)]
        rows["append"].append(appends(ledger, build, events - ledger.size, 256))
        rows["wait"] = asyncio.run(waits(ledger, build, where, 3000))
    with Ledger.open(record, origin=ORIGIN, key=key) as ledger:
        rows["crowd"] = asyncio.run(crowd(ledger, build, 64, 500))
        ledger.seal()
        rows["proof"] = proofs(ledger, 1000)
    rows["reopen_ms"] = spread(
        [timed(lambda: Ledger.open(record, origin=ORIGIN, key=key).close()) for _ in range(5)], 1e6
    )
    rows["follow_per_second"] = round(events / (timed(lambda: sum(1 for _ in Reader(record).entries())) / 1e9))
    if not full:
        rows["verify_per_second"] = round(events / (timed(lambda: verify(record)) / 1e9))
    rows["resident_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return rows


def show(rows: dict[str, Any]) -> None:
    print(f"record, {rows['events']:,} events, {rows['cores']} cores")
    for row in rows["append"]:
        rate, floor = row["events_per_second"], row["baseline_hash_and_crc_per_second"]
        print(f"  append in groups of {row['group']:<4} {rate:>9,}/s     (one hash and CRC alone {floor:,}/s)")
    for title, row in (("durable, one at a time", rows["wait"]), ("durable, 64 at once", rows["crowd"])):
        print(f"  {title:<26}", _line(row["durable_us"]), "us")
        if "above_us" in row:
            print(f"  {'  bare fdatasync':<26}", _line(row["baseline_fdatasync_us"]), "us")
            print(f"  {'  ours above it':<26}", _line(row["above_us"]), "us")
        else:
            print(f"  {'':<26} {row['events_per_second']:,}/s")
    for name in ("inclusion_us", "consistency_us", "read_us"):
        print(f"  {name.removesuffix('_us'):<26}", _line(rows["proof"][name]), "us")
    print(f"  {'reopen':<26}", _line(rows["reopen_ms"]), "ms")
    print(f"  {'follow':<26} {rows['follow_per_second']:,}/s")
    if "verify_per_second" in rows:
        print(f"  {'verify':<26} {rows['verify_per_second']:,}/s")
    print(f"  {'resident, at most':<26} {rows['resident_mb']} MB")


def _line(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:>8,.1f}" for name, value in row.items())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--full", action="store_true", help="ten million events, short ones")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as where:
        rows = run(Path(where), 10_000_000 if options.full else options.events, full=options.full)
    if options.json:
        json.dump({"v": 1, "bench": "record"} | rows, sys.stdout)
    else:
        show(rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
