from __future__ import annotations

import json
from pathlib import Path

import pytest

from outrider.config import Home
from outrider.doors.claude_code import files, settings
from outrider.doors.claude_code.installed import Installation, harmless, installations, place, put, take_out

COMMAND = ["/opt/outrider-hook", "--door", "claude_code", "--undecided", "deny"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "outrider")
    home.make()
    return home


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "user" / ".claude" / "settings.json"


def installed(home: Home, path: Path) -> Installation:
    now = files.read(path)
    text = settings.install(now.text, COMMAND, on_failure=True)
    return put(home, now, text, Installation(path=str(path), target="", after="", scope="user", on_failure=True))


def test_a_new_permission_is_harmless(home: Home, path: Path) -> None:
    installed(home, path)
    changed = json.loads(path.read_text()) | {"permissions": {"allow": ["Bash(ls)"]}}
    assert harmless(home, str(path), json.dumps(changed).encode())


@pytest.mark.parametrize("event", ["PreToolUse", "ConfigChange", "SessionStart"])
def test_a_missing_entry_is_not(home: Home, path: Path, event: str) -> None:
    installed(home, path)
    changed = json.loads(path.read_text())
    del changed["hooks"][event]
    assert not harmless(home, str(path), json.dumps(changed).encode())


@pytest.mark.parametrize("name", ["PreToolUse"])
def test_an_entry_that_no_longer_blocks_is_not(home: Home, path: Path, name: str) -> None:
    installed(home, path)
    changed = json.loads(path.read_text())
    del changed["hooks"][name][0]["hooks"][0]["onFailure"]
    assert not harmless(home, str(path), json.dumps(changed).encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"disableAllHooks": true}',
        '{"disableAllHooks": "yes"}',
        '{"allowManagedHooksOnly": true}',
        '{"env": {"CLAUDE_CODE_SIMPLE": "1"}}',
        '{"disableAllHooks": false, "disableAllHooks": true}',
        "{",
        "",
        "[]",
        "\xff",
    ],
)
def test_a_switch_is_not_harmless_anywhere(home: Home, tmp_path: Path, text: str) -> None:
    assert not harmless(home, str(tmp_path / "repo" / ".claude" / "settings.json"), text.encode("latin-1"))


def test_a_file_of_somebody_elses_without_a_switch_is_harmless(home: Home, tmp_path: Path) -> None:
    assert harmless(home, str(tmp_path / "settings.json"), b'{"disableAllHooks": false, "model": "opus"}')


def test_a_list_that_cannot_be_read_makes_nothing_harmless(home: Home, path: Path) -> None:
    place(home).write_text("{")
    assert not harmless(home, str(path), b"{}")


def test_the_same_file_by_another_name_is_known(home: Home, path: Path, tmp_path: Path) -> None:
    installed(home, path)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    assert not harmless(home, str(link), b"{}")


def test_a_crash_before_the_settings_were_written_is_undone_to_the_same(
    home: Home, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(parents=True)
    path.write_text('{"model": "opus"}')
    real = files.write

    def dies(target: Path, raw: bytes, mode: int) -> None:
        if target == path:
            raise KeyboardInterrupt
        real(target, raw, mode)

    monkeypatch.setattr(files, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        installed(home, path)
    monkeypatch.setattr(files, "write", real)
    (one,) = installations(home)
    assert take_out(home, one) == "kept"
    assert path.read_text() == '{"model": "opus"}'


def test_a_copy_that_was_lost_leaves_the_rest_of_the_file(home: Home, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text('{"model": "opus"}')
    one = installed(home, path)
    (home.root / "backups" / one.before).unlink()
    assert take_out(home, one) == "removed"
    assert json.loads(path.read_text()) == {"model": "opus"}
