"""OpenTelemetry that agent hosts export: which tools it says were run, as steps in one form.

Read are files of OTLP in JSON, one export a line (the collector's file exporter: ``resourceLogs``,
``resourceSpans``), and the lines of Copilot CLI's own file exporter. Looked for are the hosts' events of a tool's
result and the spans of the GenAI conventions (``gen_ai.operation.name`` ``execute_tool`` or ``tool_call``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from outrider.transcripts.lines import lines, several, table, text
from outrider.transcripts.step import Step

DOORS: Final = {
    "claude-code": "claude_code", "codex_exec": "codex", "codex_cli_rs": "codex", "gemini-cli": "gemini",
    "github-copilot": "copilot", "copilot-cli": "copilot", "qwen-code": "qwen",
}  # fmt: skip
"""Door of each host by the service name that its resource carries."""

_RESULTS: Final = frozenset({"tool_result", "claude_code.tool_result", "codex.tool_result", "gemini_cli.tool_call"})
_OPERATIONS: Final = frozenset({"execute_tool", "tool_call"})


def read(path: Path) -> Iterator[tuple[str, Step]]:
    """Yield the door and the step of every tool that was run, call and result together.

    Raises:
        UnavailableError: The file cannot be read.
        BadInputError: It is not a file.
    """
    for line in lines(path):
        row = line.value
        if row is None:
            yield "", Step(what="unread", session="", line=line.number, text=line.problem)
        elif "attributes" in row and "type" in row:
            if row.get("type") == "span":
                seconds = [int(part) for part in several(row.get("startTime")) if isinstance(part, int)]
                micros = seconds[0] * 1_000_000 + seconds[1] // 1000 if len(seconds) == 2 else 0
                yield from _span(table(row.get("attributes")), micros, "copilot", line.number)
        elif "resourceLogs" in row or "resourceSpans" in row:
            yield from _exported(row, line.number)
        elif "resourceMetrics" not in row:
            yield "", Step(what="unread", session="", line=line.number, text="it is no export of OpenTelemetry")


def _exported(row: dict[str, Any], number: int) -> Iterator[tuple[str, Step]]:
    for group in map(table, several(row.get("resourceLogs"))):
        door = _door(group)
        for scope in map(table, several(group.get("scopeLogs"))):
            for log in map(table, several(scope.get("logRecords"))):
                given = _attributes(log)
                name = text(given.get("event.name")) or text(log.get("eventName"))
                if name in _RESULTS:
                    yield from _ran(given, _micros(log.get("timeUnixNano")), door, number)
    for group in map(table, several(row.get("resourceSpans"))):
        door = _door(group)
        for scope in map(table, several(group.get("scopeSpans"))):
            for span in map(table, several(scope.get("spans"))):
                yield from _span(_attributes(span), _micros(span.get("startTimeUnixNano")), door, number)


def _span(given: dict[str, Any], micros: int, door: str, number: int) -> Iterator[tuple[str, Step]]:
    if given.get("gen_ai.operation.name") in _OPERATIONS and given.get("gen_ai.tool.name"):
        yield from _ran(given, micros, door, number)


def _ran(given: dict[str, Any], micros: int, door: str, number: int) -> Iterator[tuple[str, Step]]:
    def first(*names: str) -> str:
        return next((found for name in names if (found := text(given.get(name)))), "")

    session = first("session.id", "conversation.id", "gen_ai.conversation.id")
    call = first("tool_use_id", "call_id", "gen_ai.tool.call.id", "gen_ai.tool.call_id")
    name = first("tool_name", "function_name", "gen_ai.tool.name")
    ok = str(given.get("success", "true")).lower() != "false"
    yield door, Step(what="call", session=session, line=number, ts=micros, id=call, name=name)
    yield door, Step(what="result", session=session, line=number, ts=micros, id=call, name=name, ok=ok)


def _door(group: dict[str, Any]) -> str:
    service = text(_attributes(table(group.get("resource"))).get("service.name"))
    return DOORS.get(service, service[:40])


def _attributes(holder: dict[str, Any]) -> dict[str, Any]:
    out = {}
    for one in map(table, several(holder.get("attributes"))):
        value = table(one.get("value"))
        out[text(one.get("key"))] = next(iter(value.values()), "")
    return out


def _micros(nanos: object) -> int:
    """Return nanoseconds, a number or (as OTLP writes 64-bit numbers) text, in microseconds; 0 for what is neither."""
    written = str(nanos)
    return int(written) // 1000 if written.isascii() and written.isdigit() and len(written) < 20 else 0
