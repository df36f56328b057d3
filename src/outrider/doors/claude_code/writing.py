"""Our answers in Claude Code's words. Silence where we allow, so that the host's own prompts still work.

Every answer is JSON on stdout with exit status 0, but for two kinds that also use status 2, which blocks even where
the JSON is lost: a refused change of settings, and "undecided". The hook clients carry the same undecided answers.
"""

from __future__ import annotations

from typing import Any

import msgspec

from outrider.doors.claude_code.events import MAX_TEXT, TAKES_CONTEXT
from outrider.doors.show import cap, show
from outrider.events.message import Answer, Wire

SILENCE = Wire()


def _text(text: str) -> str:
    return cap(show(text), MAX_TEXT)


def _wire(value: dict[str, Any], *, code: int = 0, stderr: str = "") -> Wire:
    return Wire(stdout=msgspec.json.encode(value), stderr=f"{stderr}\n".encode() if stderr else b"", code=code)


def _specific(event: str, **fields: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": event, **fields}}


def render(event: str, answer: Answer) -> Wire:
    """Return what the hook client must print for an answer to ``event``.

    A verdict that the event has no form for falls to the stricter one that it has (``ask`` where nobody can be asked
    is a deny), or, where the hook can stop nothing, becomes a message to the user.
    """
    reason = _text(answer.reason) or "refused by Outrider"
    context = _text(answer.context) if event in TAKES_CONTEXT else ""
    if event == "PreToolUse":
        return _pre_tool_use(answer, reason, context)
    if event == "PermissionRequest":
        return _permission_request(answer, reason)
    body: dict[str, Any] = _specific(event, additionalContext=context) if context else {}
    if answer.verdict in ("deny", "ask"):
        if event in ("UserPromptSubmit", "PostToolUse", "ConfigChange"):
            body = {"decision": "block", "reason": reason, **body}
        elif event not in ("Stop", "SubagentStop", "SessionEnd"):  # To block an end is to keep the agent running.
            body = {"systemMessage": reason, **body}
        if event == "ConfigChange":
            return _wire(body, code=2, stderr=reason)
    return _wire(body) if body else SILENCE


def _permission_request(answer: Answer, reason: str) -> Wire:
    if answer.verdict == "allow":
        return _wire(_specific("PermissionRequest", decision={"behavior": "allow"}))
    if answer.verdict == "deny":
        return _wire(_specific("PermissionRequest", decision={"behavior": "deny", "message": reason}))
    return SILENCE  # The host is asking its user at this moment.


def _pre_tool_use(answer: Answer, reason: str, context: str) -> Wire:
    fields: dict[str, Any] = {}
    if answer.verdict != "silent":
        fields["permissionDecision"] = answer.verdict
        if answer.verdict != "allow" or answer.reason:
            fields["permissionDecisionReason"] = reason
    if context:
        fields["additionalContext"] = context
    return _wire(_specific("PreToolUse", **fields)) if fields else SILENCE


def undecided(event: str, verdict: str, reason: str) -> Wire:
    """Return what is sent where no decision could be reached.

    Args:
        event: The host's name of the event.
        verdict: What the charter or the hook says that this means: ``deny``, ``ask`` or ``allow``. Anything else is
            ``deny``.
        reason: What is wrong and what to do about it.
    """
    said = _text(reason)
    if verdict not in ("ask", "allow"):
        verdict = "deny"
    if verdict == "allow":
        return SILENCE
    if event == "PreToolUse":
        value = _specific(event, permissionDecision=verdict, permissionDecisionReason=said)
        return _wire(value) if verdict == "ask" else _wire(value, code=2, stderr=said)
    if event == "PermissionRequest" and verdict == "deny":
        return _wire(_specific(event, decision={"behavior": "deny", "message": said}))
    if event == "ConfigChange":
        return _wire({"decision": "block", "reason": said}, code=2, stderr=said)
    return SILENCE
