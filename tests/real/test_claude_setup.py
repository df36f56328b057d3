"""What a user does with Outrider, on the real client: preview, enforce, look, undo, uninstall."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.real.claude_code import ClaudeCode, World
from tests.real.rider import SRC, Rider
from tests.real.scripted_model import Heard, Turn, bash, use

from outrider.config import load_config, save_config
from outrider.events.record import CallResult, RecordGap

pytestmark = pytest.mark.real

ODD = '{\n   "model":"opus" ,\r\n\t"permissions": { "deny": [ "WebFetch" ] }, "x": "\\u00e9"\n}'
"""Settings that no program would write like that."""


def outside(world: World) -> Path:
    """Return a path where a coder may not write."""
    return world.home / "outside.txt"


def findings(rider: Rider, *, ok: int = 0) -> list[dict[str, Any]]:
    """Return what ``outrider doctor`` finds; ``ok`` is its exit status."""
    return [one for part in rider.json("doctor", ok=ok)["data"]["findings"].values() for one in part]


def repository(rider: Rider) -> dict[str, Any]:
    """Return what ``outrider status`` says about the world's repository."""
    [one] = rider.json("status")["data"]["repositories"]
    return one


def test_a_preview_refuses_only_what_the_floor_refuses_and_records_what_it_would_have(
    rider: Rider, claude: ClaudeCode
) -> None:
    rider.init("--charter", "coder")
    off = claude.world.repo / ".claude" / "settings.json"
    write = use("Write", file_path=str(off), content='{"disableAllHooks": true}')
    told: list[str] = []

    def listen(heard: Heard) -> Turn:
        told.append(heard.last.text)
        return Turn("finished")

    run = claude([bash(f"touch {outside(claude.world)}"), write, listen], allowed=("Bash", "Write"), mode="acceptEdits")
    assert run.final == "finished", run
    assert outside(claude.world).exists()
    assert not off.exists()
    assert "floor.host-settings" in told[0]
    would, floor = (one.decision for one in rider.decisions())
    assert (would.verdict, would.enforced, would.mode) == ("deny", "allow", "observe")
    assert {hit.rule for hit in would.hits} == {"coder.may.write"}
    assert (floor.verdict, floor.enforced) == ("deny", "deny")
    assert (repository(rider)["mode"], repository(rider)["protected"]) == ("observe", False)


def test_enforce_refuses_what_the_preview_only_watched(rider: Rider, claude: ClaudeCode) -> None:
    rider.init("--charter", "coder")
    rider.init("--enforce")
    run = claude([bash(f"touch {outside(claude.world)}"), Turn("finished")])
    assert run.final == "finished", run
    assert not outside(claude.world).exists()
    [decided] = rider.decisions()
    assert (decided.decision.enforced, decided.decision.mode) == ("deny", "enforce")
    covered = repository(rider)
    assert (covered["charter"], covered["mode"], covered["protected"], covered["why"]) == ("coder", "enforce", True, [])


def test_undo_brings_the_settings_back_byte_for_byte_and_the_next_session_is_free(
    rider: Rider, claude: ClaudeCode
) -> None:
    settings = claude.world.settings
    settings.parent.mkdir(parents=True)
    settings.write_bytes(ODD.encode())
    rider.init("--charter", "coder", "--enforce")
    assert json.loads(settings.read_text())["permissions"] == {"deny": ["WebFetch"]}
    claude([bash(f"touch {outside(claude.world)}"), Turn("held")])
    assert len(rider.births()) == 1
    assert not outside(claude.world).exists()
    rider.command("init", "--undo", "--yes")
    assert settings.read_bytes() == ODD.encode()
    run = claude([bash(f"touch {outside(claude.world)}"), Turn("free")])
    assert run.final == "free", run
    assert outside(claude.world).exists()
    assert len(rider.births()) == 1
    assert rider.json("status")["data"]["repositories"] == []


def test_uninstall_takes_everything_out_but_the_record(rider: Rider, claude: ClaudeCode) -> None:
    rider.init("--charter", "coder", "--enforce")
    claude([bash("touch held"), Turn("held")])
    assert rider.pid
    rider.command("uninstall", "--yes")
    rider.wait(lambda: not rider.pid, "the daemon did not end")
    assert not claude.world.settings.exists(), "there was none before"
    run = claude([bash(f"touch {outside(claude.world)}"), Turn("free")])
    assert run.final == "free", run
    assert outside(claude.world).exists()
    assert not rider.pid
    assert len(rider.births()) == 1
    assert rider.json("verify")["data"]["ok"]
    assert any("no agent's settings" in one["what"] for one in findings(rider))


def test_status_and_doctor_tell_what_is_so_before_and_after(rider: Rider, claude: ClaudeCode) -> None:
    before = rider.json("status")["data"]
    assert (before["daemon"]["running"], before["repositories"], before["record"]["events"]) == (False, [], 0)
    assert any("no agent's settings" in one["what"] for one in findings(rider))
    rider.init("--charter", "coder", "--enforce")
    assert any(f"hooks are in force in {claude.world.settings}" in one["what"] for one in findings(rider))
    assert not repository(rider)["why"]
    claude([bash("ls"), Turn("finished")])
    earlier = len(rider.events())
    after = rider.json("status")["data"]
    assert after["daemon"]["running"]
    assert after["daemon"]["pid"] == rider.pid
    # A living daemon may write (a heartbeat, an end that was noticed) between two looks at its record.
    assert 0 < earlier <= after["record"]["events"] <= len(rider.events())
    (claude.world.repo / ".claude").mkdir(exist_ok=True)
    (claude.world.repo / ".claude" / "settings.json").write_text('{"disableAllHooks": true}')
    assert not repository(rider)["protected"]
    assert "disableAllHooks" in str(repository(rider)["why"])
    assert any(one["level"] == "bad" and "disableAllHooks" in one["what"] for one in findings(rider, ok=1))


def test_a_hook_client_that_is_gone_refuses_every_call_and_is_found(world: World, claude: ClaudeCode) -> None:
    copy = world.root / "src"
    shutil.copytree(SRC / "outrider", copy / "outrider", ignore=shutil.ignore_patterns("__pycache__"))
    (copy.parent / "charters").symlink_to(SRC.parent / "charters")
    rider = Rider(world, copy)
    try:
        rider.init("--charter", "coder", "--enforce")
        for name in ("outrider-hook", "client.py"):
            (copy / "outrider" / "hook" / name).unlink(missing_ok=True)
        run = claude([bash("touch made"), Turn("stopped")])
        assert not (world.repo / "made").exists(), run
        usual = Rider(world)
        assert any(one["level"] == "bad" and "which is gone" in one["what"] for one in findings(usual, ok=1))
        assert not repository(usual)["protected"]
    finally:
        rider.kill()


def test_hooks_over_http_judge_and_record_as_well(rider: Rider, claude: ClaudeCode, free_port: int) -> None:
    rider.home.make()
    config = load_config(rider.home)
    save_config(rider.home, type(config)(http=type(config.http)(port=free_port)))
    rider.init("--charter", "coder", "--enforce", "--http")
    kinds = {
        event: {hook["type"] for group in groups for hook in group["hooks"]}
        for event, groups in json.loads(claude.world.settings.read_text())["hooks"].items()
    }
    assert kinds["PreToolUse"] == {"http"}

    def nobody_listens(heard: Heard) -> Turn:
        assert "Outrider refused this call" in heard.last.text
        rider.kill()
        return bash("touch while-dead")

    run = claude([bash("touch made"), bash(f"touch {outside(claude.world)}"), nobody_listens, Turn("finished")])
    assert "ECONNREFUSED" in str(run), "over HTTP nobody starts the daemon in mid-session, and every event is refused"
    assert (claude.world.repo / "made").exists()
    assert not outside(claude.world).exists()
    assert not (claude.world.repo / "while-dead").exists()
    assert [one.decision.enforced for one in rider.decisions()] == ["allow", "deny"]
    assert [result.ok for result in rider.events(CallResult)] == [True]
    assert not rider.events(RecordGap)
    assert any("HTTP" in one["what"] for one in rider.json("status")["data"]["findings"])
