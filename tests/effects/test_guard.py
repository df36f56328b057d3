"""What would change Outrider, and agents that are started out of sight."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from outrider.effects.place import Place
from outrider.effects.planning import plan

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)
HOME = playing.HOME


def writes(text: str) -> set[str]:
    return {effect.value for effect in playing.shell(text) if effect.verb == "write"}


CHANGES = [
    "outrider init", "outrider uninstall --yes", "outrider pause 1h --why x", "outrider resume", "outrider down",
    "outrider up --service", "outrider charter sign a.toml", "python -m outrider pause 1h", "uv run outrider down",
    "/opt/x/bin/outrider down", "uvx outrider pause", "outrider-hook --door x", "python -m outrider.daemon",
    "python3 -I -S /opt/x/outrider/hook/client.py --door x", "outrider $x", "pkill -f outrider",
    "killall outrider-daemon",
    "kill -9 $(cat ~/.outrider/run/daemon.lock)", "kill $(pgrep -f outrider-daemon)", "sudo outrider down",
    "P=$(pidof outrider); kill $P", "ps aux | grep outrider | awk '{print $2}' | xargs kill",
    "systemctl --user stop outrider", "outrider credential rotate", "outrider credential $x",
]  # fmt: skip


@pytest.mark.parametrize("text", CHANGES)
def test_what_changes_outrider_writes_its_folder(text):
    assert f"{HOME}/.outrider" in writes(text)
    assert any("guard_off" in effect.flags for effect in playing.shell(text))


@pytest.mark.parametrize(
    "text",
    ["outrider", "outrider status", "outrider why 3", "outrider log --json", "outrider agents", "outrider --help",
     "outrider involved evil.example", "outrider verify", "outrider charter", "outrider charter list",
     "outrider charter check a.toml", "python -m outrider status", "kill 12", "pkill node", "kill $!",
     "systemctl status outrider", "grep -r outrider ."],
)  # fmt: skip
def test_looking_at_outrider_is_free(text):
    assert writes(text) == set()
    assert not any("guard_off" in effect.flags for effect in playing.shell(text))


@pytest.mark.parametrize(
    "text",
    ["kill 4711", "kill -9 4711", "/bin/kill -s TERM 12 4711", "kill -- -4711", "P=4711; kill $P", "strace -p 4711",
     "strace -fp4711 -o out", "gdb -p 4711", "gdb --pid=4711 -batch", "gdb /usr/bin/python3 4711", "lldb -p 4711"],
)  # fmt: skip
def test_a_process_of_outrider_is_known_by_its_id(text):
    place = Place(HOME, playing.REPO, playing.REPO, guards=(4711,))
    found = plan(playing.call_of("shell", "Bash", {"command": text}, playing.REPO), place).effects
    assert any("guard_off" in effect.flags for effect in found)
    assert not any("guard_off" in effect.flags for effect in playing.shell(text))
    other = plan(playing.call_of("shell", "Bash", {"command": text.replace("4711", "14711")}, playing.REPO), place)
    assert not any("guard_off" in effect.flags for effect in other.effects)


def test_a_child_that_a_command_makes_is_a_child_and_what_it_runs_is_seen():
    found = playing.shell("outrider spawn --charter reviewer --no connect -- cat a.txt")
    assert [one.value for one in found if one.verb == "spawn"] == ["reviewer"]
    assert any(one.verb == "read" and one.value.endswith("a.txt") for one in found)
    assert any("guard_off" in one.flags for one in playing.shell("outrider spawn --charter=x -- outrider down"))
    assert any("inexact" in one.flags for one in playing.shell("outrider spawn --charter $X -- true"))


def test_a_command_that_prints_what_the_broker_lends_uses_that_credential():
    def used(text):
        return [one.value for one in playing.shell(text) if one.verb == "use_credential"]

    assert used("outrider credential token --audience https://vault.example") == [
        "brokered:audience:https://vault.example"
    ]
    assert used("outrider credential token --json --audience=a") == ["brokered:audience:a"]
    assert used("outrider credential aws deploy | jq .") == ["brokered:aws:deploy"]
    assert used("outrider credential issuer jwks") == used("outrider credential get") == []
    assert writes("outrider credential token --audience a") == set()
    assert any("inexact" in one.flags for one in playing.shell("outrider credential aws $X"))


def test_another_home_is_another_outrider_but_hosts_are_the_same():
    assert writes("OUTRIDER_HOME=/tmp/o outrider pause 1h") == {"/tmp/o"}
    assert f"{HOME}/.claude/settings.json" in writes("OUTRIDER_HOME=/tmp/o outrider uninstall")


DETACHED = [
    "setsid claude -p x", "setsid -f claude", "nohup claude &", "(claude -p x &)", "claude -p x & disown",
    "echo 'claude -p x' | at now", "systemd-run --user claude -p x", "tmux new -d claude",
    "tmux new-session -d -s w 'claude -p x'", "tmux send-keys -t w 'claude -p x' Enter", "screen -dm claude",
    "screen -S a -dm claude -p x", "setsid sh -c 'claude -p x'", "setsid npx @anthropic-ai/claude-code -p x",
]  # fmt: skip


@pytest.mark.parametrize("text", DETACHED)
def test_an_agent_started_out_of_sight_is_detached(text):
    spawns = [effect for effect in playing.shell(text) if effect.verb == "spawn"]
    assert [(effect.kind, effect.value) for effect in spawns] == [("agent", "claude")]
    assert "detached" in spawns[0].flags
    assert all("detached" not in effect.flags for effect in playing.shell(text) if effect.verb != "spawn")


@pytest.mark.parametrize(
    "text", ["claude -p x", "claude -p x & wait", "timeout 9 claude -p x", "npm start & claude -p x"]
)
def test_an_agent_started_in_sight_is_not_detached(text):
    assert all("detached" not in effect.flags for effect in playing.shell(text))
