"""Every budget as a row: which benchmark measures it, and how large its default run is."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import (
    bundles,
    content,
    credentials,
    detecting,
    hooks,
    importing,
    judging,
    launching,
    levers,
    memory,
    packing,
    policy,
    questions,
    record,
    rejudging,
    replaying,
    sensing,
    traffic,
    trusting,
)
from bench.measure import Row, say
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.ledger.ledger import Ledger
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

POINT, AGGREGATE = 100.0, 1000.0


class Size(NamedTuple):
    """How much is measured: the default, ``--quick``, or ``--full``.

    Attributes:
        factor: Share of the default's repetitions.
        seconds: Length of a load.
        events: Events of the record that questions are asked about.
        leaves: Events of the record that is appended to and proved.
        agents: Agents that live at once in memory.
    """

    factor: float = 1.0
    seconds: float = 6.0
    events: int = 200_000
    leaves: int = 1_000_000
    agents: int = 100_000

    def of(self, count: int) -> int:
        """Return a number of repetitions."""
        return max(10, int(count * self.factor))


SIZES = {
    "default": Size(),
    "quick": Size(factor=0.2, seconds=2.0, events=20_000, leaves=60_000, agents=20_000),
    "full": Size(events=10_000_000, leaves=10_000_000, agents=1_000_000),
}


def policies(size: Size) -> list[Row]:
    """Policy decisions beside cedarpy's."""
    out = []
    for one in policy.run(size.of(20_000)):
        values = {name: one[name] for name in ("p50", "p95", "p99")}
        row = Row(f"policy, {one['name']}", "us", values, budgets={"p50": one["budget_p50"]})
        if one["baseline"]:
            row.baseline, row.beside = "cedarpy, everything prepared", one["baseline"]["p50"]
        out.append(row)
    return out


def agents(size: Size) -> list[Row]:
    """What an agent costs in memory, living and gone."""
    count = size.agents
    found = memory.measured(count)
    living = Row(f"memory, each of {count:,} living agents", "bytes", {"p50": found["living"]}, budgets={"p50": 2000.0})
    living.notes = f"{found['whole'] / 2**20:,.0f} MB in all; one call under way each"
    gone = Row("memory, an agent that is gone", "bytes", {"p50": found["gone"]})
    gone.notes = f"the last {memory.KEEP_GONE:,} are kept: {found['kept'] / 2**20:,.0f} MB"
    return [living, gone]


def appends(size: Size) -> list[Row]:
    """The record: appends in groups, and proofs."""
    key = Ed25519PrivateKey.generate()
    build = record.builder(40, 0) if size.leaves > 1_000_000 else record.builder(360, 100)
    with tempfile.TemporaryDirectory() as name:
        with Ledger.open(Path(name) / "record", origin=record.ORIGIN, key=key) as ledger:
            grouped = record.appends(ledger, build, size.leaves, 256)
        with Ledger.open(Path(name) / "record", origin=record.ORIGIN, key=key) as ledger:
            waits = asyncio.run(record.waits(ledger, build, Path(name), size.of(1000)))
        with Ledger.open(Path(name) / "record", origin=record.ORIGIN, key=key) as ledger:
            crowd = asyncio.run(record.crowd(ledger, build, 64, size.of(200)))
            ledger.seal()
            proofs = record.proofs(ledger, 1000)
    append = Row("record, appends in groups of 256", "/s", {"rate": float(grouped["events_per_second"])})
    append.baseline, append.beside = "one hash and CRC alone", float(grouped["baseline_hash_and_crc_per_second"])
    append.budgets = {"rate": 100_000.0}
    durable = Row("record, append until durable", "us", waits["durable_us"])
    durable.baseline, durable.beside = "bare fdatasync, taken alternately", waits["baseline_fdatasync_us"]["p50"]
    proof = Row(f"inclusion proof, {size.leaves:,} events", "us", proofs["inclusion_us"])
    proof.baseline, proof.beside = "one SHA-256", proofs["baseline_one_hash_us"]["p50"]
    proof.budgets = {"p99": 1000.0}
    held = Row(f"consistency proof, {size.leaves:,} events", "us", proofs["consistency_us"])
    held.baseline, held.beside = "one SHA-256", proofs["baseline_one_hash_us"]["p50"]
    shared = Row("record, append until durable, 64 at once", "us", crowd["durable_us"])
    shared.notes = f"they share commits: {crowd['events_per_second']:,}/s"
    return [append, durable, shared, proof, held]


def asked(size: Size) -> list[Row]:
    """The view: taking the record in, rebuilding, and the five questions."""
    say(f"  making up a record of {size.events:,} events")
    made = questions.Record(size.events)
    out = []
    with tempfile.TemporaryDirectory() as name:
        plain = questions.baseline(made, Path(name))
        with View(Path(name) / "view.sqlite") as view:
            say("  taking it in")
            questions.timed(lambda: catch_up(view, made))
            rate = len(made.kept) / questions.timed(lambda: rebuild(view, made))
            row = Row("view, rebuilt from the record", "/s", {"rate": rate}, "the leaves into one table", plain)
            row.budgets = {"rate": 25_000.0}
            out.append(row)
            say("  asking")
            point = 0.0
            for one in questions.questions(view, made, 1, size.of(100)):
                values = {name: one[f"{name}_ms"] for name in ("p50", "p95", "p99")}
                if one["question"].startswith("("):
                    point = values["p50"]
                    continue
                budget = AGGREGATE if "aggregate" in one["question"] or "whole" in one["question"] else POINT
                row = Row(one["question"], "ms", values, "one point query", point, {"p99": budget})
                out.append(row)
    out[1].notes = f"questions over {len(made.kept):,} events"
    return out


def imported(size: Size) -> list[Row]:
    """A host's own transcript, read into a record."""
    found = importing.run(size.of(10_000))
    row = Row("transcript events imported", "/s", {"rate": found["events_per_second"]})
    row.baseline, row.beside = "the same lines as JSON alone", found["baseline_json_alone"]
    row.budgets = {"rate": 5_000.0}
    row.notes = f"peak {found['peak_rss_mb']:.0f} MB"
    return [row]


ROWS: dict[str, Callable[[Size], list[Row]]] = {
    "policy": policies,
    "content": lambda size: content.rows(size.of(5000), 100_000 if size.factor >= 1 else 10_000),
    "judge": lambda size: judging.judging(size.of(1500)),
    "batch": lambda size: judging.batch(size.of(2000)),
    "effects": lambda size: detecting.effects(size.of(200)),
    "detectors": lambda size: detecting.detectors(size.of(100)),
    "doubling": lambda size: detecting.doubling(3 if size.factor < 1 else 5),
    "hook": lambda size: hooks.hooks(size.of(300)),
    "first": lambda size: hooks.first_call(3 if size.factor < 1 else 5),
    "sustained": lambda size: traffic.sustained(size.seconds),
    "flood": lambda size: traffic.flood(size.seconds),
    "launch": lambda size: launching.launching(size.of(60)),
    "sensor": lambda size: sensing.sensing(size.of(60)),
    "quarantine": lambda size: levers.quarantine(size.of(20)),
    "births": lambda size: levers.births(size.of(300)),
    "tokens": lambda size: levers.tokens(size.of(50_000)) + credentials.credentials(size.of(1_000)),
    "record": appends,
    "verify": lambda size: trusting.verifying(1_000_000 if size.leaves > 1_000_000 else size.events),
    "compact": lambda size: packing.packing(1_000_000 if size.leaves > 1_000_000 else size.events),
    "witness": lambda size: trusting.witnessing(size.of(300)),
    "backup": lambda size: trusting.backing_up(size.events),
    "exposure": lambda size: trusting.exposure(size.seconds * 4),
    "bundles": lambda size: bundles.run(size.of(10_000), 3 if size.factor < 1 else 5),
    "memory": agents,
    "questions": asked,
    "replay": lambda size: replaying.rows(size.of(60_000)),
    "rejudge": lambda size: rejudging.rows(size.of(3_000)),
    "imports": imported,
}
