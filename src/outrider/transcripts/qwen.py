"""Transcripts of Qwen Code: one line a message, under ``~/.qwen/projects/FOLDER/chats/``; each names the one before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.transcripts.chain import AGAIN, Chain
from outrider.transcripts.lines import lines, micros, several, spoken, table, text
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import GEMINI, arguments, known

_KINDS = frozenset({"user", "assistant", "tool_result", "system"})


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one file."""
    chain = Chain()
    begun: set[tuple[str, str]] = set()
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session="", line=line.number, text=line.problem)
            continue
        kind = text(row.get("type"))
        doubt = chain.doubt(text(row.get("uuid")), text(row.get("parentUuid")))
        if doubt:
            yield _step("doubt", row, line.number, text=doubt)
        if doubt == AGAIN:
            continue
        who = (text(row.get("sessionId")), text(row.get("agentId")))
        if kind in _KINDS and who not in begun:
            begun.add(who)
            yield _step("began", row, line.number)
        if kind in _KINDS - {"system"}:
            yield from _message(kind, row, line.number)
        elif kind != "system":
            why = f"a line of an unknown kind, {kind[:40]}" if kind else "a line of no kind"
            yield _step("unread", row, line.number, text=why)


def _message(kind: str, row: dict[str, Any], number: int) -> Iterator[Step]:
    said = []
    for part in map(table, several(table(row.get("message")).get("parts"))):
        call, answer = table(part.get("functionCall")), table(part.get("functionResponse"))
        if call:
            name = text(call.get("name"))
            tool = known(name, GEMINI)
            yield _step("call", row, number, id=text(call.get("id")), name=name, tool=tool,
                        args=arguments(tool, call.get("args")), model=text(row.get("model")))  # fmt: skip
        elif answer:
            response = answer.get("response")
            ok = text(table(row.get("toolCallResult")).get("status")) in ("success", "")
            yield _step("result", row, number, id=text(answer.get("id")), text=spoken(response),
                        ok=ok and "error" not in table(response))  # fmt: skip
        elif isinstance(part.get("text"), str) and not part.get("thought"):
            said.append(part["text"])
    if kind == "user" and any(said):
        yield _step("prompt", row, number, text="\n".join(said))


def _step(what: Any, row: dict[str, Any], number: int, **more: Any) -> Step:
    cwd = text(row.get("cwd"))
    return Step(
        what=what, session=text(row.get("sessionId")), agent=text(row.get("agentId")), line=number,
        ts=micros(row.get("timestamp")), cwd=cwd if cwd.startswith("/") else "", version=text(row.get("version")),
        branch=text(row.get("gitBranch")), **more,
    )  # fmt: skip


FORMAT = Format(
    name="qwen",
    door="qwen_code",
    title="Qwen Code",
    where="~/.qwen/projects/",
    finds=("**/chats/*.jsonl",),
    read=read,
    tried="Qwen Code 0.24.4",
)
