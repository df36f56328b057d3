"""A Python text without the functions that hold no place which a value from outside must not reach.

Reading a text as Python is what the taint pass costs most for, and most functions open, run and fetch nothing. What a
function does stays in it: the pass follows each from what its module has set, and takes nothing back. So one without
such a place can be left out, and ``pass`` stands where it stood, so that statements keep their lines.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from typing import Any, Final

import re2

from outrider.detect.code.taint_tables import FROM_CALLERS, FUNCTIONS, LOGS, OPERATORS, REQUESTS, ROUTES, SINKS, STREAMS
from outrider.detect.code.taint_values import EVERYTHING
from outrider.detect.manypatterns import encoded

_OTHERS: Final = {
    "html": ("return",),
    "ldap": ("search",),
    "log": tuple(LOGS),
    "session": ("session",),
    "header": ("headers",),
}
"""Words without which there is no place of a kind, beside the names of functions."""
_CLIENTS: Final = re2.compile(rf"(?m)\b(?:{'|'.join(sorted(REQUESTS))})\b|^\s*@.*\b(?:{'|'.join(sorted(ROUTES))})\b")
"""A client's request, or a function that answers one."""
_OPERATED: Final = re2.compile(
    rf"\b(?:{'|'.join(sorted({*FUNCTIONS, *(name.rsplit('.', 1)[-1] for name in STREAMS)}))})\b"
)
_STRING: Final = re.compile(
    r"#[^\n]*"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'",
    re.DOTALL,
)
_BEGINS: Final = ("def ", "async def ", "@")
_CLOSES: Final = (")", "]", "}")


@lru_cache(maxsize=256)
def _places(kinds: frozenset[str]) -> Any:
    names = {name.rsplit(".", 1)[-1] for name, sink in SINKS.items() if sink.kind in kinds}
    names.update(word for kind in kinds for word in _OTHERS.get(kind, ()))
    words = [rf"\b(?:{'|'.join(sorted(names))})\b"] if names else []
    if "fields" in kinds:
        words.append(r"\*\*")
    return re2.compile("|".join(words))


def within_reach(text: str, kinds: frozenset[str]) -> frozenset[str]:
    """Return the kinds of places that a value from outside may reach in a text, by the words that stand in it.

    Args:
        text: A Python text, or a fragment of one.
        kinds: The kinds of places that are asked about.
    """
    # Python reads a name that is spelled in other letters, of full width for one, as the plain one.
    text = text if text.isascii() else unicodedata.normalize("NFKC", encoded(text).decode())
    if not _CLIENTS.search(text):
        kinds = kinds - (OPERATORS if _OPERATED.search(text) else EVERYTHING) | (kinds & FROM_CALLERS)
    return kinds if kinds and _places(kinds).search(text) else frozenset()


def without(text: str, kinds: frozenset[str]) -> str:
    """Return a text without the functions in which nothing can be found, as many lines as before.

    Args:
        text: A Python text, or a fragment of one.
        kinds: The kinds of places that are asked about.
    """
    if text.count("\r") != text.count("\r\n"):
        return text  # To Python a line ends there, and to what follows it does not.
    found = [match.start() for match in _places(kinds).finditer(text if text.isascii() else encoded(text).decode())]
    lines = text.split("\n")
    starts = _starts(lines)
    inner = _within(text, lines, starts)
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        bare = line.lstrip()
        if at in inner or not bare.startswith(_BEGINS):
            out.append(line)
            at += 1
            continue
        indent = len(line) - len(bare)
        end = _end(lines, at, indent, inner)
        start, stop = starts[at], starts[end] if end < len(lines) else len(text)
        place = bisect_left(found, start)
        if (place < len(found) and found[place] < stop) or not text[start:stop].isascii():
            out.extend(lines[at:end])
        else:
            out.append(line[:indent] + "pass")
            out.extend([""] * (end - at - 1))
        at = end
    return "\n".join(out)


def _starts(lines: list[str]) -> list[int]:
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return starts


def _within(text: str, lines: list[str], starts: list[int]) -> frozenset[int]:
    """Return the lines that go on with what the line before began: a string, or a line that ends in a backslash."""
    inner = {at + 1 for at, line in enumerate(lines) if line.endswith(("\\", "\\\r"))}
    if '"""' in text or "'''" in text:
        for match in _STRING.finditer(text):
            first, last = match.span()
            if last - first > 6 and (count := text.count("\n", first, last)):
                line = bisect_left(starts, first + 1) - 1
                inner.update(range(line + 1, line + count + 1))
    return frozenset(inner)


def _end(lines: list[str], at: int, indent: int, inner: frozenset[int]) -> int:
    """Return the line behind the function that begins with its decorators on line ``at``."""
    heading = True
    for number in range(at, len(lines)):
        line = lines[number]
        bare = line.lstrip()
        if number in inner or not bare or bare[0] == "#" or len(line) - len(bare) > indent or bare.startswith(_CLOSES):
            continue
        if not heading:
            return number
        heading = bare[0] == "@"
    return len(lines)
