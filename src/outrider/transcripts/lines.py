"""The lines of a transcript, one at a time and never more than one in memory, and the JSON in them."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from outrider.errors import BadInputError, UnavailableError

LONGEST = 16 * 1024 * 1024
"""Longest line that is read, in bytes; a longer one is passed over and said to be unread."""

WHOLE = 64 * 1024 * 1024
"""Largest file that is read as one JSON value, in bytes."""

_PIECE = 1024 * 1024
_ESCAPE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.")
_decoder = msgspec.json.Decoder()


class Line:
    """One line: its number from 1, and what it holds or why that is not known."""

    __slots__ = ("number", "problem", "value")

    def __init__(self, number: int, value: dict[str, Any] | None, problem: str = "") -> None:
        self.number = number
        self.value = value
        self.problem = problem


def lines(path: Path) -> Iterator[Line]:
    """Yield every line that is not blank, decoded; a line that is no JSON object is yielded with its problem.

    Raises:
        UnavailableError: The file cannot be read.
        BadInputError: It is not a file.
    """
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(path.stat().st_mode):
                raise BadInputError(f"{path} is not a file")
            number = 0
            while True:
                raw = file.readline(LONGEST + 1)
                if not raw:
                    return
                number += 1
                if len(raw) > LONGEST:
                    _skip(file)
                    yield Line(number, None, f"longer than {LONGEST // 2**20} MiB")
                elif not raw.isspace():
                    yield _line(number, raw)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error


def _skip(file: Any) -> None:
    """Read on to the end of a line that is too long, a piece at a time."""
    while True:
        piece = file.readline(_PIECE)
        if not piece or piece.endswith(b"\n"):
            return


def _line(number: int, raw: bytes) -> Line:
    try:
        value = decode(raw)
    except BadInputError as error:
        whole = raw.endswith(b"\n")
        return Line(number, None, str(error) if whole else "cut off in the middle: the file ends in this line")
    return Line(number, value) if isinstance(value, dict) else Line(number, None, "not a JSON object")


def decode(raw: bytes) -> Any:
    """Return the JSON value in ``raw``; lone surrogates, which JavaScript writes, become U+FFFD.

    Raises:
        BadInputError: It is not JSON.
    """
    try:
        try:
            return _decoder.decode(raw)
        except msgspec.DecodeError:
            mended = _ESCAPE.sub(lambda m: b"\\ufffd" if len(m[0]) == 6 and m[0][1:2] == b"u" else m[0], raw)
            if mended == raw:
                raise
            return _decoder.decode(mended)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"not JSON: {error}") from error


def whole(path: Path) -> Any:
    """Return the one JSON value that a file holds.

    Raises:
        BadInputError: It is too large, or not JSON.
        UnavailableError: The file cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > WHOLE:
            raise BadInputError(
                f"{path} is one JSON value of {size / 2**20:,.0f} MiB; at most {WHOLE // 2**20} MiB are read at once",
                fix="Export the session in parts, or as lines.",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror or error}") from error
    return decode(raw)


def micros(value: object) -> int:
    """Return microseconds since 1970 UTC of a time as hosts write it: ISO 8601, or milliseconds; 0 if it is neither."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**43:
        return int(value * 1000)
    if not isinstance(value, str):
        return 0
    try:
        when = datetime.fromisoformat(value)
        made = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return 0
    return made if 0 < made < 2**53 else 0


def text(value: object) -> str:
    """Return a field that should be a text; empty if it is something else."""
    return value if isinstance(value, str) else ""


def table(value: object) -> dict[str, Any]:
    """Return a field that should be an object; empty if it is something else."""
    return value if isinstance(value, dict) else {}


def several(value: object) -> list[Any]:
    """Return a field that should be a list; empty if it is something else."""
    return value if isinstance(value, list) else []


def spoken(value: object) -> str:
    """Return the text of a message's content: itself, or the texts of its parts, one a line; else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(_part, value) if part)
    if value is None or value == {}:
        return ""
    if isinstance(value, dict):
        return _part(value)
    return msgspec.json.encode(value).decode("utf-8", "replace")


def _part(value: object) -> str:
    if isinstance(value, str):
        return value
    found = table(value)
    for name in ("text", "output", "content", "stdout", "error", "message"):
        if isinstance(found.get(name), str):
            return str(found[name])
        if name == "content" and found.get(name):
            return spoken(found[name])
    if found.get("type") in {"image", "tool_use", "thinking", "reasoning"}:
        return ""
    return msgspec.json.encode(value).decode("utf-8", "replace")
