"""The tamper suite itself: every case in every situation, against ``outrider verify``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tamper.__main__ import table
from tamper.cases import CASES, SITUATIONS
from tamper.folders import Honest
from tamper.history import Places
from tamper.judge import Cell, judged, lay
from tamper.publish import digest

from outrider.ledger.compact import compact

REPO = Path(__file__).parents[2]
TABLE = json.loads((REPO / "vectors" / "tamper" / "table.json").read_text())


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Honest:
    """The honest record of 10,000 events, made once."""
    return Honest.write(Places.of(10_000), tmp_path_factory.mktemp("base") / "record")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_to_ten_thousand_events_gets_its_verdict(case, honest: Honest, tmp_path: Path) -> None:
    for situation in SITUATIONS:
        where = tmp_path / situation
        lay(case, situation, honest, where)
        assert digest(where) == TABLE["folders"]["10000"][f"{case.name}/{situation}"]
        cell = judged(case, where)
        assert not cell.unexpected, cell


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_to_a_record_that_is_packed_then_gets_the_same_verdict(case, tmp_path: Path) -> None:
    honest, packed = Honest.write(Places.of(300), tmp_path / "base"), 0
    for situation in SITUATIONS:
        where = tmp_path / situation
        lay(case, situation, honest, where)
        before = judged(case, where)
        told = compact(where / "record", progress=lambda *_: None)
        packed += told.segments
        after = judged(case, where)
        assert not after.unexpected, after
        assert (after.verdict, after.offline, after.assurance) == (before.verdict, before.offline, before.assurance)
        assert set(after.by) == set(before.by)
    assert packed


def test_whatever_a_thief_of_the_key_does_to_what_was_cosigned_is_refused_or_named() -> None:
    seen = [case.name for case in CASES if case.verdicts[2] == "accepted"]
    assert seen == [
        "honest",
        "contents",
        "edit-after-cosignature",
        "truncate-after-cosignature",
        "truncate-after-checkpoint",
    ]
    assert all(case.why for case in CASES if "accepted" in case.verdicts and case.name not in {"honest", "contents"})


def test_an_unexpected_verdict_is_marked_in_the_table_and_fails_the_command() -> None:
    right = Cell(CASES[2], "key", "accepted", (), "accepted", "local", 0.1)
    wrong = Cell(CASES[2], "no-key", "accepted", (), "accepted", "local", 0.1)
    assert (right.unexpected, wrong.unexpected) == (False, True)
    assert "! not seen" in table(10, [wrong, right])


def test_the_command_prints_the_table_and_says_that_all_is_as_it_has_to_be() -> None:
    command = [sys.executable, "-m", "tamper", "--size", "10"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every cell is what it has to be" in done.stdout
    assert "75 cells" in done.stdout
