"""Ways around the floor and around [never], each proved once and closed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.redteam.conftest import Rig

from outrider.config import Home
from outrider.daemon.wiring import protected
from outrider.errors import BadInputError
from outrider.gate import chains


def test_a_pause_keeps_the_floor_behind_thirty_other_refusals(rig: Rig) -> None:
    rig.pause()
    keys = " ".join(f"~/.ssh/id_{n}" for n in range(30))
    assert rig.bash(f"cat {keys}; echo > .claude/settings.json") == "deny"
    assert "settings" in rig.answer.reason


def test_an_unclaimed_agent_is_asked_where_base_asks(rig: Rig) -> None:
    assert rig.bash("echo x >> ~/.bashrc") == "ask"


def test_an_unclaimed_agent_may_not_write_what_cannot_be_resolved(rig: Rig) -> None:
    (rig.repo / "loop").symlink_to("loop")
    assert rig.write(rig.repo / "loop") == "deny"


def test_a_preview_of_an_enforcing_charter_still_only_watches(rig: Rig) -> None:
    rig.use("coder", "observe")
    assert rig.write("/opt/elsewhere") == "silent"
    assert rig.write(rig.repo / ".claude" / "settings.json") == "deny"


def test_a_home_behind_a_link_is_protected_where_it_leads(rig: Rig, tmp_path: Path) -> None:
    real = tmp_path / "data" / "u"
    (real / ".ssh").mkdir(parents=True)
    (tmp_path / "u").symlink_to(real)
    host = rig.host(home=tmp_path / "u")
    assert rig.bash(f"cat {real}/.ssh/id_rsa", host) == "deny"
    assert rig.write(real / ".gitconfig", host) == "deny"
    assert rig.bash("cat ~/.ssh/id_rsa", host) == "deny"


def test_a_host_started_with_another_home_does_not_free_the_users_own(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "os_home", lambda _uid: str(rig.user))
    host = rig.host(home=tmp_path)
    assert rig.bash(f"cat {rig.user}/.ssh/id_rsa", host) == "deny"
    assert rig.write(rig.user / ".gitconfig", host) == "deny"


def test_a_child_with_another_home_is_on_its_parents_floor(rig: Rig, tmp_path: Path) -> None:
    parent = rig.host()
    assert rig.bash("true", parent, "parent") == "silent"
    child = rig.child_of(parent, home=tmp_path)
    assert rig.write(rig.user / ".gitconfig", child, "child") == "deny"


def test_outriders_home_behind_a_link_is_protected_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert str(tmp_path / "real") in protected(Home(tmp_path / "link"))


def test_a_second_name_of_a_settings_file_is_judged_as_that_file(rig: Rig) -> None:
    os.link(rig.repo / ".claude" / "settings.json", rig.repo / "notes.json")
    assert rig.write(rig.repo / "notes.json") == "deny"
    assert rig.bash("echo {} > notes.json") == "deny"
    os.link(rig.outrider.keys / "log.key", rig.repo / "k")
    assert rig.write(rig.repo / "k") == "deny"
    assert rig.ask("Read", {"file_path": str(rig.repo / "k")}) == "deny"
    (rig.repo / "a").write_text("")
    os.link(rig.repo / "a", rig.repo / "b")
    assert rig.write(rig.repo / "b") == "silent"


def test_a_working_directory_that_is_not_absolute_is_not_believed(rig: Rig) -> None:
    (rig.repo / "x").symlink_to(".claude/settings.json")
    with pytest.raises(BadInputError, match="absolute"):
        rig.write("x", cwd=".")


def test_an_older_hosts_many_edits_are_edits(rig: Rig) -> None:
    path = str(rig.repo / ".claude" / "settings.json")
    assert rig.ask("MultiEdit", {"file_path": path, "edits": [{"old_string": "a", "new_string": "b"}]}) == "deny"


@pytest.mark.parametrize(
    "command",
    [
        "ln -s evil .claude",
        "mv evil .claude",
        "mv .claude .c && echo {} > .c/settings.json && mv .c .claude",
        "cp evil/settings.json .claude/",
        "ln .claude/settings.json x; echo {} > x",
        "git restore --source=evil .claude",
        "echo {} > /dev/fd/../../../{repo}/.claude/settings.json",
        "jq . a | sponge .claude/settings.json",
        "outrider pause 1h --why x",
        "setsid -f outrider down",
        "python3 -m outrider uninstall",
        "pkill -f outrider.daemon",
    ],
)
def test_no_command_changes_settings_or_switches_the_guard_off(rig: Rig, command: str) -> None:
    (rig.repo / "evil").mkdir()
    assert rig.bash(command.replace("{repo}", str(rig.repo))) == "deny"


@pytest.mark.parametrize(
    ("tool", "key"), [("mcp__fs__write_file", "path"), ("mcp__fs__move", "destination"), ("SomeNewTool", "path")]
)
def test_no_tool_of_a_server_or_of_a_newer_host_changes_settings(rig: Rig, tool: str, key: str) -> None:
    path = str(rig.repo / ".claude" / "settings.json")
    assert rig.ask(tool, {key: path, "content": "{}"}) == "deny"
    assert rig.ask(tool, {"arguments": {key: path}}) == "deny"


def test_a_pause_keeps_the_floor_behind_more_paths_than_are_looked_at(rig: Rig) -> None:
    rig.pause()
    files = " ".join(f"f{n}" for n in range(300))
    assert rig.bash(f"touch {files}; echo > .claude/settings.json") == "deny"
