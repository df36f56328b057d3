"""Edit a JSON document as text: what is not touched stays byte for byte as its owner wrote it.

Finds where members and elements stand, and inserts or removes one. Knows no host.
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecoder
from typing import Any

import msgspec

from outrider.errors import BadInputError

_SPACE = re.compile(r"[ \t\n\r]*")
_INDENT = re.compile(r"\n([ \t]+)\S")
_decoder = JSONDecoder()


class Span(msgspec.Struct, frozen=True):
    """A member of an object or an element of an array.

    Attributes:
        key: The member's name, empty for an element.
        start: Offset of the member's name, or of the element.
        value: Offset of the value.
        end: Offset just behind the value.
    """

    key: str
    start: int
    value: int
    end: int


def load(text: str) -> Any:
    """Return what the document says.

    Raises:
        BadInputError: It is not JSON, nests too deeply, or names a member twice (which one counts is anybody's guess).
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"not a JSON document: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a member is named twice")
    return out


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def spans(text: str, at: int) -> tuple[list[Span], int]:
    """Return the members or elements of the container at ``at`` (its bracket), and the offset of its closing bracket.

    The document must be one that :func:`load` takes.
    """
    is_object = text[at] == "{"
    closing = "}" if is_object else "]"
    out: list[Span] = []
    at = _skip(text, at + 1)
    while text[at] != closing:
        start, key = at, ""
        if is_object:
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # Past the colon.
        value = at
        _, end = _decoder.raw_decode(text, at)
        out.append(Span(key, start, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return out, at


def indent_of(text: str) -> str:
    """Return the document's unit of indentation: that of its first indented line, else two spaces."""
    match = _INDENT.search(text)
    return match.group(1) if match else "  "


def insert(text: str, at: int, item: Any, *, key: str = "", depth: int) -> str:
    """Return the document with one member or element more, at the end of the container at ``at``.

    It stands on a line of its own with the document's own indentation, whole, so that a person who reads the difference
    sees one line for one thing; a container that stands on one line and holds something stays on one line.

    Args:
        text: The document.
        at: Offset of the container's opening bracket.
        item: What to insert.
        key: The member's name; empty for an element.
        depth: How deep the container stands; 0 for the document's own object.
    """
    held, close = spans(text, at)
    unit = indent_of(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    one_line = bool(held) and "\n" not in text[at:close]
    written = json.dumps(item, ensure_ascii=False)
    if key:
        written = f"{json.dumps(key, ensure_ascii=False)}: {written}"
    if one_line:
        return f"{text[: held[-1].end]}, {written}{text[held[-1].end :]}"
    if held:
        return f"{text[: held[-1].end]},{newline}{unit * (depth + 1)}{written}{text[held[-1].end :]}"
    return f"{text[: at + 1]}{newline}{unit * (depth + 1)}{written}{newline}{unit * depth}{text[close:]}"


def remove(text: str, at: int, index: int) -> str:
    """Return the document without the member or element number ``index`` of the container at ``at``.

    A container that is left empty is written ``{}`` or ``[]``.
    """
    held, close = spans(text, at)
    if len(held) == 1:
        return text[: at + 1] + text[close:]
    if index == 0:
        return text[: held[0].start] + text[held[1].start :]
    return text[: held[index - 1].end] + text[held[index].end :]
