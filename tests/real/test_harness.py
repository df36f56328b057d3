"""The harness itself: what the real client does with no hook, with a stub hook, and with a hook that is not there.

Every test with the real daemon stands on these: if one fails here, the client has changed, not Outrider.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.real.claude_code import ClaudeCode, Recorder, hook_settings
from tests.real.scripted_model import Heard, Script, Turn, bash, task, use

pytestmark = pytest.mark.real

REASON = "not here; write to notes.txt instead"
DENY = {
    "hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": REASON,
    }
}


def ask(reason: str) -> dict[str, Any]:
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "ask",
            "permissionDecisionReason": reason,
        }
    }


def test_without_a_hook_the_tool_runs(claude: ClaudeCode) -> None:
    run = claude([bash("touch ran"), Turn("finished")])
    assert run.code == 0, run
    assert run.final == "finished"
    assert (claude.world.repo / "ran").exists()


def test_a_silent_hook_lets_the_tool_run_and_sees_asking_and_outcome_under_one_id(
    claude: ClaudeCode, recorder: Recorder
) -> None:
    run = claude([bash("echo hello > ran; cat ran")], settings=hook_settings(recorder.argv))
    assert (claude.world.repo / "ran").exists(), run
    [asked], [came_back] = recorder.seen("PreToolUse"), recorder.seen("PostToolUse")
    assert asked["tool_use_id"] == came_back["tool_use_id"]
    assert came_back["tool_response"]["stdout"] == "hello"
    assert {event["session_id"] for event in recorder.seen()} == {run.session}


def test_a_deny_blocks_and_the_agent_corrects_itself_after_the_advice(claude: ClaudeCode, recorder: Recorder) -> None:
    recorder.can("PreToolUse", DENY)

    def after_advice(heard: Heard) -> Turn:
        assert heard.last.failed
        assert REASON in heard.last.text
        (recorder.folder / "PreToolUse.answer").unlink()
        return bash("echo note > notes.txt")

    run = claude([bash("touch ran"), after_advice, Turn("corrected")], settings=hook_settings(recorder.argv))
    assert run.final == "corrected", run
    assert not (claude.world.repo / "ran").exists()
    assert (claude.world.repo / "notes.txt").read_text() == "note\n"


def test_an_ask_with_nobody_to_answer_is_a_deny(claude: ClaudeCode, recorder: Recorder) -> None:
    recorder.can("PreToolUse", ask("a person must say yes"))
    run = claude([bash("touch ran"), Turn("gave up")], settings=hook_settings(recorder.argv))
    assert run.final == "gave up", run
    assert not (claude.world.repo / "ran").exists()


def test_a_sub_agent_is_announced_and_its_calls_carry_its_id(claude: ClaudeCode, recorder: Recorder) -> None:
    script = Script(
        [task("Count the files, COUNTING"), Turn("thanks")],
        {"COUNTING": [bash("ls > counted"), Turn("there is one")]},
    )
    run = claude(script, settings=hook_settings(recorder.argv), allowed=("Bash", "Agent"))
    assert run.final == "thanks", run
    assert (claude.world.repo / "counted").exists()
    [started], [stopped] = recorder.seen("SubagentStart"), recorder.seen("SubagentStop")
    assert started["agent_id"] == stopped["agent_id"]
    assert stopped["last_assistant_message"] == "there is one"
    [call] = [event for event in recorder.seen("PreToolUse") if event["tool_name"] == "Bash"]
    assert call["agent_id"] == started["agent_id"]
    [returned] = [event for event in recorder.seen("PostToolUse") if event["tool_name"] == "Agent"]
    assert returned["tool_response"]["agentId"] == started["agent_id"]


def test_a_session_is_announced_and_its_end_arrives(claude: ClaudeCode, recorder: Recorder) -> None:
    run = claude([Turn("nothing to do")], settings=hook_settings(recorder.argv))
    kinds = [event["hook_event_name"] for event in recorder.seen()]
    assert kinds[0] == "SessionStart", run
    assert kinds[-1] == "SessionEnd"
    assert "UserPromptSubmit" in kinds


def test_context_given_at_session_start_reaches_the_model(claude: ClaudeCode, recorder: Recorder) -> None:
    said = "You work under the charter of the harness."
    context = {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": said}}
    recorder.can("SessionStart", context)
    heard: list[str] = []

    def listen(so_far: Heard) -> Turn:
        heard.append(so_far.told)
        return Turn("heard")

    run = claude([listen], settings=hook_settings(recorder.argv))
    assert run.final == "heard"
    assert said in heard[0]


def test_an_mcp_tool_is_called_through_the_hook(
    claude: ClaudeCode, recorder: Recorder, mcp: dict[str, Any], mcp_log: Any
) -> None:
    run = claude(
        [use("mcp__demo__add", a=2, b=40), Turn("added")],
        settings=hook_settings(recorder.argv),
        mcp=mcp,
        allowed=("mcp__demo__add",),
    )
    assert run.final == "added", run
    [call] = [event for event in recorder.seen("PreToolUse") if event["tool_name"] == "mcp__demo__add"]
    [reached] = [json.loads(line) for line in mcp_log.read_text().splitlines()]
    assert reached["_meta"]["claudecode/toolUseId"] == call["tool_use_id"]
    assert "42" in json.dumps(run.results)


def test_a_hook_that_is_not_there_refuses_the_call_when_told_to_block_on_failure(claude: ClaudeCode) -> None:
    gone = hook_settings(lambda event: ["/nonexistent/outrider-hook", event], events=["PreToolUse"])
    run = claude([bash("touch ran"), Turn("stopped")], settings=gone)
    assert run.final == "stopped", run
    assert not (claude.world.repo / "ran").exists()


def test_a_hook_that_is_not_there_lets_the_call_through_otherwise(claude: ClaudeCode) -> None:
    gone = hook_settings(
        lambda event: ["/nonexistent/outrider-hook", event], events=["PreToolUse"], block_on_failure=False
    )
    run = claude([bash("touch ran")], settings=gone)
    assert (claude.world.repo / "ran").exists(), run


def test_a_changed_settings_file_can_be_refused_in_the_same_session(claude: ClaudeCode, recorder: Recorder) -> None:
    recorder.can("ConfigChange", {"decision": "block", "reason": "settings stay as they are"})
    # The client itself asks before a shell command that visibly writes its settings; a script does it unseen.
    switch_off = "import pathlib; pathlib.Path('.claude/settings.json').write_text('{\"disableAllHooks\": true}')"
    (claude.world.repo / "configure.py").write_text(switch_off)
    wait = "for i in $(seq 100); do ls ../../recorded | grep -q ConfigChange.json && break; sleep 0.1; done"

    run = claude(
        [bash("python3 configure.py"), bash(wait), bash("touch ran")],
        settings=hook_settings(recorder.argv),
        project_settings={},
    )
    [change] = recorder.seen("ConfigChange")
    assert change["file_path"] == str(claude.world.repo / ".claude" / "settings.json"), run
    assert len(recorder.seen("PreToolUse")) == 3, "the hook was switched off in mid-session"
