"""``outrider fsck``: what it says of a home in which one thing is wrong, and that what it advises brings it back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.conftest import Scribe

from outrider.config import Home
from outrider.daemon.chores import SNAPSHOT
from outrider.events.codec import decode, decode_beside
from outrider.events.content import ContentErased, ContentKept
from outrider.events.record import DaemonStarted, RecordGap
from outrider.gate import snapshot
from outrider.gate.state import State
from outrider.investigate.reach import view_of
from outrider.ledger.content.contents import Contents, Item
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.ledger.tree import leaf_hash
from outrider.ledger.verify.notes import parse_note
from outrider.witness.home import WitnessHome
from outrider.witness.witness import cosign

EVENTS = 320
ALIBI = (
    "INSERT INTO agents SELECT 'ag_alibi', n, ts, '', '', '', '', 0, '', '', '', '', '', '', '', '', '', 0, 0, 0,"
    " '', '', '', '', '', '', '', NULL, NULL, NULL, 0 FROM events WHERE n = 5"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with all its parts: tiles and bundles, a saved state of an earlier moment, a view, a key."""
    home = Home(tmp_path_factory.mktemp("made") / "home")
    home.make()
    state = State()
    with Ledger.open(
        home.record, origin="outrider.test/fsck", key=log_key(home.keys / "log.key"), segment_bytes=64 << 10
    ) as ledger:
        scribe = Scribe(ledger)
        scribe.open()
        scribe.write(DaemonStarted, version="1", pid=1, boot="b")
        for n in range(2, EVENTS):
            if n == 200:
                ledger.seal()
                for entry in ledger.entries():
                    state.apply(decode(entry.leaf), decode_beside(entry.beside), leaf_hash(entry.leaf).hex())
                snapshot.save(home.record / SNAPSHOT, state, ledger)
            if n % 70 == 0:
                scribe.write(RecordGap, what="spool", count=3, since=5, until=9)
            else:
                scribe.decide(n, "deny" if n % 11 == 0 else "allow")
        ledger.tiles()
    view_of(home).close()
    return home.root


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of it to spoil, which is the home of the commands."""
    copy = Home(Path(shutil.copytree(made, tmp_path / "home")))
    monkeypatch.setenv("OUTRIDER_HOME", str(copy.root))
    return copy


@pytest.fixture
def fsck(outrider: Any, home: Home) -> Any:
    def fsck() -> tuple[int, dict[str, dict[str, Any]]]:
        done = outrider("fsck", "--json")
        return done.code, {part["name"]: part for part in json.loads(done.out)["data"]["parts"]}

    return fsck


def states(parts: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: part["state"] for name, part in parts.items() if part["state"] not in ("whole", "absent")}


def test_a_whole_home_is_whole_and_says_what_was_looked_at(fsck: Any, outrider: Any) -> None:
    code, parts = fsck()
    assert (code, states(parts)) == (0, {})
    assert {name: parts[name]["checked"] for name in ("journal", "tiles", "snapshot", "keys")} == {
        "journal": EVENTS, "tiles": EVENTS, "snapshot": 200, "keys": 1,
    }  # fmt: skip
    assert parts["view"]["checked"] > 2 * EVENTS
    assert parts["cosigned"]["state"] == "absent"
    assert "Everything is as it was written." in outrider("fsck").out


def test_a_flipped_byte_of_the_journal_is_lost_and_the_view_is_not_compared(fsck: Any, home: Home) -> None:
    path = min((home.record / "journal").iterdir())
    data = bytearray(path.read_bytes())
    data[data.index(b'"enforced":"allow"') + 13] ^= 1
    path.write_bytes(data)
    code, parts = fsck()
    assert code == 6
    assert parts["journal"]["state"] == "lost"
    assert parts["journal"]["found"][0]["event"] >= 0
    assert parts["tiles"]["state"] == "lost"  # Evidence now: it tells which event was changed.
    assert parts["view"]["state"] == "unchecked"


def test_a_packed_home_is_whole_and_a_damaged_block_is_named_with_its_events(
    fsck: Any, home: Home, outrider: Any
) -> None:
    before = fsck()
    assert "It would pack" in outrider("compact", "--dry-run").out
    assert not (home.record / "pack").exists()
    told = json.loads(outrider("compact", "--json").out)
    assert (told["kind"], told["data"]["dry"], told["data"]["left"]) == ("compact", False, [])
    assert told["data"]["segments"] > 1
    assert fsck() == before
    for question in (("agents", "--all"), ("log",), ("verify",), ("rebuild",)):
        assert outrider(*question).code == 0
    assert "Nothing to pack" in outrider("compact").out
    path = min((home.record / "pack").iterdir())
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    code, parts = fsck()
    assert (code, parts["journal"]["state"], parts["view"]["state"]) == (6, "lost", "unchecked")
    (first, *_) = parts["journal"]["found"]
    assert first["event"] == 0
    assert f"block 0 of pack/{path.name}, which holds events 0 to" in first["what"]


def test_a_damaged_segment_is_left_by_compaction_which_says_so(home: Home, outrider: Any) -> None:
    path = min((home.record / "journal").iterdir())
    data = bytearray(path.read_bytes())
    data[data.index(b'"enforced":"allow"') + 13] ^= 1
    path.write_bytes(data)
    done = outrider("compact")
    assert done.code == 5
    assert "The segment that begins with event 0 was left as it is: event" in done.out
    assert path.read_bytes() == data


def test_what_lies_beside_an_event_is_named_where_it_is_not_what_was_recorded(fsck: Any, home: Home) -> None:
    from outrider.ledger.frame import pack
    from outrider.ledger.journal import head

    entries = list(Reader(home.record).entries())
    for path in (home.record / "journal").iterdir():
        path.unlink()
    changed = [entry.beside + b"x" if entry.n == 7 else entry.beside for entry in entries]
    frames = [pack(e.n, 0, e.leaf, beside) for e, beside in zip(entries, changed, strict=True)]
    (home.record / "journal" / f"{0:020d}.seg").write_bytes(head(0) + b"".join(frames))
    code, parts = fsck()
    assert code == 6
    assert states(parts) == {"besides": "lost", "view": "unchecked"}
    assert [one["event"] for one in parts["besides"]["found"]] == [7]


def test_a_damaged_tile_over_a_whole_journal_can_be_rebuilt_by_the_command_it_names(
    fsck: Any, home: Home, outrider: Any
) -> None:
    (home.record / "tile" / "0" / "000").write_bytes(bytes(8192))
    code, parts = fsck()
    assert (code, states(parts)) == (1, {"tiles": "rebuildable"})
    assert {one["fix"] for one in parts["tiles"]["found"]} == {"outrider rebuild --tiles"}
    assert "outrider rebuild --tiles" in outrider("fsck").out
    assert outrider("rebuild", "--tiles").code == 0
    assert fsck()[0] == 0
    with Ledger.open(home.record, origin="outrider.test/fsck", key=log_key(home.keys / "log.key")) as ledger:
        assert len(ledger.inclusion(5, EVENTS)) == 9  # The writer goes on without them.


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("UPDATE events SET enforced = 'allow' WHERE enforced = 'deny'", "table events: the row of 11"),
        ("DELETE FROM touches WHERE n = 9", "table touches"),
        ("DELETE FROM leaves WHERE n = 319", "table leaves lacks a row of 319"),
        (ALIBI, "table agents has a row of ag_alibi"),
        ("UPDATE meta SET value = 400 WHERE key = 'size'", "it holds 400 events, and the record 320"),
    ],
)
def test_a_view_that_the_record_does_not_make_is_found_and_rebuilt(
    fsck: Any, home: Home, outrider: Any, spoil: str, says: str
) -> None:
    with sqlite3.connect(home.view) as db:
        db.execute(spoil)
    db.close()
    code, parts = fsck()
    assert (code, states(parts)) == (1, {"view": "rebuildable"})
    assert says in parts["view"]["found"][0]["what"]
    assert parts["view"]["found"][0]["fix"] == "outrider rebuild"
    assert outrider("rebuild").code == 0
    assert fsck()[0] == 0
    assert [path.name for path in home.view.parent.iterdir() if path.name.startswith("fsck-")] == []


def test_a_view_that_is_no_database_is_found_and_one_that_is_behind_is_no_problem(fsck: Any, home: Home) -> None:
    with Ledger.open(home.record, origin="outrider.test/fsck", key=log_key(home.keys / "log.key")) as ledger:
        ledger.append(lambda n: (b'{"kind":"record.heartbeat","living":0,"n":%d,"ts":1,"v":1}' % n, b""))
        ledger.seal()
    code, parts = fsck()
    assert code == 0
    assert parts["view"]["note"].startswith("it holds 320 of 321 events")
    home.view.write_bytes(b"no database" * 1000)
    assert states(fsck()[1]) == {"view": "rebuildable"}
    home.view.unlink()
    assert fsck()[1]["view"]["state"] == "absent"


def test_contents_that_were_swapped_and_erased_ones_that_are_there_again_are_found(fsck: Any, home: Home) -> None:
    ids, texts = (EVENTS - 3, EVENTS - 2), (b"yes, do deploy it", b"no, don't you dare")
    with Contents(home.content, home.content_key, write=True) as contents:
        items = [
            Item(n=n, ts=n, agent="a", subject="p_1", slot=contents.keyring.take(), salt=bytes(32), media="text/plain",
                 text=text)
            for n, text in zip(ids, texts, strict=True)
        ]  # fmt: skip
        kept = tuple(contents.keep(items))
    with Ledger.open(home.record, origin="outrider.test/fsck", key=log_key(home.keys / "log.key")) as ledger:
        Scribe(ledger).write(ContentKept, source="content", kept=kept)
        ledger.seal()
    code, parts = fsck()
    assert (code, parts["contents"]["state"], parts["contents"]["checked"]) == (0, "whole", 1)
    with sqlite3.connect(home.content / "content.sqlite") as db:
        # outrider: allow code.python-sql-from-string -- the numbers are this test's own
        db.execute(
            f"UPDATE records SET blob = (SELECT sum(blob) FROM records WHERE n IN {ids}) - blob WHERE n IN {ids}"
        )
    db.close()
    code, parts = fsck()
    assert (code, states(parts)) == (6, {"contents": "lost"})
    assert [one["event"] for one in parts["contents"]["found"]] == list(ids)
    with Ledger.open(home.record, origin="outrider.test/fsck", key=log_key(home.keys / "log.key")) as ledger:
        erased = {"what": "event", "events": ids[:1], "upto": EVENTS, "basis": "asked for", "by": "p_1"}
        Scribe(ledger).write(ContentErased, source="erasing", **erased)
        ledger.seal()
    found = [one["what"] for one in fsck()[1]["contents"]["found"]]
    assert (
        found[0]
        == f"erased: event {EVENTS + 1} says that the content of event {ids[0]} was erased, and it is there again"
    )


def test_a_saved_state_of_another_record_and_one_that_cannot_be_read_are_found(fsck: Any, home: Home) -> None:
    path = home.record / SNAPSHOT
    state, _, _ = State.load(path.read_bytes())
    path.write_bytes(state.dump(200, b"r" * 32))
    code, parts = fsck()
    assert (code, states(parts)) == (1, {"snapshot": "rebuildable"})
    path.write_bytes(b"junk")
    assert states(fsck()[1]) == {"snapshot": "rebuildable"}
    path.write_bytes(state.dump(5000, b"r" * 32))
    assert states(fsck()[1]) == {"snapshot": "rebuildable"}


def test_a_key_that_is_gone_or_another_is_lost(fsck: Any, home: Home) -> None:
    (home.keys / "log.key").unlink()
    assert states(fsck()[1]) == {"keys": "lost"}
    log_key(home.keys / "log.key")  # Another one is made.
    assert states(fsck()[1]) == {"keys": "lost"}


def test_a_cosigned_checkpoint_is_demanded_where_witnesses_are_configured(
    fsck: Any, home: Home, tmp_path: Path
) -> None:
    witness = WitnessHome(tmp_path / "witness")
    own = witness.make("w.example/1")
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {own.vkey}\nquorum w\n")
    home.config.write_text(f'[witnesses]\npolicy = "{policy}"\n')
    code, parts = fsck()
    assert (code, states(parts)) == (3, {"cosigned": "unchecked"})
    from outrider.ledger.keys import witness_key

    text = (home.record / "checkpoint").read_text()
    line = cosign(parse_note(text.encode()), own, witness_key(witness.key), 1_790_000_000)
    (home.record / "cosigned").write_text(f"{text}{line}\n")
    code, parts = fsck()
    assert (code, states(parts)) == (0, {})
    assert parts["cosigned"]["checked"] == EVENTS


def test_where_there_is_no_record_that_is_said(outrider: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "nowhere"))
    done = outrider("fsck")
    assert done.code == 7
    assert "there is no record" in done.err
