"""Claude Code's events, read: every one of them, whole, odd, and broken."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.claude_code import parse
from outrider.doors.claude_code.events import EVENTS, INSTALLED
from outrider.doors.claude_code.reading import MAX_DEPTH, TOOLS, tool_of
from outrider.errors import BadInputError
from outrider.events.message import (
    BatchReturned,
    CallAsked,
    CallReturned,
    HostNote,
    PermissionAsked,
    PromptSubmitted,
    SessionEnded,
    SessionStarted,
    SettingsChanged,
    SubagentStarted,
    SubagentStopped,
)

COMMON = {
    "session_id": "s-1",
    "transcript_path": "/home/u/.claude/projects/p/s-1.jsonl",
    "cwd": "/repo",
    "prompt_id": "p-1",
    "permission_mode": "default",
    "effort": {"level": "medium"},
}


def event(name: str, **fields) -> bytes:
    return json.dumps({**COMMON, "hook_event_name": name, **fields}).encode()


def bash(**fields) -> bytes:
    return event(
        "PreToolUse", **{"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_1", **fields}
    )


def test_a_call_is_read_with_everything_that_names_it():
    message = parse(bash(agent_id="a-1", agent_type="general-purpose"), "PreToolUse")
    assert isinstance(message, CallAsked)
    assert (message.door, message.session, message.host_agent) == ("claude_code", "s-1", "a-1")
    assert (message.cwd, message.event, message.transcript) == ("/repo", "PreToolUse", COMMON["transcript_path"])
    call = message.call
    assert (call.door, call.session, call.host_agent, call.cwd) == ("claude_code", "s-1", "a-1", "/repo")
    assert (call.call_id, call.tool, call.name, call.mode) == ("toolu_1", "shell", "Bash", "default")
    assert call.args == {"command": "ls"}


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        *TOOLS.items(),
        ("mcp__github__get_issue", "mcp"),
        ("mcp__plugin_x_y__z", "mcp"),
        ("Skill", "other"),
        ("bash", "other"),
        ("NeverHeardOf", "other"),
    ],
)
def test_every_tool_has_a_normal_name_and_unknown_ones_are_named_other(name, tool):
    assert tool_of(name) == tool
    message = parse(bash(tool_name=name), "PreToolUse")
    assert (message.call.tool, message.call.name) == (tool, name)


@pytest.mark.parametrize(
    ("name", "fields", "kind", "expected"),
    [
        ("SessionStart", {"source": "resume"}, SessionStarted, {"source": "resume"}),
        ("UserPromptSubmit", {"prompt": "hi"}, PromptSubmitted, {"prompt": "hi"}),
        ("SubagentStart", {"agent_id": "a", "agent_type": "Explore"}, SubagentStarted, {"agent_type": "Explore"}),
        ("SubagentStop", {"agent_id": "a", "last_assistant_message": "done"}, SubagentStopped, {"output": "done"}),
        ("SessionEnd", {"reason": "clear"}, SessionEnded, {"reason": "clear"}),
        (
            "ConfigChange",
            {"source": "project_settings", "file_path": "/repo/.claude/settings.json"},
            SettingsChanged,
            {"source": "project_settings", "path": "/repo/.claude/settings.json"},
        ),
        (
            "PostToolBatch",
            {"tool_calls": [{"tool_name": "Bash", "tool_use_id": "t", "tool_response": 1}, {}]},
            BatchReturned,
            {"calls": (("t", "Bash"), ("", ""))},
        ),
    ],
)
def test_every_other_event_that_we_act_on_is_read(name, fields, kind, expected):
    message = parse(event(name, **fields), name)
    assert type(message) is kind
    assert {key: getattr(message, key) for key in expected} == expected
    assert message.host_agent == fields.get("agent_id", "")


def test_all_31_events_are_read_and_the_rest_are_notes_without_values():
    assert len(EVENTS) == 31
    assert set(INSTALLED) <= set(EVENTS)
    for name in EVENTS:
        if name in ("PreToolUse", "PermissionRequest"):
            continue
        message = parse(event(name, secret_field="hunter2"), name)
        assert message.session == "s-1"
        if isinstance(message, HostNote):
            assert message.known
            assert "secret_field" in message.fields
            assert "hunter2" not in repr(message)


def test_an_event_that_we_never_heard_of_is_a_note_that_says_so():
    message = parse(event("Levitated", height=3), "Levitated")
    assert isinstance(message, HostNote)
    assert not message.known
    assert "height" in message.fields


def test_a_notes_field_names_are_bounded_and_plain():
    fields = {"x" * 65: 1, "bad name\n": 2, **{f"f{i}": i for i in range(200)}}
    message = parse(event("Stop", **fields), "Stop")
    assert len(message.fields) <= 64
    assert "?" in message.fields
    assert all(len(name) <= 64 for name in message.fields)


def test_a_permission_request_has_no_call_id_so_one_is_made_up_each_time():
    data = event("PermissionRequest", tool_name="Bash", tool_input={"command": "ls"}, permission_suggestions=[])
    one, two = parse(data, "PermissionRequest"), parse(data, "PermissionRequest")
    assert isinstance(one, PermissionAsked)
    assert one.call.call_id.startswith("made-")
    assert one.call.call_id != two.call.call_id


@pytest.mark.parametrize(
    ("tool", "response", "output"),
    [
        ("Bash", {"stdout": "out", "stderr": "err", "interrupted": False, "isImage": False}, "out\nerr"),
        ("Bash", {"stdout": "out", "stderr": ""}, "out"),
        ("Bash", "plain", "plain"),
        (
            "Read",
            {"type": "text", "file": {"filePath": "/a", "content": "line1\nline2\n", "numLines": 3}},
            "line1\nline2\n",
        ),
        ("Read", {"type": "image", "file": {"base64": "AAAA", "type": "image/png"}}, "AAAA\nimage/png"),
        (
            "Write",
            {"type": "create", "filePath": "/a", "content": "mine", "structuredPatch": [], "originalFile": None},
            "",
        ),
        ("Edit", {"oldString": "a", "structuredPatch": [{"oldStart": 1, "lines": ["-a", "+b"]}]}, "-a\n+b"),
        ("Grep", {"mode": "content", "content": "a:1", "filenames": ["a"], "numFiles": 1}, "a:1\na"),
        ("Glob", {"filenames": ["a", "b"], "durationMs": 3}, "a\nb"),
        ("WebFetch", {"bytes": 9, "code": 200, "codeText": "OK", "result": "page", "url": "http://x/"}, "page"),
        ("WebSearch", {"query": "q", "results": [{"title": "t"}, "s"]}, "q\nt\ns"),
        ("mcp__demo__add", '{"result":3}', '{"result":3}'),
        ("mcp__demo__add", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
        ("Agent", {"status": "completed", "content": [{"type": "text", "text": "done"}], "agentId": "a-9"}, "done"),
        ("Bash", {"shape": "new", "text": "still seen"}, "new\nstill seen"),
        ("Bash", None, ""),
        ("Bash", 3, "3"),
    ],
)
def test_the_output_is_the_text_that_the_agent_is_shown(tool, response, output):
    data = event("PostToolUse", tool_name=tool, tool_input={}, tool_use_id="t", tool_response=response, duration_ms=7)
    message = parse(data, "PostToolUse")
    assert isinstance(message, CallReturned)
    assert (message.ok, message.output, message.duration_ms) == (True, output, 7)


def test_the_agent_tool_names_its_child_and_no_other_tool_can():
    response = {"agentId": "a-9", "content": []}
    for tool, child in (("Agent", "a-9"), ("Task", "a-9"), ("Bash", ""), ("mcp__x__Agent", "")):
        data = event("PostToolUse", tool_name=tool, tool_use_id="t", tool_response=response)
        assert parse(data, "PostToolUse").child == child
    data = event("PostToolUse", tool_name="Agent", tool_use_id="t", tool_response={"agentId": 7})
    assert parse(data, "PostToolUse").child == ""


def test_a_failure_is_read_with_its_error():
    data = event("PostToolUseFailure", tool_name="Bash", tool_use_id="t", error="Exit code 2\nls: no", duration_ms=8.6)
    message = parse(data, "PostToolUseFailure")
    assert (message.ok, message.output, message.duration_ms) == (False, "Exit code 2\nls: no", 8)


@pytest.mark.parametrize("duration", [-1, 1e300, None])
def test_a_duration_that_can_not_be_is_unknown(duration):
    data = event("PostToolUse", tool_name="Bash", duration_ms=duration)
    assert parse(data, "PostToolUse").duration_ms == -1


def test_missing_fields_are_tolerated_and_so_are_nulls():
    for name in EVENTS:
        if name in ("PreToolUse", "PermissionRequest"):
            continue
        message = parse(b"{}", name)
        assert (message.session, message.cwd, message.host_agent, message.event) == ("", "", "", name)
        nulls = dict.fromkeys(
            (*COMMON, "tool_name", "tool_input", "tool_calls", "prompt", "source", "reason", "agent_id")
        )
        assert parse(json.dumps(nulls).encode(), name).session == ""


@pytest.mark.parametrize("name", ["PreToolUse", "PermissionRequest"])
def test_a_call_without_a_tool_can_not_be_judged(name):
    for data in (event(name), event(name, tool_name=""), event(name, tool_name=None)):
        with pytest.raises(BadInputError, match="names no tool"):
            parse(data, name)


def test_an_event_under_a_false_name_is_refused():
    with pytest.raises(BadInputError, match="was given the event 'PostToolUse'"):
        parse(event("PostToolUse"), "PreToolUse")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("session_id", 7),
        ("session_id", {}),
        ("cwd", ["/"]),
        ("tool_name", 7),
        ("tool_input", "ls"),
        ("tool_input", ["ls"]),
        ("tool_use_id", 1.5),
        ("agent_id", True),
        ("hook_event_name", 1),
        ("permission_mode", {}),
        ("transcript_path", False),
    ],
)
def test_a_field_of_a_wrong_type_is_named(field, value):
    with pytest.raises(BadInputError, match=rf"wrong type.*{field}"):
        parse(bash(**{field: value}), "PreToolUse")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b'{"session_id":"s"',
        b"{} {}",
        b"{'a':1}",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"\xc3\x28":1}',
        b'{"a":NaN}',
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 2_000_000,
        b"x" * 10_000_000,
        b'{"tool_input":{"command":"' + b"y" * 10_000_000,
        b'{"a":1' + b"0" * 30 + b"}",
        b'{"a":-99999999999999999999}',
    ],
)
@pytest.mark.parametrize("name", ["PreToolUse", "PostToolUse", "Stop", "NeverHeardOf"])
def test_what_is_not_a_json_object_is_bad_input_and_nothing_else(payload, name):
    with pytest.raises(BadInputError) as caught:
        parse(payload, name)
    assert len(str(caught.value)) < 500


def test_nesting_is_read_to_a_bound_and_refused_beyond():
    def nested(depth: int) -> bytes:
        return b'{"tool_name":"x","tool_input":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"

    assert parse(nested(MAX_DEPTH - 1), "PreToolUse")
    for depth in (MAX_DEPTH, MAX_DEPTH + 1, 900):
        with pytest.raises(BadInputError, match="nested"):
            parse(nested(depth), "PreToolUse")


def test_ten_megabytes_of_honest_content_are_read():
    content = "0123456789abcdef\n" * 620_000
    message = parse(bash(tool_name="Write", tool_input={"file_path": "/a", "content": content}), "PreToolUse")
    assert message.call.args["content"] == content


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (rb"a\ud83d", "a\ufffd"),
        (rb"\ude00a", "\ufffda"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\\ud83d", r"\ud83d"),
        (rb"\\\ud83d", "\\\ufffd"),
        (rb"\ud83d\\\uDE00\"", '\ufffd\\\ufffd"'),
        (rb"\uD83D\u0041", "\ufffdA"),
    ],
)
def test_half_a_surrogate_pair_becomes_what_the_host_would_write(raw, read):
    """JavaScript strings may be cut in the middle of an emoji; a file or a program then gets U+FFFD."""
    data = b'{"tool_name":"Bash","tool_input":{"command":"' + raw + b'"}}'
    assert parse(data, "PreToolUse").call.args["command"] == read


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
field_names = st.sampled_from(
    [
        *COMMON, "hook_event_name", "tool_name", "tool_input", "tool_use_id", "tool_response", "error", "duration_ms",
        "tool_calls", "prompt", "source", "reason", "agent_id", "agent_type", "last_assistant_message", "file_path",
    ]
)  # fmt: skip


@given(st.sampled_from([*EVENTS, "NeverHeardOf"]), st.dictionaries(field_names, json_values, max_size=6))
def test_any_json_in_any_field_is_a_message_or_bad_input(name, fields):
    try:
        message = parse(json.dumps(fields).encode(), name)
    except BadInputError:
        return
    assert message.event == name
    msgspec.json.encode(message)  # The gate can write it down again.


@given(st.binary(max_size=300), st.sampled_from(EVENTS))
def test_any_bytes_are_a_message_or_bad_input(data, name):
    try:
        parse(data, name)
    except BadInputError:
        return


@given(st.data())
def test_a_truncated_event_is_bad_input(data):
    whole = bash()
    with pytest.raises(BadInputError):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))], "PreToolUse")


@given(st.integers(0, 300), st.integers(0, 255))
def test_a_flipped_byte_is_a_message_or_bad_input(at, byte):
    whole = bytearray(bash())
    whole[at % len(whole)] = byte
    try:
        parse(bytes(whole), "PreToolUse")
    except BadInputError:
        return


CAPTURED = Path(__file__).parents[4] / "shared" / "payloads" / "claude-code"


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captured payloads are not on this machine")
def test_every_captured_payload_is_read():
    kinds = set()
    for path in CAPTURED.glob("*.*.json") if CAPTURED.is_dir() else ():
        name = path.name.split(".")[0]
        if name not in EVENTS:
            continue
        message = parse(path.read_bytes(), name)
        kinds.add(type(message))
        assert message.session
        assert message.cwd.startswith("/")
        if ".in-subagent." in path.name or name.startswith("Subagent"):
            assert message.host_agent
        if isinstance(message, CallAsked | CallReturned):
            assert message.call.call_id.startswith("toolu_")
            assert message.call.tool != "other"
        if isinstance(message, CallReturned):
            assert (message.output != "") == (message.call.tool != "write")
            assert (message.child != "") == (message.call.tool == "spawn")
    assert {CallAsked, CallReturned, PermissionAsked, BatchReturned} <= kinds
