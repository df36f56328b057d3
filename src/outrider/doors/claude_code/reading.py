"""Claude Code's hook JSON, read into our messages. Unknown fields are tolerated, missing ones too, wrong types not.

Source: payloads captured from version 2.1.330 and the vendor's hooks reference.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from outrider.doors.claude_code.events import EVENTS, NAME
from outrider.doors.claude_code.output import output_text
from outrider.errors import BadInputError
from outrider.events.call import Call, Tool
from outrider.events.message import (
    BatchReturned,
    CallAsked,
    CallReturned,
    HostNote,
    Message,
    PermissionAsked,
    PromptSubmitted,
    SessionEnded,
    SessionStarted,
    SettingsChanged,
    SubagentStarted,
    SubagentStopped,
)

MAX_DEPTH = 128
"""Deepest nesting that is read. Real payloads nest less than ten deep."""

_KNOWN = frozenset(EVENTS)
_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_FIELDS = 64
_MAX_CALLS = 10_000

TOOLS: dict[str, Tool] = {
    "Bash": "shell",
    "PowerShell": "shell",
    "Monitor": "shell",
    "Read": "read",
    "Write": "write",
    "Edit": "edit",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Grep": "search",
    "Glob": "search",
    "WebFetch": "fetch",
    "WebSearch": "websearch",
    "Agent": "spawn",
    "Task": "spawn",
}
"""The host's own tools that have a normal form; ``mcp__*`` are ``mcp``, all others ``other``."""


class _Common(msgspec.Struct):
    """The fields that every event has."""

    session_id: str | None = None
    hook_event_name: str | None = None
    cwd: str | None = None
    transcript_path: str | None = None
    agent_id: str | None = None


class _ToolUse(_Common):
    tool_name: str | None = None
    tool_input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    permission_mode: str | None = None


class _ToolDone(_ToolUse):
    tool_response: Any = None
    error: Any = None
    duration_ms: int | float | None = None


class _BatchCall(msgspec.Struct):
    tool_name: str | None = None
    tool_use_id: str | None = None


class _Batch(_Common):
    tool_calls: list[_BatchCall] | None = None


class _Start(_Common):
    source: str | None = None


class _Prompt(_Common):
    prompt: str | None = None


class _Subagent(_Common):
    agent_type: str | None = None
    last_assistant_message: Any = None


class _End(_Common):
    reason: str | None = None


class _Config(_Common):
    source: str | None = None
    file_path: str | None = None


def tool_of(name: str) -> Tool:
    """Return the normal tool behind the host's own name of one."""
    if name.startswith("mcp__"):
        return "mcp"
    return TOOLS.get(name, "other")


def parse(payload: bytes, event: str) -> Message:
    """Return the message in a hook's input.

    Args:
        payload: What the host wrote to the hook's stdin or POSTed: one JSON object.
        event: The event that the hook was installed for. If the payload names another, one of the two lies.

    Raises:
        BadInputError: The payload is not JSON, nests deeper than :data:`MAX_DEPTH`, has a field of a wrong type, is of
            another event, has a working directory that is not absolute, or names no tool where one is asked for.
    """
    raw = _decode(payload)
    shape, build = _READERS.get(event, (_Common, None))
    try:
        fields: Any = msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        raise BadInputError(f"the {event} event has a field of a wrong type: {error}") from error
    if fields.hook_event_name not in (None, event):
        raise BadInputError(f"the hook for {event} was given the event {fields.hook_event_name[:64]!r}")
    if fields.cwd and not fields.cwd.startswith("/"):
        raise BadInputError("the event's working directory is not an absolute path")
    common = {
        "door": NAME,
        "session": fields.session_id or "",
        "event": event,
        "host_agent": fields.agent_id or "",
        "cwd": fields.cwd or "",
        "transcript": fields.transcript_path or "",
    }
    return build(fields, common) if build else _note(raw, common)


def _decode(payload: bytes) -> dict[str, Any]:
    try:
        try:
            raw = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            mended = _mend_surrogates(payload)
            if mended == payload:
                raise
            raw = msgspec.json.decode(mended)
    except msgspec.DecodeError as error:
        raise BadInputError(f"the event is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"the event is not UTF-8: {error}") from error
    except RecursionError as error:
        raise BadInputError("the event is nested too deeply") from error
    if not isinstance(raw, dict):
        raise BadInputError("the event is JSON but not an object")
    _check_depth(raw)
    return raw


_ESCAPE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.")


def _mend_surrogates(payload: bytes) -> bytes:
    """Replace lone surrogates, which JavaScript's strings may hold and Unicode text may not, by U+FFFD.

    That is what the host itself does when it writes such a string to a file or hands it to a program.
    """
    return _ESCAPE.sub(lambda m: b"\\ufffd" if len(m[0]) == 6 and m[0][1:2] == b"u" else m[0], payload)


def _check_depth(raw: dict[str, Any]) -> None:
    """Refuse what nests too deeply for those who encode it again, and integers that no JavaScript host can mean."""
    level: list[Any] = [raw]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadInputError(f"the event is nested more than {MAX_DEPTH} deep")
        below: list[Any] = []
        for item in level:
            for value in item.values() if isinstance(item, dict) else item:
                if isinstance(value, dict | list):
                    below.append(value)
                elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                    raise BadInputError("the event holds an integer of more than 64 bits")
        level = below


def _call(fields: Any, common: dict[str, str]) -> Call:
    name = fields.tool_name or ""
    return Call(
        door=NAME,
        session=common["session"],
        host_agent=common["host_agent"],
        call_id=fields.tool_use_id or f"made-{uuid.uuid4().hex}",
        tool=tool_of(name),
        name=name,
        args=fields.tool_input or {},
        cwd=common["cwd"],
        mode=fields.permission_mode or "",
    )


def _asked_call(fields: Any, common: dict[str, str]) -> Call:
    if not fields.tool_name:
        raise BadInputError(f"the {common['event']} event names no tool")
    return _call(fields, common)


def _call_asked(fields: Any, common: dict[str, str]) -> Message:
    return CallAsked(call=_asked_call(fields, common), **common)


def _permission_asked(fields: Any, common: dict[str, str]) -> Message:
    return PermissionAsked(call=_asked_call(fields, common), **common)


def _call_returned(fields: Any, common: dict[str, str]) -> Message:
    ok = common["event"] == "PostToolUse"
    response = fields.tool_response
    child = response.get("agentId") if isinstance(response, dict) and tool_of(fields.tool_name or "") == "spawn" else ""
    took = fields.duration_ms
    return CallReturned(
        call=_call(fields, common),
        ok=ok,
        output=output_text(fields.tool_name or "", response if ok else fields.error),
        duration_ms=int(took) if took is not None and 0 <= took < 2**53 else -1,
        child=child if isinstance(child, str) else "",
        **common,
    )


def _batch(fields: Any, common: dict[str, str]) -> Message:
    calls = [(call.tool_use_id or "", call.tool_name or "") for call in fields.tool_calls or ()]
    return BatchReturned(calls=tuple(calls[:_MAX_CALLS]), **common)


def _note(raw: dict[str, Any], common: dict[str, str]) -> Message:
    names = sorted({name if _FIELD.fullmatch(name) else "?" for name in raw})
    return HostNote(known=common["event"] in _KNOWN, fields=tuple(names[:_MAX_FIELDS]), **common)


_READERS: dict[str, tuple[type[_Common], Callable[[Any, dict[str, str]], Message] | None]] = {
    "SessionStart": (_Start, lambda f, c: SessionStarted(source=f.source or "", **c)),
    "UserPromptSubmit": (_Prompt, lambda f, c: PromptSubmitted(prompt=f.prompt or "", **c)),
    "PreToolUse": (_ToolUse, _call_asked),
    "PermissionRequest": (_ToolUse, _permission_asked),
    "PostToolUse": (_ToolDone, _call_returned),
    "PostToolUseFailure": (_ToolDone, _call_returned),
    "PostToolBatch": (_Batch, _batch),
    "SubagentStart": (_Subagent, lambda f, c: SubagentStarted(agent_type=f.agent_type or "", **c)),
    "SubagentStop": (
        _Subagent,
        lambda f, c: SubagentStopped(output=output_text("", f.last_assistant_message), **c),
    ),
    "SessionEnd": (_End, lambda f, c: SessionEnded(reason=f.reason or "", **c)),
    "ConfigChange": (_Config, lambda f, c: SettingsChanged(source=f.source or "", path=f.file_path or "", **c)),
}
