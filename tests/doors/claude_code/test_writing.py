"""Our answers in Claude Code's words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.claude_code import render, undecided
from outrider.doors.claude_code.events import EVENTS, TAKES_CONTEXT
from outrider.events.message import Answer, Wire

ADVICE = "reads ~/.ssh/id_rsa, which [never] of charter coder forbids. Use the deploy key that ops hands out."


def out(wire: Wire) -> dict:
    return json.loads(wire.stdout)


@pytest.mark.parametrize("event", [*EVENTS, "NeverHeardOf"])
def test_silence_is_nothing_at_all(event):
    assert render(event, Answer()) == Wire()
    assert undecided(event, "allow", "x") == Wire()


def test_a_denied_call_gets_its_reason_and_advice_in_the_hosts_own_field():
    wire = render("PreToolUse", Answer(verdict="deny", reason=ADVICE))
    assert (wire.code, wire.stderr) == (0, b"")
    assert out(wire) == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": ADVICE,
        }
    }


def test_an_affirmative_allow_is_said_only_when_it_is_meant():
    said = out(render("PreToolUse", Answer(verdict="allow")))["hookSpecificOutput"]
    assert said == {"hookEventName": "PreToolUse", "permissionDecision": "allow"}
    for event in EVENTS:
        if event not in ("PreToolUse", "PermissionRequest"):
            assert render(event, Answer(verdict="allow")) == Wire()


def test_ask_is_ask():
    said = out(render("PreToolUse", Answer(verdict="ask", reason="pushes to main")))["hookSpecificOutput"]
    assert (said["permissionDecision"], said["permissionDecisionReason"]) == ("ask", "pushes to main")


def test_a_permission_request_is_decided_in_its_own_form():
    deny = out(render("PermissionRequest", Answer(verdict="deny", reason="no")))["hookSpecificOutput"]
    assert deny["decision"] == {"behavior": "deny", "message": "no"}
    allow = out(render("PermissionRequest", Answer(verdict="allow")))["hookSpecificOutput"]
    assert allow["decision"] == {"behavior": "allow"}
    assert render("PermissionRequest", Answer(verdict="ask", reason="x")) == Wire()


@pytest.mark.parametrize("verdict", ["deny", "ask"])
def test_a_settings_change_is_blocked_by_status_and_by_word(verdict):
    wire = render("ConfigChange", Answer(verdict=verdict, reason="switches the hooks off"))
    assert wire.code == 2
    assert wire.stderr == b"switches the hooks off\n"
    assert out(wire) == {"decision": "block", "reason": "switches the hooks off"}


@pytest.mark.parametrize("verdict", ["deny", "ask"])
def test_a_prompt_is_blocked_in_its_own_form(verdict):
    wire = render("UserPromptSubmit", Answer(verdict=verdict, reason="no"))
    assert wire.code == 0
    assert out(wire) == {"decision": "block", "reason": "no"}


@pytest.mark.parametrize("event", sorted(TAKES_CONTEXT))
def test_guidance_goes_into_the_agents_context_where_the_host_has_a_channel(event):
    wire = render(event, Answer(context="Your charter: coder."))
    assert out(wire) == {"hookSpecificOutput": {"hookEventName": event, "additionalContext": "Your charter: coder."}}


@pytest.mark.parametrize("event", sorted({*EVENTS, "NeverHeardOf"} - TAKES_CONTEXT))
def test_guidance_is_left_out_where_there_is_no_channel(event):
    assert render(event, Answer(context="x")) == Wire()


def test_a_deny_can_carry_guidance_too():
    said = out(render("PreToolUse", Answer(verdict="deny", reason="no", context="do this")))["hookSpecificOutput"]
    assert said["additionalContext"] == "do this"
    said = out(render("PostToolUse", Answer(verdict="deny", reason="no", context="do this")))
    assert said["decision"] == "block"
    assert said["hookSpecificOutput"]["additionalContext"] == "do this"


@pytest.mark.parametrize("event", ["Stop", "SubagentStop", "SessionEnd"])
def test_an_end_is_never_blocked(event):
    assert render(event, Answer(verdict="deny", reason="x")) == Wire()


def test_a_refusal_that_can_stop_nothing_is_told_to_the_user():
    assert out(render("SessionStart", Answer(verdict="deny", reason="unknown charter"))) == {
        "systemMessage": "unknown charter"
    }


def test_a_deny_without_a_reason_still_says_something():
    said = out(render("PreToolUse", Answer(verdict="deny")))["hookSpecificOutput"]
    assert said["permissionDecisionReason"]


def test_what_an_attacker_wrote_is_shown_and_never_rendered():
    nasty = "run \x1b[31mrm\x1b[0m \u202egnp.exe\u202c zero\u200bwidth \U000e0041 tag \ud83d half"
    wire = render("PreToolUse", Answer(verdict="deny", reason=nasty))
    reason = out(wire)["hookSpecificOutput"]["permissionDecisionReason"]
    for mark in ("<U+001B>", "<U+202E>", "<U+200B>", "<U+E0041>", "<U+D83D>"):
        assert mark in reason
    assert "\x1b" not in reason
    assert reason.isprintable()


@pytest.mark.parametrize("char", ["x", "ä", "\U0001f600", "\u200b", "\n"])
def test_no_string_is_longer_than_the_host_takes(char):
    wire = render("PreToolUse", Answer(verdict="deny", reason=char * 20_000, context=char * 20_000))
    said = out(wire)["hookSpecificOutput"]
    for key in ("permissionDecisionReason", "additionalContext"):
        assert 9_980 <= len(said[key].encode("utf-16-le")) // 2 <= 10_000
        assert said[key].endswith(" [cut]")


@given(st.sampled_from([*EVENTS, "New"]), st.sampled_from(["silent", "allow", "ask", "deny"]), st.text(), st.text())
def test_every_answer_is_silence_or_one_json_object(event, verdict, reason, context):
    wire = render(event, Answer(verdict=verdict, reason=reason, context=context))
    assert wire.code in (0, 2)
    if wire.stdout:
        assert isinstance(out(wire), dict)
    assert (wire.code == 2) == (event == "ConfigChange" and verdict in ("ask", "deny"))


@pytest.mark.parametrize("verdict", ["deny", "", "DENY", "error", "nonsense"])
def test_undecided_is_deny_unless_it_says_otherwise(verdict):
    wire = undecided("PreToolUse", verdict, "the daemon is starting")
    assert wire.code == 2
    assert wire.stderr == b"the daemon is starting\n"
    assert out(wire)["hookSpecificOutput"]["permissionDecision"] == "deny"


def test_undecided_can_ask_where_the_host_can():
    wire = undecided("PreToolUse", "ask", "why")
    assert wire.code == 0
    assert out(wire)["hookSpecificOutput"]["permissionDecision"] == "ask"
    assert undecided("PermissionRequest", "ask", "why") == Wire()
    assert undecided("ConfigChange", "ask", "why").code == 2
