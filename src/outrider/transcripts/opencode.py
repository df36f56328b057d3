"""Transcripts of opencode: ``~/.local/share/opencode/opencode.db`` (SQLite), or what ``opencode export`` wrote.

A sub-agent is a session of its own that names its parent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.errors import BadInputError, UnavailableError
from outrider.transcripts.lines import decode, micros, several, spoken, table, text, whole
from outrider.transcripts.step import Format, Step
from outrider.transcripts.tools import OPENCODE, arguments, known, served

_MAGIC = b"SQLite format 3\0"
_ROWS = (
    "SELECT s.id, coalesce(s.parent_id, ''), s.directory, s.version, s.time_created, m.data, p.data, p.time_created"
    " FROM part p JOIN message m ON m.id = p.message_id JOIN session s ON s.id = p.session_id"
    " ORDER BY p.time_created, p.id"
)
_SILENT = frozenset({"step-start", "step-finish", "patch", "snapshot", "reasoning", "file", "agent", "compaction",
                     "retry", "subtask"})  # fmt: skip


def read(path: Path) -> Iterator[Step]:
    """Yield the steps of every session in a database, by time, or of an export."""
    try:
        with path.open("rb") as file:
            is_database = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        yield from _database(path) if is_database else _export(path)
    except BadInputError as error:
        yield Step(what="unread", session="", line=1, text=str(error))


def _database(path: Path) -> Iterator[Step]:
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            begun: set[str] = set()
            for number, row in enumerate(db.execute(_ROWS), 1):
                session, parent, folder, version, born, message, part, ts = row
                told = table(decode(str(message).encode()))
                about: dict[str, Any] = {
                    "session": str(session),
                    "parent": str(parent),
                    "cwd": str(folder),
                    "version": str(version),
                    "model": _model(told),
                }
                if session not in begun:
                    begun.add(session)
                    yield Step(what="began", line=number, ts=micros(born), **about)
                yield from _part(about, text(told.get("role")), table(decode(str(part).encode())), number, micros(ts))
        finally:
            db.close()
    except sqlite3.Error as error:
        yield Step(what="unread", session="", line=1, text=f"the database cannot be read as opencode's: {error}")


def _export(path: Path) -> Iterator[Step]:
    session = table(whole(path))
    info = table(session.get("info"))
    about: dict[str, Any] = {
        "session": text(info.get("id")),
        "parent": text(info.get("parentID")),
        "cwd": text(info.get("directory")),
        "version": text(info.get("version")),
    }
    if not about["session"]:
        raise BadInputError("it is neither opencode's database nor an export of a session")
    yield Step(what="began", line=1, ts=micros(table(info.get("time")).get("created")), **about)
    number = 0
    for message in map(table, several(session.get("messages"))):
        told = table(message.get("info"))
        ts = micros(table(told.get("time")).get("created"))
        for part in map(table, several(message.get("parts"))):
            number += 1
            of = {**about, "model": _model(told)}
            yield from _part(of, text(told.get("role")), part, number, ts)


def _model(told: dict[str, Any]) -> str:
    return text(told.get("modelID")) or text(table(told.get("model")).get("modelID"))


def _part(about: dict[str, Any], role: str, part: dict[str, Any], number: int, ts: int) -> Iterator[Step]:
    kind = text(part.get("type"))
    if kind == "text":
        if role == "user" and part.get("text") and not part.get("synthetic"):
            yield Step(what="prompt", line=number, ts=ts, text=text(part.get("text")), **about)
    elif kind == "tool":
        state = table(part.get("state"))
        times = table(state.get("time"))
        mark, plain = text(part.get("callID")), text(part.get("tool"))
        server, cut, rest = plain.partition("_")
        name = plain if plain in OPENCODE or not cut else served(server, rest)
        tool = known(name, OPENCODE)
        yield Step(what="call", line=number, ts=micros(times.get("start")) or ts, id=mark, name=name, tool=tool,
                   args=arguments(tool, state.get("input")), **about)  # fmt: skip
        status = text(state.get("status"))
        if status in ("completed", "error"):
            said = spoken(state.get("output") if status == "completed" else state.get("error"))
            yield Step(what="result", line=number, ts=micros(times.get("end")) or ts, id=mark,
                       ok=status == "completed", text=said, **about)  # fmt: skip
    elif kind not in _SILENT:
        yield Step(what="unread", line=number, text=f"a part of an unknown kind, {kind[:40] or 'none'}", **about)


FORMAT = Format(
    name="opencode",
    door="opencode",
    title="opencode",
    where="~/.local/share/opencode/opencode.db",
    finds=("opencode.db", "**/opencode.db", "**/ses_*.json"),
    read=read,
    tried="opencode 1.18.33",
)
