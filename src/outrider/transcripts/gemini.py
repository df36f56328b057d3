"""Transcripts of Gemini CLI: one file a chat under ``~/.gemini/tmp/PROJECT/chats/``, lines since 2026, one JSON before.

A message is written again when its tool calls are done, so that the last line of an id counts; calls and their results
stand in the message of the model. The folder is told in the session's context only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.errors import BadInputError
from outrider.transcripts.lines import lines, micros, several, spoken, table, text, whole
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import GEMINI, arguments, known, served

_FOLDER = re.compile(r"Workspace Directories:\**\s*\n\s*-\s*(/[^\n]+)")
_SERVER = re.compile(r"mcp_([A-Za-z0-9-]+)_(.+)")
_REMEMBERED = 100_000


class _Chat:
    def __init__(self) -> None:
        self.session = self.parent = self.cwd = ""
        self.told: dict[str, int] = {}

    def is_new(self, mark: str) -> bool:
        """Tell whether something of this id comes for the first time."""
        if mark in self.told:
            return False
        if len(self.told) < _REMEMBERED:
            self.told[mark] = 1
        return True


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one chat."""
    now = _Chat()
    if path.suffix == ".json":
        try:
            chat = table(whole(path))
        except BadInputError as error:
            yield Step(what="unread", session="", line=1, text=str(error))
            return
        yield _begin(now, chat, 1)
        for number, message in enumerate(several(chat.get("messages")), 1):
            yield from _message(now, table(message), number)
        return
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session=now.session, line=line.number, text=line.problem)
        elif "$set" in row or "$rewindTo" in row:
            for message in several(table(row.get("$set")).get("messages")):
                yield from _message(now, table(message), line.number)
        elif "sessionId" in row:
            yield _begin(now, row, line.number)
        else:
            yield from _message(now, row, line.number)


def _begin(now: _Chat, row: dict[str, Any], number: int) -> Step:
    now.session, now.parent = text(row.get("sessionId")), text(row.get("parentSessionId"))
    return Step(what="began", session=now.session, parent=now.parent, line=number, ts=micros(row.get("startTime")))


def _message(now: _Chat, row: dict[str, Any], number: int) -> Iterator[Step]:
    kind, mark = text(row.get("type")), text(row.get("id"))
    if kind == "user":
        content = row.get("content")
        parts = [part for part in several(content) if "functionResponse" not in table(part)]
        said = content if isinstance(content, str) else spoken(parts)
        folder = _FOLDER.search(said)
        if said.lstrip().startswith("<session_context>"):
            now.cwd = folder[1].strip() if folder else now.cwd
        elif said and now.is_new(f"message {mark or number}"):
            yield _step("prompt", now, row, number, text=said)
    elif kind == "gemini":
        for call in map(table, several(row.get("toolCalls"))):
            yield from _called(now, row, call, number)
    elif kind not in ("info", "error", "warning", "system"):
        yield _step("unread", now, row, number, text=f"a message of an unknown kind, {kind[:40] or 'none'}")


def _called(now: _Chat, row: dict[str, Any], call: dict[str, Any], number: int) -> Iterator[Step]:
    mark, name = text(call.get("id")), text(call.get("name"))
    of = _SERVER.fullmatch(name)
    name = served(of[1], of[2]) if of and name not in GEMINI else name
    model = text(row.get("model"))
    if now.is_new(f"call {mark}"):
        tool = known(name, GEMINI)
        args = arguments(tool, call.get("args"))
        yield _step("call", now, row, number, id=mark, name=name, tool=tool, args=args, model=model)
    status = text(call.get("status"))
    if status in ("success", "error", "cancelled") and now.is_new(f"result {mark}"):
        answers = [table(table(one).get("functionResponse")).get("response") for one in several(call.get("result"))]
        said = "\n".join(map(spoken, answers)) or spoken(call.get("resultDisplay"))
        yield _step("result", now, call, number, id=mark, ok=status == "success", text=said)


def _step(what: Any, now: _Chat, row: dict[str, Any], number: int, **more: Any) -> Step:
    return Step(
        what=what, session=now.session, parent=now.parent, ts=micros(row.get("timestamp")), line=number, cwd=now.cwd,
        **more,
    )  # fmt: skip


FORMAT = Format(
    name="gemini",
    door="gemini",
    title="Gemini CLI",
    where="~/.gemini/tmp/",
    finds=("**/chats/session-*.json", "**/chats/session-*.jsonl", "**/chats/*/*.jsonl"),
    read=read,
    tried="Gemini CLI 0.61.0",
)
