"""Recovery: what had been durable is never cut, and what is cut is told to the byte."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.errors import RecordError, TamperedError, UnavailableError
from outrider.ledger.frame import HEADER, pack
from outrider.ledger.journal import HEAD, Journal, segment_path
from outrider.ledger.lock import Lock

SEGMENT = 8 << 10


def frames(first: int, count: int, group: int | None = None, size: int = 60) -> list[bytes]:
    group = first if group is None else group
    return [pack(n, group, b"%d" % n + b"." * size, b"") for n in range(first, first + count)]


def filled(where: Path, commits: list[int], segment: int = SEGMENT) -> list[bytes]:
    """Write commits of so many events each; return their frames."""
    where.mkdir(exist_ok=True)
    journal, written = Journal(where, known=0, segment_bytes=segment), []
    for count in commits:
        new = frames(len(written), count)
        journal.write(len(written), new)
        written += new
    journal.close()
    return written


def reopened(where: Path, known: int = 0) -> Journal:
    return Journal(where, known=known, segment_bytes=SEGMENT)


def only(where: Path) -> Path:
    (path,) = (where / "journal").iterdir()
    return path


def test_events_come_back_in_order_over_many_segments(where):
    filled(where, [1, 40, 200, 3, 500])
    journal = reopened(where)
    assert len(list((where / "journal").iterdir())) > 5
    assert journal.size == 744
    assert [f.n for f in journal.entries(0, 744)] == list(range(744))
    assert [f.n for f in journal.entries(300, 310)] == list(range(300, 310))
    assert journal.read(743).leaf.startswith(b"743.")
    assert journal.recovered is None
    journal.close()


def test_an_event_larger_than_a_segment_gets_a_segment_of_its_own(where):
    where.mkdir()
    journal = reopened(where)
    journal.write(0, [pack(0, 0, b"small", b""), pack(1, 0, b"x", bytes(100_000)), pack(2, 0, b"small", b"")])
    journal.close()
    assert [len(f.beside) for f in reopened(where).entries(0, 3)] == [0, 100_000, 0]


def test_a_journal_cut_at_any_byte_of_its_last_commit_keeps_every_commit_before_it(where):
    written = filled(where, [3, 4])
    path, whole = only(where), only(where).read_bytes()
    ends = [HEAD + sum(map(len, written[:n])) for n in range(8)]
    for cut in range(ends[3], ends[7] + 1):
        for other in path.parent.iterdir():
            other.unlink()
        path.write_bytes(whole[:cut])
        journal = reopened(where, known=3)
        kept = max(n for n in range(8) if ends[n] <= cut)
        torn = len(whole[ends[kept] : cut].rstrip(b"\0"))
        assert journal.size == kept
        assert (journal.recovered.cut if journal.recovered else 0) == torn
        assert [f.n for f in journal.entries(0, kept)] == list(range(kept))
        journal.write(kept, frames(kept, 2))
        journal.close()
        assert reopened(where).size == kept + 2


@pytest.mark.parametrize("length", [0, 5, HEAD - 1, HEAD])
def test_a_segment_made_for_a_commit_that_never_came_is_taken_away(where, length):
    written = filled(where, [20, 60])
    path = segment_path(where / "journal", len(written))
    stands = (b"ORJ1" + len(written).to_bytes(8, "big"))[:length].ljust(100, b"\0")
    path.write_bytes(stands)
    journal = reopened(where, known=len(written))
    assert journal.size == len(written)
    assert not path.exists()
    journal.write(len(written), frames(len(written), 5))
    journal.close()
    assert reopened(where).size == len(written) + 5


def test_an_empty_segment_behind_a_missing_one_is_tampering_and_nothing_is_taken_away(where):
    written = filled(where, [100, 60])
    max((where / "journal").iterdir()).unlink()
    path = segment_path(where / "journal", len(written))
    path.write_bytes(bytes(100))
    with pytest.raises(TamperedError):
        reopened(where)
    assert path.exists()


def test_pages_of_one_commit_that_reached_the_disk_out_of_order_are_a_torn_tail(where):
    written = filled(where, [3, 4])
    path = only(where)
    data = bytearray(path.read_bytes())
    at = HEAD + sum(map(len, written[:4]))
    data[at : at + len(written[4])] = bytes(len(written[4]))  # Event 4 is missing, 5 and 6 are there.
    path.write_bytes(data)
    journal = reopened(where, known=3)
    assert journal.size == 4
    assert journal.recovered.cut >= 2 * len(written[5])
    journal.close()


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damage_to_a_commit_that_another_followed_is_never_cut(tmp_path_factory, data):
    where = tmp_path_factory.mktemp("record")
    written = filled(where, [3, 4, 2])
    path = only(where)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(HEAD, HEAD + sum(map(len, written[:7])) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(TamperedError, match="had been durable"):
        reopened(where)
    assert path.read_bytes() == before


def test_damage_below_the_last_checkpoint_is_never_cut(where):
    filled(where, [5])
    path = only(where)
    content = bytearray(path.read_bytes())
    content[HEAD + HEADER + 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(TamperedError):
        reopened(where, known=5)
    assert path.read_bytes() == content


@pytest.mark.parametrize("victim", [0, 1, -1])
def test_a_missing_segment_is_tampering(where, victim):
    count = len(filled(where, [100, 100, 100]))
    sorted((where / "journal").iterdir())[victim].unlink()
    with pytest.raises(TamperedError):
        list(reopened(where, known=count).entries(0, count))


def test_a_stranger_among_the_segments_is_named(where):
    filled(where, [3])
    (where / "journal" / "notes.txt").write_text("hello")
    with pytest.raises(TamperedError, match="notes"):
        reopened(where)


def test_damage_in_an_old_segment_is_told_when_it_is_read(where):
    filled(where, [100, 100, 100])
    path = min((where / "journal").iterdir())
    content = bytearray(path.read_bytes())
    content[HEAD + HEADER + 2] ^= 1
    path.write_bytes(content)
    journal = reopened(where)
    with pytest.raises(TamperedError, match="event 0"):
        journal.read(0)
    assert journal.read(299).n == 299
    journal.close()


@settings(max_examples=30, deadline=None)
@given(
    commits=st.lists(st.integers(1, 40), min_size=1, max_size=8), size=st.integers(1, 400), seed=st.integers(0, 2**32)
)
def test_any_prefix_of_the_disk_holds_every_commit_that_was_whole_in_it(tmp_path_factory, commits, size, seed):
    where = tmp_path_factory.mktemp("record")
    journal, count, ends = Journal(where, known=0, segment_bytes=4096), 0, []
    for more in commits:
        journal.write(count, frames(count, more, size=size))
        count += more
        ends.append(count)
    journal.close()
    last = max((where / "journal").iterdir())
    data = last.read_bytes()
    cut = random.Random(seed).randint(0, len(data))
    last.write_bytes(data[:cut].ljust(len(data), b"\0"))
    after = reopened(where)
    assert after.size <= count
    assert [f.n for f in after.entries(0, after.size)] == list(range(after.size))
    after.close()


def test_a_second_writer_is_turned_away_until_the_first_is_gone(where):
    where.mkdir()
    first = Lock(where)
    with pytest.raises(UnavailableError, match="another process"):
        Lock(where)
    first.release()
    Lock(where).release()


def test_a_forked_child_does_not_keep_the_lock_of_a_writer_that_is_gone(where):
    where.mkdir()
    lock = Lock(where)
    stay, go = os.pipe()
    born, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(go)
        os.write(tell, b"!")
        os.read(stay, 1)
        os._exit(0)
    os.close(stay)
    os.read(born, 1)
    try:
        with pytest.raises(UnavailableError):  # The child let go of it for itself alone.
            Lock(where)
        lock.forget()  # As the kernel does when the process is killed.
        Lock(where).release()
    finally:
        os.close(go)
        os.waitpid(child, 0)


def test_a_failed_flush_is_final_until_the_journal_is_opened_again(where, monkeypatch):
    where.mkdir()
    journal = reopened(where)
    journal.write(0, frames(0, 1))

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(RecordError, match="Input/output"):
            journal.write(1, frames(1, 1))
    with pytest.raises(RecordError, match="could not be flushed"):
        journal.write(1, frames(1, 1))
    assert journal.size == 1
    journal.close()
