"""Transcripts of Cline: ``api_conversation_history.json`` of a task, one JSON list of messages.

The form is taken from published descriptions and has not been tried on a real installation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.errors import BadInputError
from outrider.transcripts.lines import micros, several, spoken, table, text, whole
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import CLINE, arguments, known, served


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one task."""
    session = path.parent.name
    try:
        messages = several(whole(path))
    except BadInputError as error:
        yield Step(what="unread", session=session, line=1, text=str(error))
        return
    yield Step(what="began", session=session, line=1)
    for number, message in enumerate(map(table, messages), 1):
        yield from _message(session, message, number)


def _message(session: str, message: dict[str, Any], number: int) -> Iterator[Step]:
    ts = micros(message.get("ts"))
    content = message.get("content")
    said = [content] if isinstance(content, str) else []
    for block in map(table, several(content)):
        kind, given = block.get("type"), table(block.get("input"))
        if kind == "tool_use":
            name = served(given.get("server_name"), text(given.get("tool_name")) or text(block.get("name")))
            tool = known(name, CLINE)
            inner = given.get("arguments") if name.startswith("mcp__") else given
            yield Step(what="call", session=session, line=number, ts=ts, id=text(block.get("id")), name=name,
                       tool=tool, args=arguments(tool, inner))  # fmt: skip
        elif kind == "tool_result":
            yield Step(what="result", session=session, line=number, ts=ts, id=text(block.get("tool_use_id")),
                       ok=block.get("is_error") is not True, text=spoken(block.get("content")))  # fmt: skip
        elif kind == "text":
            said.append(text(block.get("text")))
    if message.get("role") == "user" and any(said):
        yield Step(what="prompt", session=session, line=number, ts=ts, text="\n".join(said))


FORMAT = Format(
    name="cline",
    door="cline",
    title="Cline",
    where="~/.cline/data/tasks/",
    finds=("**/api_conversation_history.json",),
    read=read,
    tried="published descriptions of 2026, no real installation",
)
