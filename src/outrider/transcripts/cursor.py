"""Transcripts of Cursor: one line a message, ``~/.cursor/projects/FOLDER/agent-transcripts/ID/ID.jsonl``.

Neither times nor results nor the folder stand in them, so that what became of a call is not known. The form is taken
from published descriptions and has not been tried on a real installation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.transcripts.lines import lines, micros, several, spoken, table, text
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import CURSOR, arguments, known

_QUERY = re.compile(r"<user_query>\s*(.*?)\s*</user_query>", re.DOTALL)


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of one conversation."""
    session = path.stem
    yield Step(what="began", session=session, line=1)
    for line in lines(path):
        row = line.value
        if row is None:
            yield Step(what="unread", session=session, line=line.number, text=line.problem)
            continue
        role = text(row.get("role"))
        if role in ("user", "assistant"):
            yield from _message(session, role, row, line.number)
        elif role not in ("system", "tool"):
            yield Step(what="unread", session=session, line=line.number,
                       text=f"a message of an unknown role, {role[:40] or 'none'}")  # fmt: skip


def _message(session: str, role: str, row: dict[str, Any], number: int) -> Iterator[Step]:
    ts = micros(row.get("timestamp"))
    content = table(row.get("message")).get("content", row.get("content"))
    said = [content] if isinstance(content, str) else []
    for at, block in enumerate(map(table, several(content))):
        kind = block.get("type")
        if kind == "tool_use":
            name = text(block.get("name"))
            tool = known(name, CURSOR)
            yield Step(what="call", session=session, line=number, ts=ts, id=text(block.get("id")) or f"{number}.{at}",
                       name=name, tool=tool, args=arguments(tool, block.get("input")))  # fmt: skip
        elif kind == "tool_result":
            yield Step(what="result", session=session, line=number, ts=ts, id=text(block.get("tool_use_id")),
                       ok=block.get("is_error") is not True, text=spoken(block.get("content")))  # fmt: skip
        elif kind == "text":
            said.append(text(block.get("text")))
    if role == "user" and any(said):
        whole = "\n".join(said)
        asked = _QUERY.findall(whole)
        yield Step(what="prompt", session=session, line=number, ts=ts, text="\n".join(asked) if asked else whole)


FORMAT = Format(
    name="cursor",
    door="cursor",
    title="Cursor",
    where="~/.cursor/projects/",
    finds=("**/agent-transcripts/**/*.jsonl",),
    read=read,
    tried="published descriptions of 2026, no real installation",
)
