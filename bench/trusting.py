"""What it costs to trust the record: to verify it, to recompute everything, to ask a witness, and what stays open.

    python -m bench --only verify --only witness --only exposure --only backup

The witness is ``outrider witness serve``, a process of its own on loopback.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from zlib import crc32

import msgspec
from bench.measure import Row, say, spread, timed
from bench.traffic import load
from bench.world import HERE, compile_c, daemon, frames, world
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tamper.folders import Honest
from tamper.history import Places

from outrider.config import Home, load_config, save_config
from outrider.demo.vouching import Vouching, end, serve
from outrider.investigate.fsck.check import check
from outrider.investigate.reach import view_of
from outrider.ledger.backup import back_up, restore
from outrider.ledger.note import sign, vkey
from outrider.ledger.reader import Reader
from outrider.ledger.tree import Tree, leaf_hash
from outrider.ledger.verify import verify
from outrider.witness.asking import add_checkpoint, last_cosigned
from outrider.witness.home import WitnessHome
from outrider.witness.request import render

ORIGIN = "outrider.bench/witnessed"
_BATCH = 100


def verifying(events: int) -> list[Row]:
    """Measure a full verification, and everything recomputed, over a record that another program wrote."""
    say(f"  writing a record of {events:,} events")
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name))
        Honest.write(Places.of(events), home.record)
        entries = [(entry.leaf, entry.beside) for entry in Reader(home.record).entries(0, min(events, 100_000))]
        floor = len(entries) / (timed(lambda: [(sha256(one).digest(), crc32(one + two)) for one, two in entries]) / 1e9)
        took = timed(lambda: verify(home.record)) / 1e9
        row = Row(f"verify, {events:,} events", "/s", {"rate": events / took}, "one hash and CRC alone", floor)
        row.budgets = {"rate": 100_000.0}
        row.notes = f"{took:.1f} s in all; of as many processes as there are cores"
        folded = events / (timed(lambda: view_of(home).close()) / 1e9)
        told: list[int] = []
        took = timed(lambda: told.append(len(_fsck(home)))) / 1e9
        other = Row(f"fsck, {events:,} events", "/s", {"rate": events / took}, "rebuilding the view alone", folded)
        other.notes = f"{took:.1f} s in all: the record verified, the view made anew and compared row for row"
        other.wrong = told[0]
    return [row, other]


def _fsck(home: Home) -> list[str]:
    """Return the parts that are not whole."""
    found = check(home, demand=None, claims=(), progress=lambda _part, _done: None)
    return [part.name for part in found.parts if part.state not in {"whole", "absent"}]


def backing_up(events: int) -> list[Row]:
    """Measure a backup of a record that another program wrote, and putting it back: both verify what they copied."""
    say(f"  writing a record of {events:,} events")
    with tempfile.TemporaryDirectory() as name:
        home, again = Home(Path(name) / "home"), Home(Path(name) / "again")
        home.make()
        Honest.write(Places.of(events), home.record)
        size = sum(path.stat().st_size for path in (home.record / "journal").iterdir())
        plain = timed(lambda: shutil.copytree(home.record / "journal", Path(name) / "plain")) / 1e9
        made = list[int]()
        took = timed(lambda: made.append(back_up(home, Path(name) / "backup", keys=True).events)) / 1e9
        row = Row(
            f"backup, {events:,} events", "/s", {"rate": events / took}, "the journal copied alone", events / plain
        )
        row.notes = f"{took:.1f} s for {size / 1e6:.0f} MB: copied, verified and flushed"
        took = timed(lambda: made.append(restore(Path(name) / "backup", again, seen=[]).events)) / 1e9
        back = Row(f"restore, {events:,} events", "/s", {"rate": events / took}, "the same", row.beside)
        back.notes = f"{took:.1f} s: verified, copied, flushed, and verified where it lies"
        row.wrong, back.wrong = int(made[0] != events), int(made[1] != events)
    return [row, back]


def witnessing(count: int) -> list[Row]:
    """Measure how long a witness takes to cosign a log that grew by a hundred events, its state flushed to disk."""
    key, tree, spent, asked = Ed25519PrivateKey.generate(), Tree(None), list[int](), list[int]()
    with tempfile.TemporaryDirectory() as name:
        home = WitnessHome(Path(name) / "witness")
        home.make("bench.witness.example/w")
        home.know(vkey(ORIGIN, key.public_key().public_bytes_raw()))
        process, url = serve(home.root)
        try:
            wrong = 0
            for at in range(count):
                old = tree.size
                for n in range(_BATCH):
                    tree.append(leaf_hash(b"%d" % (old + n)))
                text = sign(ORIGIN, tree.size, tree.root(tree.size), key).text
                body = render(old, tree.consistency(old, tree.size), text)
                began = time.perf_counter_ns()
                said = add_checkpoint(url, body)
                spent.append(time.perf_counter_ns() - began)
                wrong += said.status != 200
                if at % 4 == 0:
                    asked.append(timed(lambda: last_cosigned(url, ORIGIN)))
        finally:
            end(process)
    row = Row("witness, a round trip", "ms", spread(spent, "ms"), "the same way without a disk: GET", 0.0)
    row.beside = spread(asked, "ms")["p50"]
    row.wrong = wrong
    row.notes = f"{count} checkpoints, each {_BATCH} events on; proof checked, state and mark flushed, cosigned"
    return [row]


@dataclass
class _Watched:
    """What lay open at each look: milliseconds since the oldest event that nobody cosigned, and how many those were."""

    record: Path
    stop: Event = field(default_factory=Event)
    ages: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Look fifty times a second until told to stop."""
        reader, seen = Reader(self.record), list[tuple[int, float]]()
        while not self.stop.wait(0.02):
            size, now = reader.size(), time.monotonic()
            if not seen or size > seen[-1][0]:
                seen.append((size, now))
            try:
                covered = int((self.record / "cosigned").read_text().split("\n")[1])
            except FileNotFoundError:
                continue
            seen = [one for one in seen if one[0] > covered]
            self.counts.append(max(0, size - covered))
            self.ages.append((now - seen[0][1]) * 1e9 if seen else 0.0)


def exposure(seconds: float, agents: int = 8, every: int = 5) -> list[Row]:
    """Measure what whoever holds the log's key can still replace, while a daemon works and a witness cosigns."""
    with world() as here:
        compile_c(HERE / "load.c", here.root / "load")
        where = here.directory("structured")
        for agent in range(agents):
            frames(where / f"{agent}.frames", here.made("structured", int(100 * seconds), agent), here, f"x-{agent}")
        vouching = Vouching.start(here.home, here.root / "witness")
        config = load_config(here.home)
        settings = msgspec.structs.replace(config.witnesses, every=every)
        save_config(here.home, msgspec.structs.replace(config, witnesses=settings))
        watched = _Watched(here.home.record)
        try:
            with daemon(here):
                time.sleep(every + 1)  # The first cosignature, which covers the start.
                thread = Thread(target=watched.run)
                thread.start()
                command = load(here, here.home.socket, where, agents, seconds, 10_000)
                subprocess.run(command, capture_output=True, check=True, env=here.env())
                watched.stop.set()
                thread.join()
        finally:
            vouching.stop()
    ranked = sorted(watched.counts)
    row = Row(f"open to a thief of the key, witness every {every} s", "ms", spread(watched.ages, "ms"))
    row.notes = (
        f"age of the oldest event that nobody cosigned yet; events p50 {ranked[len(ranked) // 2]:,}, "
        f"most {ranked[-1]:,}, at {agents} agents"
    )
    return [row]
