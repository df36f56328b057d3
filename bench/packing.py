"""What packing the record costs and saves: the time, the room, and what reading, verifying and copying it cost then.

python -m bench --only compact            # --full: 1,000,000 events
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import zstandard
from bench.measure import Row, say, spread, timed
from tamper.folders import Honest
from tamper.history import Places

from outrider.config import Home
from outrider.ledger.backup import back_up
from outrider.ledger.compact import compact
from outrider.ledger.journal import Journal
from outrider.ledger.packs import LEVEL
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify

_READS = 1000


def packing(events: int) -> list[Row]:
    """Measure a record that another program wrote before and after it is packed."""
    say(f"  writing a record of {events:,} events")
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name) / "home")
        home.make()
        Honest.write(Places.of(events), home.record)
        bare = 0
        for path in sorted((home.record / "journal").iterdir())[:-1]:
            data = path.read_bytes()
            bare += timed(lambda: zstandard.ZstdCompressor(level=LEVEL).compress(data))  # noqa: B023 - called at once
        plain = _used(home, Path(name) / "plain", events)
        told, began = [], time.process_time()
        took = timed(lambda: told.append(compact(home.record, progress=lambda _done, _of: None))) / 1e9
        processor = time.process_time() - began
        packed = _used(home, Path(name) / "packed", events)
    (done,) = told
    row = Row(
        f"compact, {events:,} events", "/s", {"rate": done.events / took}, "zstd alone", done.events / (bare / 1e9)
    )
    sizes = f"{done.before / 2**20:.1f} MB became {done.after / 2**20:.1f} MB, 1 : {done.before / done.after:.2f}"
    row.notes = f"{took:.1f} s, {processor:.1f} s of processor; {sizes}; each pack flushed and compared"
    row.wrong = len(done.left)
    rows = [row]
    for now, before in zip(packed, plain, strict=True):
        now.baseline, now.beside = "the same before it was packed", before.main
        rows.append(now)
    return rows


def _used(home: Home, copy: Path, events: int) -> list[Row]:
    """Measure what is done with a record."""
    dice = random.Random(3)
    places = [dice.randrange(events) for _ in range(_READS)]
    journal = Journal(home.record, known=0)
    journal_reads = [timed(lambda: journal.read(at)) for at in places]  # noqa: B023 - called at once
    journal.close()
    reader = Reader(home.record)
    reads = [timed(lambda: list(reader.entries(at, at + 1))) for at in places]  # noqa: B023 - called at once
    checked = timed(lambda: verify(home.record)) / 1e9
    copied = timed(lambda: back_up(home, copy, keys=False)) / 1e9
    rows = [
        Row(f"one event of {events:,} from packs, by the writer", "us", spread(journal_reads, "us")),
        Row(f"one event of {events:,} from packs, by a reader", "us", spread(reads, "us")),
        Row(f"verify, {events:,} events in packs", "/s", {"rate": events / checked}),
        Row(f"backup, {events:,} events in packs", "/s", {"rate": events / copied}),
    ]
    rows[2].notes = f"{checked:.1f} s"
    rows[3].notes = f"{copied:.1f} s; verified and flushed"
    return rows
