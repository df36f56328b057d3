"""Backups: whole while the writer is at work, verified, and put back only where nothing is lost by it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from outrider.config import Home
from outrider.errors import BadInputError, RefusedError, TamperedError, UnavailableError
from outrider.ledger.backup import back_up, read_manifest, restore
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    (home.charters / "mine.toml").write_text("# mine\n")
    (home.keys / "log.key").write_text("example, not a key\n")
    home.config.write_text("# settings\n")
    home.content.mkdir()
    with closing(sqlite3.connect(home.content / "content.sqlite")) as database, database:
        database.execute("CREATE TABLE blobs(data)")
        database.execute("INSERT INTO blobs VALUES ('kept')")
    return home


@pytest.fixture
def filled(home, open_ledger, scribe):
    """A home whose record has 300 events and whose writer is still there."""
    ledger = open_ledger(home.record)
    one = scribe(ledger)
    one.open()
    for n in range(1, 300):
        one.decide(n)
    ledger.seal()
    return home, one


def test_what_was_backed_up_comes_back_and_the_writer_goes_on_from_it(filled, tmp_path, open_ledger, scribe):
    home, one = filled
    made = back_up(home, tmp_path / "b", keys=True)
    assert (made.events, made.sealed, made.keys, made.content) == (300, 300, True, True)
    assert read_manifest(tmp_path / "b") == made
    one.ledger.close()
    again = Home(tmp_path / "again")
    done = restore(tmp_path / "b", again, seen=[])
    assert (done.backup, done.events, done.erased) == (made, 300, None)
    assert [e.leaf for e in Reader(again.record).entries()] == [e.leaf for e in Reader(home.record).entries()]
    for name in ("charters/mine.toml", "keys/log.key", "config.toml"):
        assert (again.root / name).read_bytes() == (home.root / name).read_bytes()
        assert (again.root / name).stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(again.content / "content.sqlite")) as database:
        assert database.execute("SELECT data FROM blobs").fetchall() == [("kept",)]
    ledger = open_ledger(again.record)
    assert ledger.size == 300
    ledger.append(lambda n: (b'{"n":%d,"v":1}' % n, b""))
    assert ledger.flush() == 301


def test_keys_stay_where_they_are_unless_they_are_asked_for(filled, tmp_path):
    home, _ = filled
    assert not back_up(home, tmp_path / "b", keys=False).keys
    assert not (tmp_path / "b" / "keys").exists()


def test_every_backup_that_is_taken_while_events_are_written_verifies_and_holds_what_was_durable(filled, tmp_path):
    home, one = filled
    end = threading.Event()

    def busy() -> None:
        while not end.is_set():
            one.decide(1)
            one.ledger.flush()

    writer = threading.Thread(target=busy)
    writer.start()
    try:
        for at in range(6):
            durable = one.ledger.durable_size
            assert back_up(home, tmp_path / f"b{at}", keys=False).events >= durable
            assert verify(tmp_path / f"b{at}" / "record").ok
    finally:
        end.set()
        writer.join()


def test_nothing_is_overwritten_on_either_way(filled, tmp_path):
    home, one = filled
    back_up(home, tmp_path / "b", keys=False)
    with pytest.raises(RefusedError, match="there already"):
        back_up(home, tmp_path / "b", keys=False)
    one.ledger.close()
    before = sorted((path, path.read_bytes()) for path in home.root.rglob("*") if path.is_file())
    with pytest.raises(RefusedError, match="holds a record"):
        restore(tmp_path / "b", home, seen=[])
    assert sorted((path, path.read_bytes()) for path in home.root.rglob("*") if path.is_file()) == before


def test_a_backup_that_holds_less_than_a_witness_has_seen_is_refused_and_nothing_is_written(filled, tmp_path):
    home, one = filled
    back_up(home, tmp_path / "b", keys=True)
    one.decide(300)
    seen = one.ledger.seal().text
    with pytest.raises(TamperedError, match="covers 301 events"):
        restore(tmp_path / "b", Home(tmp_path / "again"), seen=[seen])
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("what", ["an event changed", "the end cut off", "another manifest"])
def test_a_backup_that_is_not_what_it_was_is_refused(filled, tmp_path, what):
    home, _ = filled
    back_up(home, tmp_path / "b", keys=False)
    if what == "another manifest":
        (tmp_path / "b" / "backup.json").write_text("{}")
    elif what == "the end cut off":
        max((tmp_path / "b" / "record" / "journal").iterdir()).unlink()
    else:
        path = min((tmp_path / "b" / "record" / "journal").iterdir())
        path.write_bytes(path.read_bytes().replace(b'"toolu_7"', b'"toolu_8"'))
    with pytest.raises((TamperedError, BadInputError)):
        restore(tmp_path / "b", Home(tmp_path / "again"), seen=[])
    assert not (tmp_path / "again").exists()


def test_keys_of_another_log_are_not_mixed_with_the_backup(filled, tmp_path):
    home, _ = filled
    back_up(home, tmp_path / "b", keys=True)
    again = Home(tmp_path / "again")
    again.make()
    (again.keys / "log.key").write_text("another example\n")
    with pytest.raises(RefusedError, match="another key"):
        restore(tmp_path / "b", again, seen=[])


def test_a_newer_record_is_put_back_in_the_place_of_the_backups_own(filled, tmp_path):
    home, one = filled
    back_up(home, tmp_path / "b", keys=False)
    for n in range(300, 320):
        one.decide(n)
    seen = one.ledger.seal().text
    again = Home(tmp_path / "again")
    again.make()
    (again.keys / "content.key").write_text("an example\n")
    assert restore(tmp_path / "b", again, seen=[seen], newer=home.record).events == 320
    assert [e.leaf for e in Reader(again.record).entries()] == [e.leaf for e in Reader(home.record).entries()]


def test_a_record_that_does_not_go_on_where_the_backup_ends_is_refused(filled, tmp_path, open_ledger, scribe):
    home, one = filled
    back_up(home, tmp_path / "b", keys=True)
    one.decide(300)
    one.ledger.seal()
    back_up(home, tmp_path / "later", keys=True)
    other = scribe(open_ledger(tmp_path / "other"))
    other.open()
    for n in range(1, 400):
        other.decide(n, "deny")
    other.ledger.seal()
    for source, newer in (("later", tmp_path / "b" / "record"), ("b", tmp_path / "other")):
        with pytest.raises(TamperedError):
            restore(tmp_path / source, Home(tmp_path / "again"), seen=[], newer=newer)
    assert not (tmp_path / "again").exists()


def test_without_keys_nothing_is_put_back_that_would_have_to_be_erased(filled, tmp_path):
    home, _ = filled
    back_up(home, tmp_path / "b", keys=False)
    with pytest.raises(RefusedError, match="without keys"):
        restore(tmp_path / "b", Home(tmp_path / "again"), seen=[], newer=home.record)
    assert not (tmp_path / "again").exists()


def test_where_there_is_no_record_there_is_no_backup(tmp_path):
    with pytest.raises(UnavailableError, match="no record"):
        back_up(Home(tmp_path / "none"), tmp_path / "b", keys=False)
    assert list(tmp_path.iterdir()) == []
