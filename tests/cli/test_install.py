"""What ``outrider install --system`` shows beforehand, writes for an image, and refuses."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from outrider.cli import sensor_unit, system
from outrider.doors.claude_code import settings
from outrider.doors.claude_code.settings import drift


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user database in which ada and bob are."""
    known = {
        name: pwd.struct_passwd((name, "x", 64_000 + n, 64_000 + n, "", str(tmp_path / name), "/bin/sh"))
        for n, name in enumerate(("ada", "bob"), 31)
    }
    known["toor"] = pwd.struct_passwd(("toor", "x", 0, 0, "", "/root", "/bin/sh"))

    def look(name: str) -> pwd.struct_passwd:
        return known[name]

    monkeypatch.setattr(system.pwd, "getpwnam", look)


def test_a_dry_run_shows_every_step_and_text_and_does_nothing(outrider: Run, users: None, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = outrider("install", "--system", "--user", "ada", "--dry-run")
    assert done.code == 0
    for step in system.steps(system.Wanted(users=("ada",), charter="developer", mode="observe"), {"ada": "/home/ada"}):
        assert step.told in done.out
    assert "    | User=outrider" in done.out
    assert '    | users = ["ada"]' in done.out
    assert sorted(tmp_path.rglob("*")) == before
    assert not Path("/var/lib/outrider").exists()


def test_an_image_gets_all_files_and_nothing_is_run(outrider: Run, users: None, tmp_path: Path) -> None:
    root = tmp_path / "image"
    done = outrider(
        "install", "--system", "--user", "ada", "--user", "bob", "--charter", "coder", "--enforce", "--root", str(root),
        "--yes",
    )  # fmt: skip
    assert done.code == 0, done.err
    config = tomllib.loads((root / "var/lib/outrider/config.toml").read_text())
    assert config["daemon"]["users"] == ["ada", "bob"]
    assert [(one["path"], one["charter"]) for one in config["repositories"]] == [
        (str(tmp_path / "ada"), "coder"), (str(tmp_path / "bob"), "coder"),
    ]  # fmt: skip
    managed = root / "etc/claude-code/managed-settings.d/50-outrider.json"
    assert drift({str(managed): managed.read_text()}, on_failure=True) == []
    client = root / "usr/local/libexec/outrider/outrider-hook"
    assert os.access(client, os.X_OK)
    for path, mode in (("", 0o711), ("run", 0o711), ("record", 0o700), ("keys", 0o700), ("config.toml", 0o644)):
        assert (root / "var/lib/outrider" / path).stat().st_mode & 0o777 == mode


def test_no_hook_of_a_user_starts_a_daemon_or_lets_a_call_through_without_one() -> None:
    handlers = [group["hooks"][0] for groups in json.loads(system.hooks(on_failure=True))["hooks"].values()
                for group in groups]  # fmt: skip
    assert all("--start" not in one["args"] for one in handlers)
    assert all(one["args"][one["args"].index("--undecided") + 1] == "deny" for one in handlers)
    assert settings.uninstall(system.hooks(on_failure=True)).strip() in {"", "{}"}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze to check the unit with")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / system.UNIT.name
    unit.write_text(system.unit())
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "install is for whole machines"),
        (("--system",), "whose agents are to be judged is not said"),
        (("--system", "--user", "toor"), "root's agents could touch any record"),
        (("--system", "--user", "eve"), "there is no user 'eve'"),
        (("--system", "--user", "ada", "--charter", "none"), "there is no charter 'none'"),
    ],
)
def test_what_would_not_hold_is_refused_with_what_to_do(
    outrider: Run, users: None, arguments: tuple[str, ...], said: str
) -> None:
    done = outrider("install", *arguments, "--yes")
    assert done.code != 0
    assert said in done.err
    assert "\n  " in done.err


def test_a_program_that_a_served_user_owns_is_named_and_refused(
    outrider: Run, users: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "venv").mkdir()
    monkeypatch.setattr(system, "_PACKAGE", tmp_path / "venv")
    if os.geteuid() != 0:
        pytest.skip("only root gives files to another user")
    os.chown(tmp_path / "venv", 64_031, 64_031)
    done = outrider("install", "--system", "--user", "ada", "--yes")
    assert f"NOT OUT OF REACH: ada owns {tmp_path / 'venv'}" in done.err
    assert "could replace Outrider's program" in done.err
    assert not Path("/var/lib/outrider").exists()


def test_a_link_where_a_file_should_go_is_left_alone(outrider: Run, users: None, tmp_path: Path) -> None:
    root = tmp_path / "image"
    (root / "var/lib/outrider").mkdir(parents=True)
    (root / "var/lib/outrider/config.toml").symlink_to(tmp_path / "elsewhere")
    done = outrider("install", "--system", "--user", "ada", "--root", str(root), "--yes")
    assert "is a link, and is left alone" in done.err
    assert not (tmp_path / "elsewhere").exists()


def test_the_sensor_is_a_service_of_its_own_that_runs_apart_from_the_daemon(
    outrider: Run, users: None, tmp_path: Path
) -> None:
    root = tmp_path / "image"
    words = ("install", "--system", "--user", "ada", "--sensor", "--root", str(root), "--yes")
    done = outrider(*words)
    assert done.code == 0, done.err
    text = (root / "etc/systemd/system/outrider-sensor.service").read_text()
    assert "sensor run --user ada\n" in text
    assert "AmbientCapabilities=CAP_BPF CAP_PERFMON " in text
    assert "User=outrider" in text
    assert "CAP_BPF" not in (root / "etc/systemd/system/outrider.service").read_text()
    assert "sensor build" in done.out
    assert "outrider-sensor" not in outrider("install", "--system", "--user", "ada", "--dry-run").out


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze to check the unit with")
def test_systemd_finds_nothing_wrong_with_the_sensors_unit(tmp_path: Path) -> None:
    unit = tmp_path / sensor_unit.UNIT.name
    unit.write_text(sensor_unit.unit(("ada",)).replace("After=outrider.service\nPartOf=outrider.service\n", ""))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
