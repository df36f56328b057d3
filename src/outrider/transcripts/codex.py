"""Transcripts of Codex: one "rollout" a thread, one line an item, under ``~/.codex/sessions/YEAR/MONTH/DAY/``.

Newer versions number the lines, so that one that was taken out is missed. A sub-agent is a thread of its own that names
its parent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.errors import BadInputError
from outrider.transcripts.chain import MISSED
from outrider.transcripts.lines import decode, lines, micros, spoken, table, text
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import CODEX, arguments, known, served

_SILENT = frozenset(
    {"event_msg", "world_state", "token_usage_record", "compacted", "ghost_snapshot", "session_state", "metadata"}
)
_CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "mcp_tool_call"})
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output", "mcp_tool_call_output"})
_NAMED_BY_KIND = {"local_shell_call": "local_shell", "web_search_call": "web_search"}
_MUTE = frozenset({"message", "reasoning", "ghost_snapshot", "compaction", "other", "agent_message"})
_CONTEXT = re.compile(r"\s*<(?:environment_context|user_instructions|skills_instructions|permissions)\b")
_FAILED = re.compile(r"(?m)^(?:Process exited with code|Exit code:) [1-9]|^(?:execution error|failed in sandbox)")


class _Thread:
    """What the lines before tell of those behind."""

    def __init__(self) -> None:
        self.session = self.parent = self.cwd = self.version = self.branch = self.model = ""
        self.next = 0


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one rollout."""
    now = _Thread()
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session=now.session, line=line.number, text=line.problem)
            continue
        at = row.get("ordinal")
        if isinstance(at, int):
            if at != now.next and line.number > 1:
                yield _step("doubt", now, row, line.number, text=MISSED)
            now.next = at + 1
        kind, payload = text(row.get("type")), table(row.get("payload"))
        if kind == "session_meta":
            # A thread that was forked holds its origin's head as well; the first one is its own.
            if not now.session:
                _begin(now, payload)
                yield _step("began", now, row, line.number)
        elif kind == "turn_context":
            now.model = text(payload.get("model")) or now.model
            cwd = text(payload.get("cwd"))
            now.cwd = cwd if cwd.startswith("/") else now.cwd
        elif kind == "response_item":
            yield from _item(now, row, payload, line.number)
        elif kind not in _SILENT:
            why = f"a line of an unknown kind, {kind[:40]}" if kind else "a line of no kind"
            yield _step("unread", now, row, line.number, text=why)


def _begin(now: _Thread, meta: dict[str, Any]) -> None:
    source = table(table(table(meta.get("source")).get("subagent")).get("thread_spawn"))
    git = table(meta.get("git"))
    cwd = text(meta.get("cwd"))
    now.session = text(meta.get("id")) or text(meta.get("session_id"))
    now.parent = text(meta.get("parent_thread_id")) or text(source.get("parent_thread_id"))
    now.cwd = cwd if cwd.startswith("/") else ""
    now.version, now.branch = text(meta.get("cli_version")), text(git.get("branch"))


def _item(now: _Thread, row: dict[str, Any], item: dict[str, Any], number: int) -> Iterator[Step]:
    kind = text(item.get("type"))
    if kind == "message":
        said = spoken(item.get("content"))
        if item.get("role") == "user" and said and not _CONTEXT.match(said):
            yield _step("prompt", now, row, number, text=said)
    elif kind in _CALLS:
        name = text(item.get("name")) or {"local_shell_call": "local_shell", "web_search_call": "web_search"}.get(
            kind, ""
        )
        space = text(item.get("namespace"))
        name = space + name if space.startswith("mcp__") else served(item.get("server"), name)
        tool = known(name, CODEX)
        yield _step("call", now, row, number, id=text(item.get("call_id")) or text(item.get("id")), name=name,
                    tool=tool, args=arguments(tool, _given(item)))  # fmt: skip
    elif kind in _RESULTS:
        output = item.get("output", item.get("result"))
        said = spoken(output)
        ok = table(output).get("success") is not False and not _FAILED.search(said[:2000])
        yield _step("result", now, row, number, id=text(item.get("call_id")), ok=ok, text=said)
    elif kind not in _MUTE:
        yield _step("unread", now, row, number, text=f"an item of an unknown kind, {kind[:40] or 'none'}")


def _given(item: dict[str, Any]) -> Any:
    for name in ("arguments", "input", "action"):
        given = item.get(name)
        if isinstance(given, str) and name == "arguments":
            try:
                return decode(given.encode())
            except BadInputError:
                return given
        if given is not None:
            return given
    return {}


def _step(what: Any, now: _Thread, row: dict[str, Any], number: int, **more: Any) -> Step:
    return Step(
        what=what, session=now.session, parent=now.parent, ts=micros(row.get("timestamp")), line=number, cwd=now.cwd,
        version=now.version, branch=now.branch, model=now.model, **more,
    )  # fmt: skip


FORMAT = Format(
    name="codex",
    door="codex",
    title="Codex",
    where="~/.codex/sessions/",
    finds=("**/rollout-*.jsonl",),
    read=read,
    tried="Codex CLI 0.169.0",
)
