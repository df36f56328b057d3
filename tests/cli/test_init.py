from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from tests.cli.conftest import OLD, Run, host

from outrider.config import Home, load_config
from outrider.doors.claude_code.events import INSTALLED
from outrider.doors.claude_code.installed import installations
from outrider.doors.claude_code.settings import drift


def test_init_writes_the_hooks_of_this_user_and_previews(
    outrider: Run, world: Path, settings: Path, home: Home
) -> None:
    done = outrider("init", "--yes")
    assert done.code == 0
    assert drift({"it": settings.read_text()}) == []
    assert load_config(home).charter_for(str(world)) == ("coder", "observe")
    assert "PREVIEW" in done.err
    assert "+++" in done.out
    assert not (world / ".claude").exists()


def test_it_says_in_five_lines_what_will_happen(outrider: Run) -> None:
    told = outrider("init", "--yes").err.splitlines()
    assert [line[:2] for line in told[-5:]] == ["1.", "2.", "3.", "4.", "5."]


def test_the_preview_says_which_charter_is_for_ones_own_desk(outrider: Run, world: Path, home: Home) -> None:
    assert "--charter developer" in outrider("init").err
    chosen = outrider("init", "--charter", "developer", "--enforce", "--yes")
    assert "has charter developer (you chose it)" in chosen.err
    assert "At your own desk" not in chosen.err
    assert load_config(home).charter_for(str(world)) == ("developer", "enforce")


def test_nobody_to_say_yes_changes_nothing(outrider: Run, settings: Path, home: Home) -> None:
    done = outrider("init")
    assert done.code == 4
    assert "--yes" in done.err
    assert not settings.exists()
    assert not home.root.exists()


def test_the_hook_is_absolute_and_has_a_way_to_start_the_daemon(outrider: Run, settings: Path, home: Home) -> None:
    outrider("init", "--yes")
    hooks = json.loads(settings.read_text())["hooks"]
    assert set(hooks) == set(INSTALLED)
    handler = hooks["PreToolUse"][0]["hooks"][0]
    args = handler["args"]
    assert Path(handler["command"]).is_absolute()
    assert handler["onFailure"] == "block"
    assert args[args.index("--undecided") + 1] == "deny"
    start = Path(args[args.index("--start") + 1])
    assert start == home.bin / "outrider-daemon"
    assert stat.S_IMODE(start.stat().st_mode) == 0o700


def test_undo_restores_byte_for_byte(outrider: Run, settings: Path, home: Home) -> None:
    settings.parent.mkdir()
    before = b'{ "model":"opus",\r\n\t"hooks": {"Stop": [ ]}}   \n\n'
    settings.write_bytes(before)
    settings.chmod(0o640)
    outrider("init", "--yes")
    assert settings.read_bytes() != before
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    done = outrider("init", "--undo", "--yes")
    assert done.code == 0
    assert settings.read_bytes() == before
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    assert load_config(home).repositories == ()
    assert installations(home) == ()


def test_undo_where_there_was_nothing_leaves_nothing(outrider: Run, settings: Path) -> None:
    outrider("init", "--yes")
    outrider("init", "--undo", "--yes")
    assert not settings.parent.exists()


def test_undo_after_somebody_else_changed_the_file_removes_only_ours(outrider: Run, settings: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('{"model": "opus"}')
    outrider("init", "--yes")
    changed = json.loads(settings.read_text()) | {"theme": "dark"}
    settings.write_text(json.dumps(changed))
    done = outrider("init", "--undo", "--yes")
    assert json.loads(settings.read_text()) == {"model": "opus", "theme": "dark"}
    assert "only Outrider's entries" in done.err


def test_init_twice_then_undo_restores_what_was_before_the_first(outrider: Run, settings: Path, tmp_path: Path) -> None:
    settings.parent.mkdir()
    settings.write_text('{"model": "opus"}')
    host(tmp_path, OLD)
    outrider("init", "--yes")
    host(tmp_path, "2.1.330")
    outrider("init", "--yes")
    assert "onFailure" in settings.read_text()
    outrider("init", "--undo", "--yes")
    assert settings.read_text() == '{"model": "opus"}'


def test_enforce_later_only_switches_the_mode(outrider: Run, world: Path, settings: Path, home: Home) -> None:
    outrider("init", "--yes")
    before = settings.read_bytes()
    done = outrider("init", "--enforce")
    assert done.code == 0
    assert settings.read_bytes() == before
    assert load_config(home).charter_for(str(world)) == ("coder", "enforce")
    outrider("init")
    assert load_config(home).charter_for(str(world)) == ("coder", "enforce")


def test_a_settings_file_that_is_a_link_stays_one(outrider: Run, settings: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    dotfiles.write_text("{}")
    settings.parent.mkdir()
    settings.symlink_to(dotfiles)
    outrider("init", "--yes")
    assert settings.is_symlink()
    assert "PreToolUse" in dotfiles.read_text()
    outrider("init", "--undo", "--yes")
    assert settings.is_symlink()
    assert dotfiles.read_text() == "{}"


def test_a_link_in_a_repository_that_leads_out_of_it_is_refused(outrider: Run, world: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("{}")
    (world / ".claude").mkdir()
    (world / ".claude" / "settings.local.json").symlink_to(tmp_path / "victim")
    done = outrider("init", "--local", "--yes")
    assert done.code == 4
    assert (tmp_path / "victim").read_text() == "{}"


@pytest.mark.parametrize("text", ["{", '{"hooks": []}', "[]", '{"a": 1, "a": 2}', "\xff"])
def test_settings_that_make_no_sense_are_refused_and_untouched(outrider: Run, settings: Path, text: str) -> None:
    settings.parent.mkdir()
    settings.write_bytes(text.encode("latin-1"))
    done = outrider("init", "--yes")
    assert done.code == 2
    assert "settings.json" in done.err
    assert settings.read_bytes() == text.encode("latin-1")


def test_a_version_that_cannot_fail_closed_is_said_loudly(outrider: Run, settings: Path, tmp_path: Path) -> None:
    host(tmp_path, OLD)
    done = outrider("init", "--yes")
    assert "CANNOT FAIL CLOSED" in done.err
    assert "onFailure" not in settings.read_text()


def test_no_agent_on_the_machine_is_an_answer(outrider: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = outrider("init", "--yes")
    assert done.code == 7
    assert "--claude" in done.err


def test_a_host_that_never_answers_has_no_version(
    outrider: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outrider.cli.hosts._PATIENCE", 0.05)
    program = tmp_path / "bin" / "claude"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    assert "unknown version" in outrider("init", "--yes").err


def test_local_is_refused_where_the_file_is_committed(outrider: Run, world: Path) -> None:
    (world / ".claude").mkdir()
    (world / ".claude" / "settings.local.json").write_text("{}")
    subprocess.run(["git", "add", "-f", ".claude"], check=True)
    done = outrider("init", "--local", "--yes")
    assert done.code == 4
    assert (world / ".claude" / "settings.local.json").read_text() == "{}"


def test_local_writes_only_here_and_undo_takes_it_back(outrider: Run, world: Path, settings: Path) -> None:
    done = outrider("init", "--local", "--yes")
    assert "do not commit it" in done.err
    assert "PreToolUse" in (world / ".claude" / "settings.local.json").read_text()
    assert not settings.exists()
    outrider("init", "--undo", "--yes")
    assert not (world / ".claude").exists()


def test_shared_names_no_path_of_this_machine_and_warns(
    outrider: Run, world: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outrider("init", "--shared", "--yes").code == 7
    monkeypatch.setenv("PATH", f"{home.bin}:{os.environ['PATH']}")
    done = outrider("init", "--shared", "--yes")
    assert done.code == 0
    assert "colleagues" in done.err
    assert "blocked" in done.err
    text = (world / ".claude" / "settings.json").read_text()
    assert "outrider-hook" in text
    assert str(home.root) not in text
    assert str(home.socket) in (home.bin / "outrider-hook").read_text()


def test_http_is_opt_in_and_its_token_does_not_show(outrider: Run, settings: Path, home: Home) -> None:
    done = outrider("init", "--http", "--yes")
    token = home.http_token.read_text().strip()
    assert "weaker" in done.err
    assert token in settings.read_text()
    assert token not in done.out + done.err
    assert stat.S_IMODE(home.http_token.stat().st_mode) == 0o600
    assert load_config(home).http.enabled
    assert outrider("init", "--http", "--shared", "--yes").code == 2


def test_an_agent_may_not_change_its_guard(outrider: Run, settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDECODE", "1")
    for arguments in (["init", "--yes"], ["init", "--undo", "--yes"], ["uninstall", "--yes"]):
        assert outrider(*arguments).code == 4
    assert not settings.exists()


def test_a_charter_that_is_not_there_is_refused_with_a_hint(outrider: Run, settings: Path) -> None:
    done = outrider("init", "--charter", "codr", "--yes")
    assert done.code == 2
    assert 'Did you mean "coder"' in done.err
    assert not settings.exists()


@pytest.mark.parametrize(
    ("names", "charter"),
    [
        (["main.tf", "vars.tf", "README.md"], "ops"),
        (["main.tf", "app.py", "lib.py"], "coder"),
        ([".github/workflows/ci.yml", "README.md"], "coder"),
        ([], "coder"),
    ],
)
def test_the_charter_suits_what_the_repository_is(
    outrider: Run, world: Path, home: Home, names: list[str], charter: str
) -> None:
    (world / "main.py").unlink()
    for name in names:
        (world / name).parent.mkdir(parents=True, exist_ok=True)
        (world / name).write_text("x")
    outrider("init", "--yes")
    assert load_config(home).charter_for(str(world)) == (charter, "observe")


def test_the_home_folder_is_no_repository(
    outrider: Run, a_home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(a_home_of_its_own)
    assert outrider("init", "--yes").code == 2


def test_undo_here_keeps_the_hooks_that_another_repository_needs(
    outrider: Run, world: Path, tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outrider("init", "--yes")
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    outrider("init", "--yes")
    assert outrider("init", "--undo", "--yes").code == 0
    assert "PreToolUse" in settings.read_text()
    monkeypatch.chdir(world)
    outrider("init", "--undo", "--yes")
    assert not settings.exists()


def test_settings_that_switch_hooks_off_are_said(outrider: Run, world: Path) -> None:
    (world / ".claude").mkdir()
    (world / ".claude" / "settings.json").write_text('{"disableAllHooks": true}')
    assert "NOT IN FORCE" in outrider("init", "--yes").err


def test_a_file_that_cannot_be_written_is_a_sentence_and_stays(
    outrider: Run, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.parent.mkdir()
    settings.write_text("{}")

    def full(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("outrider.doors.claude_code.files.os.replace", full)
    done = outrider("init", "--yes")
    assert done.code == 7
    assert "Read-only" in done.err
    assert settings.read_text() == "{}"
    assert sorted(path.name for path in settings.parent.iterdir()) == ["settings.json"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_hook = st.fixed_dictionaries({"matcher": st.text(max_size=5), "hooks": st.lists(_json, max_size=2)})
_hooks = st.dictionaries(st.sampled_from([*INSTALLED, "Notification"]), st.lists(_hook | _json, max_size=3), max_size=4)


@given(
    value=st.dictionaries(st.text().filter(lambda key: key != "hooks"), _json, max_size=4),
    hooks=st.none() | _hooks,
    indent=st.sampled_from([None, 0, 2, "\t"]),
    around=st.sampled_from(["", "\n", " \r\n"]),
)
@profile(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_init_then_undo_restores_any_settings(
    outrider: Run, settings: Path, value: dict[str, object], hooks: object, indent: int | str | None, around: str
) -> None:
    text = json.dumps(value if hooks is None else {**value, "hooks": hooks}, indent=indent) + around
    settings.parent.mkdir(exist_ok=True)
    settings.write_bytes(text.encode("utf-8", "surrogatepass"))
    before = settings.read_bytes()
    assert outrider("init", "--yes").code == 0
    assert drift({"it": settings.read_text()}) == []
    assert outrider("init", "--undo", "--yes").code == 0
    assert settings.read_bytes() == before
