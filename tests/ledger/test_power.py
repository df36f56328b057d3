"""Power cuts and disks that fail, at every operation: what was acknowledged is there afterwards, nothing is torn."""

from __future__ import annotations

import contextlib
import copy
import errno
import random
import shutil
from pathlib import Path

import pytest
from tests.ledger.conftest import ORIGIN
from tests.ledger.disks import Disk, Moment, Refusal, moments

from outrider.errors import RecordError
from outrider.ledger.ledger import Ledger
from outrider.ledger.verify import verify

SEGMENT = 4096
SIZES = (30, 700, 12, 2500, 90, 5000, 1, 300)


def build(n: int) -> tuple[bytes, bytes]:
    # Frames of many lengths, so that commits begin and end within and at the edges of sectors.
    beside = bytes([n % 251 + 1]) * SIZES[n % len(SIZES)]
    return b'{"n":%d,"v":1}' % n, beside


def opened(where: Path, key, **options) -> Ledger:
    return Ledger.open(where, origin=ORIGIN, key=key, segment_bytes=SEGMENT, clock=lambda: 0, **options)


def work(where: Path, key, disk: Disk, commits: int, seed: int = 1) -> None:
    """Append in commits of one to six events, some sealed, and say what was acknowledged."""
    dice = random.Random(seed)
    ledger = opened(where, key)
    for at in range(commits):
        for _ in range(dice.randint(1, 6)):
            ledger.append(build, seal=at % 3 == 0)
        disk.said(ledger.commit())
        if at % 3 == 0:
            ledger.seal()
    ledger.close()


def check(where: Path, key, said: int) -> None:
    """Open what is there: every acknowledged event is, and what there is is what was appended."""
    ledger = opened(where, key)
    size = ledger.size
    assert size >= said
    assert [(one.leaf, one.beside) for one in ledger.entries()] == [build(n) for n in range(size)]
    ledger.append(build)
    ledger.close()
    report = verify(where)
    assert report.events == size + 1
    assert [one for one in report.problems if one.check not in {"leaf", "opened", "source", "beside"}] == []


def noted(where: Path, key, monkeypatch, commits: int, refusal: Refusal | None = None) -> Disk:
    disk = Disk(where.parent, refusal)
    with monkeypatch.context() as patch:
        disk.attach(patch)
        work(where, key, disk, commits)
    return disk


def test_a_power_cut_after_any_operation_loses_nothing_that_was_acknowledged(where, key, monkeypatch, tmp_path):
    disk, dice = noted(where, key, monkeypatch, 9), random.Random(7)
    cuts = tmp_path / "cut"
    for moment in moments(disk.ops):
        for share in (0.0, dice.random()):
            moment.image(cuts, dice, share)
            check(cuts / where.name, key, moment.said)
            shutil.rmtree(cuts)
    assert moment.said > 25
    assert len(disk.ops) > 100


def test_a_second_cut_while_the_first_is_recovered_from_loses_nothing_either(where, key, monkeypatch, tmp_path):
    disk, dice = noted(where, key, monkeypatch, 6), random.Random(8)
    cuts, again = tmp_path / "cut", tmp_path / "again"
    for at, moment in enumerate(moments(disk.ops)):
        if at % 9:
            continue
        moment.image(cuts, dice, 0.5)
        state = whole(cuts)
        second = Disk(cuts)
        with monkeypatch.context() as patch:
            second.adopt(state)
            second.attach(patch)
            opened(cuts / where.name, key).close()
        start = Moment()
        start.adopt(state)
        start.said = moment.said
        for later in moments(second.ops, copy.deepcopy(start)):
            later.image(again, dice, dice.random())
            check(again / where.name, key, moment.said)
            shutil.rmtree(again)
        shutil.rmtree(cuts)


def whole(root: Path) -> dict[str, bytes | None]:
    """Return every file below ``root`` with its content, and every directory with None."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes() for path in sorted(root.rglob("*"))
    }


@pytest.mark.parametrize("kind", ["write", "sync"])
def test_an_error_of_the_disk_at_any_operation_is_told_and_takes_nothing_acknowledged(
    where, key, monkeypatch, tmp_path, kind
):
    total = noted(where, key, monkeypatch, 8).counts[kind]
    assert total > 25
    told = []
    for at in range(total):
        run = tmp_path / f"run{at}"
        run.mkdir()
        disk, dice = Disk(run, Refusal(kind, at)), random.Random(at)
        with monkeypatch.context() as patch:
            disk.attach(patch)
            try:
                work(run / "record", key, disk, 8)
            except RecordError as error:
                told.append(str(error))
        assert disk.refused == 1
        moment = Moment()
        for op in disk.ops:
            moment.after(op)
        for share in (0.0, 1.0):
            moment.image(tmp_path / "cut", dice, share)
            check(tmp_path / "cut" / "record", key, moment.said)
            shutil.rmtree(tmp_path / "cut")
        shutil.rmtree(run)
    assert all("Input/output error" in one for one in told)
    assert len(told) > total // 2  # The others were met by trying again, or by a smaller segment.


def test_a_disk_that_is_full_for_a_while_at_any_write_goes_on_by_itself(where, key, monkeypatch, tmp_path):
    total = noted(where, key, monkeypatch, 8).counts["write"]
    for at in range(1, total, 2):
        run = tmp_path / f"run{at}"
        run.mkdir()
        disk = Disk(run, Refusal("write", at, errno.ENOSPC, times=5))
        with monkeypatch.context() as patch:
            disk.attach(patch)
            ledger, wanted, fixes = None, 12, []
            while ledger is None or ledger.durable_size < wanted:
                try:
                    ledger = ledger or opened(run / "record", key)
                    if ledger.size < wanted:
                        ledger.append(build)
                    disk.said(ledger.commit())
                except RecordError as error:
                    fixes.append(error.fix)
            assert all("goes on by itself" in fix for fix in fixes)
            with contextlib.suppress(RecordError):  # There may be no room yet for the last checkpoint.
                ledger.close()
        check(run / "record", key, wanted)
        shutil.rmtree(run)
