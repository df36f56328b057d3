from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import NEW, OLD, Run, host

from outrider.config import Home


def findings(outrider: Run) -> list[str]:
    return [f"{one['level']} {one['what']}" for one in outrider("status", "--json").data["findings"]]


def test_status_works_without_anything(outrider: Run) -> None:
    done = outrider("status")
    assert done.code == 0
    assert "No daemon runs" in done.out
    assert "outrider init" in done.out


def test_a_preview_is_not_called_protected(outrider: Run) -> None:
    outrider("init", "--yes")
    assert "preview: not enforced" in outrider("status").out
    outrider("init", "--enforce")
    data = outrider("status", "--json").data
    assert [one["protected"] for one in data["repositories"]] == [True]


def test_hooks_that_were_taken_out_are_missed(outrider: Run, settings: Path) -> None:
    outrider("init", "--enforce", "--yes")
    settings.write_text("{}")
    assert "NOT PROTECTED" in outrider("status").out
    assert outrider("doctor").code == 1


def test_a_switch_in_the_repository_is_seen(outrider: Run, world: Path) -> None:
    outrider("init", "--enforce", "--yes")
    (world / ".claude").mkdir()
    (world / ".claude" / "settings.local.json").write_text('{"disableAllHooks": true}')
    assert any("disableAllHooks" in one for one in findings(outrider))
    assert "disableAllHooks" in outrider("doctor").out


def test_a_host_that_cannot_fail_closed_is_bad(outrider: Run, tmp_path: Path) -> None:
    host(tmp_path, OLD)
    outrider("init", "--enforce", "--yes")
    assert any(one.startswith("bad") and "CANNOT FAIL CLOSED" in one for one in findings(outrider))
    assert outrider("doctor").code == 1


def test_a_charter_that_lets_the_undecided_through_is_bad(outrider: Run, home: Home) -> None:
    home.make()
    (home.charters / "loose.toml").write_text('[charter]\nname = "loose"\nundecided = "allow"\n')
    assert "bad charter loose lets through what nobody can decide" in findings(outrider)


def test_a_running_daemon_tells_of_itself(outrider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"pid": 7, "started": 1, "living": 3, "events": 9, "unclaimed": 1, "opaque_runs": 2, "observing": 1}
    told |= {"paused_until": 1_900_000_000_000_000, "paused_why": "lunch", "seal_problem": "disk full"}
    outrider("init", "--enforce", "--yes")
    monkeypatch.setattr("outrider.cli.reach.status", lambda _home=None: told)
    done = outrider("status")
    assert "PAUSED" in done.out
    assert "lunch" in done.out
    assert "disk full" in done.out
    assert "3 agents live" in done.out


def test_lines_in_the_spool_are_counted(outrider: Run, home: Home) -> None:
    home.make()
    home.spool.write_text('{"ts":1}\n{"ts":2}\n')
    assert outrider("status", "--json").data["record"]["spool_waiting"] == 2


def test_doctor_finds_nothing_bad_after_init(outrider: Run) -> None:
    outrider("init", "--enforce", "--yes")
    done = outrider("doctor")
    assert done.code == 0, done.out
    assert "in force" in done.out


def test_doctor_sees_keys_that_others_can_read(outrider: Run, home: Home) -> None:
    outrider("init", "--yes")
    key = home.keys / "log.key"
    key.write_text("x")
    key.chmod(0o644)
    done = outrider("doctor")
    assert done.code == 1
    assert f"chmod 600 {key}" in done.out


def test_doctor_sees_a_client_that_is_gone(outrider: Run, home: Home) -> None:
    outrider("init", "--yes")
    (home.bin / "outrider-daemon").unlink()
    assert "which is gone" in outrider("doctor").out


def test_doctor_reads_the_end_of_the_daemons_log(outrider: Run, home: Home) -> None:
    home.make()
    (home.run / "daemon.log").write_text("outrider: the record is damaged\n")
    assert "the record is damaged" in outrider("doctor").out


def test_doctor_reads_what_may_be_lent(outrider: Run, home: Home) -> None:
    home.make()
    path = home.root / "credentials.toml"
    path.write_text('[git."git.example"]\n')
    assert "git:git.example" in outrider("doctor").out
    path.write_text("rotate_days = 0\n")
    done = outrider("doctor")
    assert done.code == 1
    assert "rotate_days" in done.out


def test_doctor_speaks_json(outrider: Run) -> None:
    data = outrider("doctor", "--json").data
    assert isinstance(data["ok"], bool)
    assert json.dumps(data["findings"])


def test_a_program_that_was_named_is_the_one_that_is_asked(
    outrider: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = host(tmp_path, NEW)
    named = program.rename(tmp_path / "claude-elsewhere")
    outrider("init", "--enforce", "--yes", "--claude", str(named))
    assert not [one for one in findings(outrider) if "unknown version" in one or "no coding agent" in one]
    assert outrider("doctor").code == 0
    outrider("init", "--observe", "--yes")
    assert outrider("status", "--json").data["host"]["path"] == str(named)
    named.unlink()
    assert [one for one in findings(outrider) if "unknown version" in one]


def test_doctor_lets_the_rules_about_code_find_their_canaries(outrider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rules about code find what they must" in outrider("doctor").out
    monkeypatch.setattr("outrider.detect.code.vectors.silent", lambda: ["python"])
    done = outrider("doctor")
    assert done.code == 1
    assert "find nothing where they must, in: python" in done.out
