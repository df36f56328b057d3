"""Compaction: whatever happens while it works, every event is there, and the next one ends what it began."""

from __future__ import annotations

import contextlib
import copy as copies
import errno
import os
import random
import shutil
import signal
import threading
from pathlib import Path

import pytest
from tests.ledger.conftest import ORIGIN, Scribe
from tests.ledger.disks import Disk, Moment, Refusal, moments
from tests.ledger.test_power import whole

from outrider.config import Home
from outrider.errors import RecordError, TamperedError, UnavailableError
from outrider.ledger import compact as module
from outrider.ledger import journal as journal_module
from outrider.ledger import verify as checking
from outrider.ledger.backup import back_up, restore
from outrider.ledger.compact import compact, look
from outrider.ledger.journal import head
from outrider.ledger.ledger import Ledger
from outrider.ledger.lock import Lock
from outrider.ledger.reader import Reader
from outrider.ledger.verify import parallel, verify

EVENTS = 60
SEGMENT = 8 << 10


@pytest.fixture(scope="module")
def made(tmp_path_factory, key):
    """A sealed record of 60 real events in four segments and more, made once."""
    where = tmp_path_factory.mktemp("made") / "record"
    with Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=SEGMENT) as ledger:
        scribe = Scribe(ledger)
        scribe.open()
        for n in range(1, EVENTS):
            scribe.decide(n)
    assert len(list((where / "journal").iterdir())) > 3
    return where


@pytest.fixture
def record(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "run" / "record"))


def quiet(done: int, of: int) -> None:
    assert done <= of


def names(where: Path) -> tuple[list[str], list[str]]:
    folder = where / "pack"
    packed = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return sorted(path.name for path in (where / "journal").iterdir()), packed


def check(where: Path, made: Path) -> None:
    """Everything is there now, and after the next compaction, which leaves nothing half done."""
    wanted = list(Reader(made).entries())
    assert list(Reader(where).entries()) == wanted
    assert verify(where).ok, verify(where).problems
    assert compact(where, progress=quiet).left == ()
    assert list(Reader(where).entries()) == wanted
    journal, packed = names(where)
    assert len(journal) == 1
    assert [name.removesuffix(".zst") for name in packed] == names(made)[0][:-1]
    assert verify(where) == verify(made)


def test_closed_segments_become_packs_and_the_one_that_is_written_stays(record, made):
    before = names(made)[0]
    preview = look(record)
    assert names(record) == (before, [])
    told = compact(record, progress=quiet)
    assert (told.segments, told.left, told.already) == (len(before) - 1, (), 0)
    assert (preview.segments, preview.events, preview.before) == (told.segments, told.events, told.before)
    assert told.after * 2 < told.before
    assert names(record)[0] == before[-1:]
    check(record, made)
    again = compact(record, progress=quiet)
    assert (again.segments, again.already) == (0, told.segments)


def test_a_segment_behind_which_nothing_was_written_yet_is_not_closed(record, made):
    last = max((record / "journal").iterdir())
    data = last.read_bytes()
    last.write_bytes(head(int(last.stem)).ljust(len(data), b"\0"))
    told = look(record)
    assert told.segments == len(names(made)[0]) - 2
    compact(record, progress=quiet)
    assert len(names(record)[0]) == 2
    last.write_bytes(data)
    check(record, made)


def test_a_writer_and_readers_at_work_do_not_notice(where, open_ledger):
    ledger = open_ledger(where, segment_bytes=SEGMENT)
    scribe, packed, reader = Scribe(ledger), 0, Reader(where)
    scribe.open()
    for n in range(1, 400):
        scribe.decide(n)
        if n % 3 == 0:
            ledger.flush()
        if n % 40 == 0:
            packed += compact(where, progress=quiet).segments
            assert [one.n for one in reader.entries()] == list(range(ledger.durable_size))
            assert b'"n":7,' in ledger.read(7)[0]
    ledger.seal()
    assert packed > 8
    assert verify(where).ok
    assert [one.n for one in ledger.entries()] == list(range(400))


def test_the_writer_goes_on_behind_packs_after_it_was_started_again(record, made, key):
    compact(record, progress=quiet)
    with Ledger.open(record, origin=ORIGIN, key=key, segment_bytes=SEGMENT) as ledger:
        assert ledger.size == EVENTS
        assert ledger.recovered is None
        ledger.append(lambda n: (b'{"n":%d,"v":1}' % n, b""))
    assert Reader(record).size() == EVENTS + 1


def test_a_lost_tile_is_made_again_from_packs(where, open_ledger, plain):
    ledger = open_ledger(where, segment_bytes=SEGMENT)
    for _ in range(600):
        ledger.append(plain())
    ledger.seal()
    before = {path: path.read_bytes() for path in (where / "tile").rglob("*") if path.is_file()}
    ledger.close()
    compact(where, progress=quiet)
    shutil.rmtree(where / "tile")
    again = open_ledger(where, segment_bytes=SEGMENT)
    assert again.inclusion(3, 600)
    assert before
    for path, data in before.items():
        assert path.read_bytes() == data


@pytest.mark.parametrize("spoilt", ["whole", "cut", "other"])
def test_where_a_compaction_left_both_the_pack_is_compared_again(record, made, spoilt):
    whole_copy = shutil.copytree(record, record.parent / "first")
    compact(whole_copy, progress=quiet)
    (record / "pack").mkdir()
    source = sorted((whole_copy / "pack").iterdir())
    target = record / "pack" / source[0].name
    data = source[0].read_bytes()
    target.write_bytes({"whole": data, "cut": data[:-9], "other": source[1].read_bytes()}[spoilt])
    (record / "pack" / f"{source[1].name}.new").write_bytes(b"unfinished")
    assert list(Reader(record).entries()) == list(Reader(made).entries())
    check(record, made)
    assert target.read_bytes() == data


def test_a_damaged_segment_is_left_as_it_is_and_named(record, made):
    first, second, *_ = sorted((record / "journal").iterdir())
    data = bytearray(first.read_bytes())
    data[300] ^= 1
    first.write_bytes(data)
    told = compact(record, progress=quiet)
    assert [(one.first, "is damaged or gone" in one.why) for one in told.left] == [(0, True)]
    assert first.read_bytes() == data
    assert not second.exists()
    assert {one.check for one in verify(record).problems} >= {"frame", "root"}


def test_a_pack_that_does_not_come_back_right_takes_nothing_away(record, made, monkeypatch):
    real = module.pack_segment
    monkeypatch.setattr(module, "pack_segment", lambda *one: real(*one)[:-1] + b"?")
    told = compact(record, progress=quiet)
    assert told.segments == 0
    assert all("did not unpack to it again" in one.why for one in told.left)
    assert names(record) == (names(made)[0], [])


def test_two_compactions_at_once_are_one_too_many(record):
    (record / "pack").mkdir()
    lock = Lock(record / "pack")
    with pytest.raises(UnavailableError, match="being compacted by another process"):
        compact(record, progress=quiet)
    lock.release()
    assert compact(record, progress=quiet).segments


def test_there_is_nothing_to_compact_without_a_record(tmp_path):
    for act in (look, lambda where: compact(where, progress=quiet)):
        with pytest.raises(UnavailableError, match="there is no record"):
            act(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_no_journal_has_stops_it(record):
    (record / "journal" / "notes.txt").write_text("hello")
    with pytest.raises(TamperedError, match="no segment"):
        compact(record, progress=quiet)


# --- faults ---------------------------------------------------------------------------------------------------------


def noted(record: Path, monkeypatch, refusal: Refusal | None = None) -> tuple[Disk, dict[str, bytes | None]]:
    state, disk = whole(record.parent), Disk(record.parent, refusal)
    disk.adopt(state)
    with monkeypatch.context() as patch:
        disk.attach(patch)
        with contextlib.suppress(RecordError):
            compact(record, progress=quiet)
    return disk, state


def begun(state: dict[str, bytes | None]) -> Moment:
    start = Moment()
    start.adopt(state)
    return start


def test_a_power_cut_after_any_operation_loses_nothing(record, made, monkeypatch, tmp_path):
    disk, state = noted(record, monkeypatch)
    dice, cuts = random.Random(3), tmp_path / "cut"
    assert len(disk.ops) > 25
    for moment in moments(disk.ops, begun(state)):
        for share in (0.0, dice.random(), 1.0):
            moment.image(cuts, dice, share)
            check(cuts / "record", made)
            shutil.rmtree(cuts)


def test_a_second_cut_while_the_first_is_made_good_loses_nothing_either(record, made, monkeypatch, tmp_path):
    disk, state = noted(record, monkeypatch)
    dice, cuts, again = random.Random(4), tmp_path / "cut", tmp_path / "again"
    for at, moment in enumerate(moments(disk.ops, begun(state))):
        if at % 6:
            continue
        moment.image(cuts, dice, 0.5)
        second, between = noted(cuts / "record", monkeypatch)
        for later in moments(second.ops, copies.deepcopy(begun(between))):
            later.image(again, dice, dice.random())
            check(again / "record", made)
            shutil.rmtree(again)
        shutil.rmtree(cuts)


@pytest.mark.parametrize(("kind", "code"), [("write", errno.ENOSPC), ("write", errno.EIO), ("sync", errno.EIO)])
def test_a_disk_that_refuses_any_operation_loses_nothing(record, made, monkeypatch, tmp_path, kind, code):
    clean = Path(shutil.copytree(record, tmp_path / "clean"))
    total = noted(record, monkeypatch)[0].counts[kind]
    assert total > 2
    for at in range(total):
        run = Path(shutil.copytree(clean, tmp_path / f"run{at}" / "record"))
        disk, state = noted(run, monkeypatch, Refusal(kind, at, code))
        assert disk.refused == 1
        assert not [name for name in names(run)[1] if name.endswith(".new")]
        for share in (0.0, 1.0):
            last = begun(state)
            for op in disk.ops:
                last.after(op)
            last.image(tmp_path / "cut", random.Random(at), share)
            check(tmp_path / "cut" / "record", made)
            shutil.rmtree(tmp_path / "cut")
        check(run, made)
        shutil.rmtree(run.parent)


def test_a_full_disk_is_told_with_what_helps(record, monkeypatch):
    disk = Disk(record.parent, Refusal("write", 0, errno.ENOSPC))
    disk.adopt(whole(record.parent))
    with monkeypatch.context() as patch:
        disk.attach(patch)
        with pytest.raises(RecordError, match="No space left") as told:
            compact(record, progress=quiet)
    assert "Free some space" in told.value.fix


def test_a_power_cut_while_a_commit_is_written_and_what_it_closed_is_packed_loses_nothing(
    where, key, monkeypatch, tmp_path
):
    """A compaction sees the first event of a new segment before that is flushed, and packs the one before it."""
    disk, dice, cuts, packed = Disk(where.parent), random.Random(6), tmp_path / "cut", []
    real = journal_module.flush

    def flush(fd: int) -> None:
        packed.append(compact(where, progress=quiet).segments)
        real(fd)

    with monkeypatch.context() as patch:
        disk.attach(patch)
        patch.setattr(journal_module, "flush", flush)
        ledger = Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=4096, clock=lambda: 0)
        for at in range(24):
            for _ in range(3):
                ledger.append(build, seal=at % 5 == 0)
            disk.said(ledger.commit())
        ledger.close()
    assert sum(packed) > 5
    alone = 0
    for moment in moments(disk.ops):
        for share in (0.0, dice.random()):
            moment.image(cuts, dice, share)
            journal, packs = names(cuts / where.name) if (cuts / where.name / "journal").is_dir() else ([], [])
            alone += bool(packs) and not journal
            opened_and_checked(cuts / where.name, key, moment.said)
            shutil.rmtree(cuts)
    assert alone == 0  # A segment's name is on disk before an event is in it.


def build(n: int) -> tuple[bytes, bytes]:
    return b'{"n":%d,"v":1}' % n, bytes([n % 251 + 1]) * (30, 700, 12, 2500, 90)[n % 5]


def opened_and_checked(where: Path, key, said: int) -> None:
    """Every acknowledged event is there, and the record grows on and is compacted."""
    with Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=4096, clock=lambda: 0) as ledger:
        size = ledger.size
        assert size >= said
        assert [(one.leaf, one.beside) for one in ledger.entries()] == [build(n) for n in range(size)]
        ledger.append(build)
    assert compact(where, progress=quiet).left == ()
    assert [(one.leaf, one.beside) for one in Reader(where).entries()] == [build(n) for n in range(size + 1)]
    assert not [one for one in verify(where).problems if one.check in {"segments", "frame", "pack", "root", "tile"}]


STEPS = ("open", "write", "fdatasync", "fsync", "rename", "unlink", "close")


def killed(record: Path, at: int) -> bool:
    """Compact in a child that is killed before its ``at``-th step on files; return whether it came so far."""
    child = os.fork()
    if not child:
        left = at

        def counted(real):
            def step(*args, **more):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*args, **more)

            return step

        with contextlib.suppress(BaseException):
            for name in STEPS:
                setattr(os, name, counted(getattr(os, name)))
            compact(record, progress=quiet)
            os._exit(0)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}
    return code != 0


def test_a_compaction_killed_before_any_of_its_steps_loses_nothing(record, made, tmp_path):
    clean, at = Path(shutil.copytree(record, tmp_path / "clean")), 0
    while True:
        run = Path(shutil.copytree(clean, tmp_path / "killed"))
        if not killed(run, at):
            break
        check(run, made)
        shutil.rmtree(run)
        at += 1
    assert at > 50
    check(run, made)


def test_a_compaction_killed_again_and_again_comes_to_its_end(record, made):
    times, dice = 0, random.Random(5)
    while killed(record, dice.randint(4, 40)):
        assert list(Reader(record).entries()) == list(Reader(made).entries())
        times += 1
        assert times < 100
    assert times > 1
    check(record, made)


@pytest.mark.parametrize("cores", [1, 2])
def test_a_verification_that_listed_segments_before_they_were_packed_goes_on(record, made, monkeypatch, cores):
    real = checking.list_segments

    def listed(directory: Path, problems):
        found = real(directory, problems)
        assert compact(directory, progress=quiet).segments
        return found

    wanted = verify(made)
    monkeypatch.setattr(checking, "list_segments", listed)
    monkeypatch.setattr(parallel, "LEAST", 0)
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: cores)
    assert verify(record) == wanted


# --- beside others --------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, made) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    shutil.copytree(made, home.record, dirs_exist_ok=True)
    return home


def test_a_packed_record_is_backed_up_and_put_back(home, made, tmp_path):
    compact(home.record, progress=quiet)
    (home.record / "pack" / f"{0:020d}.seg.zst.new").write_bytes(b"unfinished")
    assert back_up(home, tmp_path / "b", keys=False).events == EVENTS
    assert names(tmp_path / "b" / "record")[1] == names(home.record)[1][:1] + names(home.record)[1][2:]
    again = Home(tmp_path / "again")
    restore(tmp_path / "b", again, seen=[])
    check(again.record, made)


def test_a_backup_taken_while_segments_are_packed_is_whole(home, key, tmp_path):
    shutil.rmtree(home.record)
    ledger = Ledger.open(home.record, origin=ORIGIN, key=key, segment_bytes=SEGMENT)
    scribe, end, packed = Scribe(ledger), threading.Event(), []
    scribe.open()
    ledger.seal()

    def busy() -> None:
        while not end.is_set():
            for _ in range(20):
                scribe.decide(1)
            ledger.flush()
            packed.append(compact(home.record, progress=quiet).segments)

    packer = threading.Thread(target=busy)
    packer.start()
    try:
        for at in range(12):
            durable = ledger.durable_size
            assert back_up(home, tmp_path / f"b{at}", keys=False).events >= durable
    finally:
        end.set()
        packer.join()
        ledger.close()
    assert sum(packed) > 3
    assert verify(home.record).ok
