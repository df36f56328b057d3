"""Transcripts of Copilot CLI: one line an event, ``~/.copilot/session-state/SESSION/events.jsonl``.

Every event names the one before it. What a sub-agent does stands in its session's file and names the call that started
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.transcripts.chain import AGAIN, Chain
from outrider.transcripts.lines import lines, micros, spoken, table, text
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import COPILOT, arguments, known, served

_SILENT = ("session.", "assistant.", "system.", "permission.", "hook.", "skill.", "subagent.", "external_tool.",
           "tool.", "abort", "user_input.", "elicitation.", "command.", "mcp.", "sampling.", "exit_plan_mode.",
           "pending_messages.", "capabilities.")  # fmt: skip


class _Session:
    def __init__(self) -> None:
        self.id = self.cwd = self.version = self.branch = ""
        self.begun: set[str] = set()


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one session."""
    now, chain = _Session(), Chain()
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session=now.id, line=line.number, text=line.problem)
            continue
        doubt = chain.doubt(text(row.get("id")), text(row.get("parentId")))
        if doubt:
            yield _step("doubt", now, row, line.number, text=doubt)
        if doubt != AGAIN:
            yield from _event(now, row, line.number)


def _event(now: _Session, row: dict[str, Any], number: int) -> Iterator[Step]:
    kind, data = text(row.get("type")), table(row.get("data"))
    if kind in ("session.start", "session.resume"):
        about = table(data.get("context"))
        cwd = text(about.get("cwd"))
        now.id = text(data.get("sessionId")) or now.id
        now.cwd = cwd if cwd.startswith("/") else now.cwd
        now.version = text(data.get("copilotVersion")) or now.version
        now.branch = text(about.get("branch")) or now.branch
        if "" not in now.begun:
            now.begun.add("")
            yield _step("began", now, row, number, model=text(data.get("selectedModel")))
    elif kind == "user.message":
        yield _step("prompt", now, row, number, text=text(data.get("content")))
    elif kind in ("tool.execution_start", "tool.execution_complete"):
        agent = text(data.get("parentToolCallId"))
        if agent and agent not in now.begun:
            now.begun.add(agent)
            yield _step("began", now, row, number, agent=agent)
        yield _called(now, row, data, number)
    elif kind == "session.shutdown":
        yield _step("ended", now, row, number)
    elif not kind.startswith(_SILENT):
        why = f"an event of an unknown kind, {kind[:40]}" if kind else "an event of no kind"
        yield _step("unread", now, row, number, text=why)


def _called(now: _Session, row: dict[str, Any], data: dict[str, Any], number: int) -> Step:
    mark, agent = text(data.get("toolCallId")), text(data.get("parentToolCallId"))
    if row.get("type") == "tool.execution_start":
        plain = text(data.get("toolName"))
        name = served(data.get("mcpServerName"), text(data.get("mcpToolName")) or plain)
        tool = known(name, COPILOT)
        return _step("call", now, row, number, agent=agent, id=mark, name=name, tool=tool,
                     args=arguments(tool, data.get("arguments")), model=text(data.get("model")))  # fmt: skip
    ok = data.get("success") is True
    said = spoken(data.get("result") if ok else data.get("error"))
    return _step("result", now, row, number, agent=agent, id=mark, ok=ok, text=said)


def _step(what: Any, now: _Session, row: dict[str, Any], number: int, **more: Any) -> Step:
    return Step(
        what=what, session=now.id, ts=micros(row.get("timestamp")), line=number, cwd=now.cwd, version=now.version,
        branch=now.branch, **more,
    )  # fmt: skip


FORMAT = Format(
    name="copilot",
    door="copilot",
    title="Copilot CLI",
    where="~/.copilot/session-state/",
    finds=("**/events.jsonl",),
    read=read,
    tried="Copilot CLI 1.0.102",
)
