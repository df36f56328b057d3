"""Pieces of a charter's file, written so that no text leaves its quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH = 100


def listed(verb: str, patterns: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a key with a list of patterns."""
    whole = f"{verb} = [{', '.join(quoted(one) for one in patterns)}]"
    if len(whole) <= _WIDTH:
        yield whole
        return
    yield f"{verb} = ["
    for one in patterns:
        yield f"  {quoted(one)},"
    yield "]"


def quoted(text: str) -> str:
    """Return a basic string of TOML, everything but printable ASCII escaped."""
    return f'"{"".join(_escaped(char) for char in text)}"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return "\\" + char
    if char.isascii() and char.isprintable():
        return char
    return f"\\U{ord(char):08X}"
