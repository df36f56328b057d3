"""How things are shown: tables for people, one object for programs, and nothing an attacker wrote rendered as is.

Every string that is shown may have been written by an attacker: control characters and invisible or reordering Unicode
become visible marks, and rich's markup is never interpreted.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON_VERSION = 1
_WIDE = 80


def emit(value: Any, *, kind: str) -> None:
    """Print ``value`` as one JSON object on stdout: ``{"outrider": 1, "kind": ..., "data": ...}``."""
    body = msgspec.json.encode({"outrider": JSON_VERSION, "kind": kind, "data": value})
    click.echo(msgspec.json.format(body, indent=2).decode())


def say(text: str) -> None:
    """Print talk on stderr."""
    click.echo(text, err=True)


def safe(text: str) -> str:
    """Return ``text`` with everything that does not show as itself written as ``<U+XXXX>``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char.isprintable() and unicodedata.category(char) not in {"Cf", "Cc", "Co", "Cn", "Zl", "Zp"}:
        return char
    return f"<U+{ord(char):04X}>"


def many(count: int, one: str) -> str:
    """Return a count with what is counted: ``1 line``, ``2,000 lines``."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def when(micros: int) -> str:
    """Return a time in UTC to the second: ``2026-11-23 14:03:11``."""
    if not micros:
        return "-"
    stamp = dt.datetime.fromtimestamp(micros / 1_000_000, tz=dt.UTC)
    return stamp.strftime("%Y-%m-%d %H:%M:%S")


def lasting(micros: int) -> str:
    """Return a length of time in words: ``3 h 12 min``."""
    seconds = max(0, micros // 1_000_000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} d"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, last_wraps: bool = False) -> None:
    """Print a table on stdout that fits the terminal: plain text, two spaces between columns.

    Columns are as wide as their content; if the whole is too wide the last column is cut with an ellipsis, or wrapped
    where ``last_wraps``. Piped output is never cut.
    """
    cells = [[safe(str(cell)) for cell in row] for row in rows]
    widths = [max(len(h), *(len(row[i]) for row in cells), 0) if cells else len(h) for i, h in enumerate(headers)]
    room = _room() - sum(widths[:-1]) - 2 * (len(widths) - 1)
    styled = [click.style(h.upper(), bold=True) + " " * (w - len(h)) for h, w in zip(headers, widths, strict=True)]
    click.echo("  ".join(styled).rstrip())
    for row in cells:
        lead = "  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True))
        for position, part in enumerate(_fit(row[-1], max(room, 12), wraps=last_wraps)):
            start = lead if position == 0 else " " * len(lead)
            click.echo((f"{start}  {part}" if lead else part).rstrip())


def facts(rows: Iterable[tuple[str, str]], *, indent: int = 2) -> None:
    """Print names and values in two columns, values wrapped."""
    items = [(name, safe(value)) for name, value in rows]
    width = max((len(name) for name, _ in items), default=0)
    for name, value in items:
        for position, part in enumerate(_fit(value, _room() - width - indent - 2, wraps=True)):
            label = click.style(name.ljust(width), dim=True) if position == 0 else " " * width
            click.echo(f"{' ' * indent}{label}  {part}".rstrip())


def paragraph(text: str) -> None:
    """Print sentences on stdout, wrapped at eighty columns or the terminal's, whichever is less."""
    import textwrap

    for line in textwrap.wrap(safe(text), min(_WIDE, _room()), break_on_hyphens=False):
        click.echo(line)


def prose(text: str) -> None:
    """Print sentences on stdout, wrapped on a terminal alone: whoever reads them from a pipe has each on one line."""
    for line in _fit(safe(text), min(_WIDE, _room()) if sys.stdout.isatty() else _room(), wraps=True):
        click.echo(line)


def heading(text: str) -> None:
    """Print a heading on stdout."""
    click.echo(click.style(text, bold=True))


def marked(line: int, text: str, spans: Iterable[tuple[int, int, bool]]) -> None:
    """Print a piece of a text with some of its words marked: in colour, and with a line of ``^`` below where none is.

    Args:
        line: The number of the line that it is of.
        text: The piece.
        spans: Begin and end of each, in characters of ``text``, and whether it is only a frame for others.
    """
    signs = [" "] * len(text)
    for at, end, frame in sorted(spans, key=lambda span: not span[2]):
        for position in range(max(at, 0), min(end, len(text))):
            signs[position] = "~" if frame else "^"
    lead = f"{line:>5} | "
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    shown, below = [], []
    for char, sign in zip(text, signs, strict=True):
        written = " " if char == "\t" else safe(char)
        below.append(sign * len(written))
        shown.append(click.style(written, **_STYLES[sign]) if coloured and sign != " " else written)
    click.echo(lead + "".join(shown))
    if not coloured:
        click.echo((" " * len(lead) + "".join(below)).rstrip())


_STYLES: Final[dict[str, dict[str, Any]]] = {"^": {"fg": "red", "bold": True}, "~": {"fg": "yellow"}}


def verdict(word: str) -> str:
    """Return a verdict in its colour; the word itself stays readable without colours."""
    colour = {"deny": "red", "error": "red", "ask": "yellow", "allow": "green", "amend": "yellow"}.get(word)
    return click.style(word, fg=colour) if colour else word


def _room() -> int:
    if not sys.stdout.isatty():
        return 10_000
    return max(40, _columns())


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size((_WIDE, 24)).columns


def _fit(text: str, room: int, *, wraps: bool) -> list[str]:
    if len(text) <= room:
        return [text]
    if not wraps:
        return [text[: room - 1] + "…"]
    import textwrap

    return textwrap.wrap(text, room, break_long_words=True, break_on_hyphens=False) or [""]


def cut(text: str) -> str:
    """Return ``text`` as one safe line that fits the terminal; whole where stdout is no terminal."""
    return _fit(safe(text), _room(), wraps=False)[0]
