"""Transcripts of Claude Code: one line a message, under ``~/.claude/projects/``; a sub-agent has a file of its own.

Every line names the line before it, so that one that was taken out is missed by the one behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.transcripts.chain import AGAIN, Chain
from outrider.transcripts.lines import lines, micros, several, spoken, table, text
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import CLAUDE, arguments, known

_SPEAKING = frozenset({"user", "assistant"})
_SILENT = frozenset(
    {"attachment", "system", "queue-operation", "last-prompt", "cost-state", "tools-used", "api-request", "summary",
     "file-history-snapshot", "progress", "custom-title", "agent-name", "ai-title", "mode", "permission-mode",
     "pr-link", "tag", "agent-setting", "content-replacement", "worktree-state", "api-request-blob",
     "api-request-shape", "atis-latch"}
)  # fmt: skip
"""Kinds of lines that say nothing of what the agent was told or did."""


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one file; sessions and sub-agents that share it come out as they stand."""
    chain = Chain()
    begun: set[tuple[str, str]] = set()
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session="", line=line.number, text=line.problem)
            continue
        kind = text(row.get("type"))
        doubt = chain.doubt(text(row.get("uuid")), text(row.get("parentUuid")))
        if doubt and kind in _SPEAKING:
            yield _step("doubt", row, line.number, text=doubt)
        if doubt == AGAIN:
            continue
        if kind in _SPEAKING:
            who = (text(row.get("sessionId")), text(row.get("agentId")))
            if who not in begun:
                begun.add(who)
                yield _step("began", row, line.number, model=text(table(row.get("message")).get("model")))
            yield from _message(row, line.number)
        elif kind not in _SILENT:
            why = f"a line of an unknown kind, {kind[:40]}" if kind else "a line of no kind"
            yield _step("unread", row, line.number, text=why)


def _message(row: dict[str, Any], number: int) -> Iterator[Step]:
    message = table(row.get("message"))
    content = message.get("content")
    asks = row.get("type") == "user" and not row.get("isMeta")
    said = [content] if isinstance(content, str) else []
    for block in map(table, several(content)):
        kind = block.get("type")
        if kind in ("tool_use", "server_tool_use"):
            name = text(block.get("name"))
            tool = known(name, CLAUDE)
            yield _step(
                "call", row, number, id=text(block.get("id")), name=name, tool=tool,
                args=arguments(tool, block.get("input")), model=text(message.get("model")),
            )  # fmt: skip
        elif kind == "tool_result":
            yield _step(
                "result", row, number, id=text(block.get("tool_use_id")), ok=block.get("is_error") is not True,
                text=spoken(block.get("content")),
            )  # fmt: skip
        elif kind == "text":
            said.append(text(block.get("text")))
    if asks and any(said):
        yield _step("prompt", row, number, text="\n".join(said))


def _step(what: Any, row: dict[str, Any], number: int, **more: Any) -> Step:
    cwd = text(row.get("cwd"))
    return Step(
        what=what,
        session=text(row.get("sessionId")),
        agent=text(row.get("agentId")),
        ts=micros(row.get("timestamp")),
        line=number,
        cwd=cwd if cwd.startswith("/") else "",
        version=text(row.get("version")),
        branch=text(row.get("gitBranch")),
        **more,
    )


def _subagents(path: Path) -> list[Path]:
    """Return the transcripts of a session's sub-agents, which stand in a folder named after it."""
    return sorted((path.parent / path.stem / "subagents").glob("agent-*.jsonl"))


FORMAT = Format(
    name="claude",
    door="claude_code",
    title="Claude Code",
    where="~/.claude/projects/",
    finds=("**/*.jsonl",),
    read=read,
    tried="Claude Code 2.1.330",
    also=_subagents,
)
