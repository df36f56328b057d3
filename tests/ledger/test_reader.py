"""The follower: sees what is durable, in order, while the writer is at work, and touches nothing."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from outrider.errors import BadInputError, TamperedError, UnavailableError
from outrider.ledger.journal import HEAD
from outrider.ledger.reader import Reader


def test_a_reader_sees_what_is_durable_and_nothing_more(open_ledger, where, plain):
    ledger, reader = open_ledger(), Reader(where)
    assert reader.size() == 0
    ledger.append(plain())
    assert reader.size() == 0
    assert list(reader.entries()) == []
    ledger.commit()
    assert reader.size() == 1
    assert list(reader.entries()) == [(0, *plain()(0))]


def test_a_reader_follows_over_segments_from_where_it_stopped(open_ledger, where, plain):
    ledger, reader, seen = open_ledger(), Reader(where), []
    for count in (1, 7, 300, 2, 500):
        for _ in range(count):
            ledger.append(plain(200))
        ledger.commit()
        seen += [entry.n for entry in reader.entries(len(seen))]
        assert len(seen) == ledger.size
    assert seen == list(range(810))
    assert [e.n for e in reader.entries(400, 403)] == [400, 401, 402]
    assert next(reader.entries(5)).leaf == plain(200)(5)[0]


def test_a_frame_that_is_written_but_not_flushed_is_not_read(open_ledger, where, plain):
    ledger = open_ledger()
    ledger.append(plain())
    ledger.commit()
    path = next((where / "journal").iterdir())
    frame = path.read_bytes()[HEAD:].rstrip(b"\0")
    with path.open("r+b") as file:
        file.seek(HEAD + len(frame))
        file.write(frame[: len(frame) // 2])
    assert [e.n for e in Reader(where).entries()] == [0]


def test_a_reader_counts_whole_frames_where_the_writers_word_is_missing(open_ledger, where, plain):
    ledger = open_ledger()
    for _ in range(400):
        ledger.append(plain())
    ledger.close()
    (where / "durable").unlink()
    reader = Reader(where)
    assert reader.size() == 400
    assert sum(1 for _ in reader.entries()) == 400


def test_a_reader_in_another_process_follows_a_writer_at_work(open_ledger, where, plain):
    ledger = open_ledger()
    follow = f"""
from pathlib import Path
from outrider.ledger.reader import Reader
reader, n = Reader(Path({str(where)!r})), 0
while n < 3000:
    for entry in reader.entries(n):
        assert entry.n == n and entry.leaf.startswith(b"event %d " % n), entry
        n += 1
print(n)
"""
    child = subprocess.Popen([sys.executable, "-c", follow], stdout=subprocess.PIPE, text=True)
    while ledger.size < 3000:
        for _ in range(ledger.size % 17 + 1):
            ledger.append(plain())
        ledger.commit()
    out, _ = child.communicate(timeout=60)
    assert int(out) >= 3000
    assert child.returncode == 0


def test_readers_on_threads_of_their_own_do_not_disturb_the_writer(open_ledger, where, plain):
    ledger, failures = open_ledger(), []

    def follow() -> None:
        reader, n = Reader(where), 0
        while n < 2000:
            for entry in reader.entries(n):
                if entry.n != n:
                    failures.append((entry.n, n))
                n += 1

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    while ledger.size < 2000:
        ledger.append(plain())
        ledger.commit()
    for thread in threads:
        thread.join()
    assert failures == []


def test_reading_changes_no_byte_and_no_time_of_any_file(open_ledger, where, plain):
    ledger = open_ledger()
    for _ in range(300):
        ledger.append(plain())
    ledger.close()
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in where.rglob("*") if p.is_file()}
    assert sum(1 for _ in Reader(where).entries()) == 300
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in where.rglob("*") if p.is_file()} == before


def test_damage_among_durable_events_is_an_error_and_not_an_end(open_ledger, where, plain):
    ledger = open_ledger()
    for _ in range(10):
        ledger.append(plain())
    ledger.close()
    path = next((where / "journal").iterdir())
    data = bytearray(path.read_bytes())
    data[data.index(b"event 5 ")] ^= 1
    path.write_bytes(data)
    reader, seen = Reader(where), []
    with pytest.raises(TamperedError, match="event 5"):
        seen.extend(entry.n for entry in reader.entries())
    assert list(reader.entries(0, 5)) == [(n, *plain()(n)) for n in range(5)]


@pytest.mark.parametrize("length", [0, 1, 41, 0xFFFFFFFF])
def test_a_length_that_leads_nowhere_is_an_error_that_names_the_event_at_fault(open_ledger, where, plain, length):
    ledger = open_ledger()
    for _ in range(50):
        ledger.append(plain())
    ledger.close()
    path = next((where / "journal").iterdir())
    data = bytearray(path.read_bytes())
    at = data.index(b"event 5 ") - 24
    data[at : at + 4] = length.to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(TamperedError, match="damaged or gone"):
        list(Reader(where).entries(30))
    assert next(Reader(where).entries(3)).n == 3


@pytest.mark.parametrize("loss", ["last", "first", "all"])
def test_a_segment_that_is_gone_is_an_error_and_not_an_end(open_ledger, where, plain, loss):
    ledger = open_ledger()
    for _ in range(1500):
        ledger.append(plain())
    ledger.close()
    paths = sorted((where / "journal").iterdir())
    for path in paths if loss == "all" else [paths[-1] if loss == "last" else paths[0]]:
        path.unlink()
    with pytest.raises(TamperedError):
        list(Reader(where).entries())


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 4), (2, 9)])
def test_what_is_not_there_cannot_be_asked_for(open_ledger, where, plain, start, stop):
    ledger = open_ledger()
    for _ in range(3):
        ledger.append(plain())
    ledger.close()
    with pytest.raises(BadInputError):
        list(Reader(where).entries(start, stop))


def test_a_directory_without_a_record_is_named(tmp_path):
    with pytest.raises(UnavailableError, match="no record"):
        Reader(tmp_path)
