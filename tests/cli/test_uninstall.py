from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Run

from outrider.cli import launchers
from outrider.config import Home, load_config


def test_uninstall_takes_everything_out_and_keeps_the_record(
    outrider: Run, world: Path, home: Home, settings: Path
) -> None:
    settings.parent.mkdir()
    settings.write_text('{"model": "opus"}')
    outrider("init", "--yes")
    outrider("init", "--local", "--yes")
    done = outrider("uninstall", "--yes")
    assert done.code == 0
    assert settings.read_text() == '{"model": "opus"}'
    assert not (world / ".claude").exists()
    assert home.record.is_dir()
    assert str(home.record) in done.err
    assert load_config(home).repositories == ()
    assert list(home.bin.iterdir()) == []


def test_hooks_that_no_list_names_are_found_too(outrider: Run, home: Home, settings: Path) -> None:
    outrider("init", "--yes")
    (home.root / "installed.json").unlink()
    outrider("uninstall", "--yes")
    assert "claude_code" not in settings.read_text()


def test_nobody_to_say_yes_leaves_everything(outrider: Run, settings: Path) -> None:
    outrider("init", "--yes")
    before = settings.read_bytes()
    assert outrider("uninstall").code == 4
    assert settings.read_bytes() == before


def test_a_service_needs_systemd_and_says_so(outrider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = outrider("up", "--service")
    assert done.code == 7
    assert "--foreground" in done.err
    assert not launchers.unit_path().exists()


def test_the_service_starts_the_launcher(outrider: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    (tmp_path / "bin" / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    (tmp_path / "bin" / "systemctl").chmod(0o755)
    answers = iter([None, {"pid": 5, "events": 1}, {"pid": 5, "events": 1}])
    monkeypatch.setattr("outrider.cli.reach.status", lambda _home=None: next(answers))
    assert outrider("up", "--service").code == 0
    assert "enable --now outrider.service" in log.read_text()
    assert "outrider-daemon" in launchers.unit_path().read_text()


def test_a_home_too_deep_for_a_socket_is_refused(outrider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_HOME", "/tmp/" + "x" * 120)
    assert outrider("init", "--yes").code == 2
