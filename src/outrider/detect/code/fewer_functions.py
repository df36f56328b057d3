"""A Python text without the functions that hold no place which a value from outside must not reach.

Reading a text as Python is what the taint pass costs most for, and most functions open, run and fetch nothing. What a
function does stays in it, but for what it hands on of values from outside to other functions of the text, and what it
gives back to them. So one that neither holds such a place, nor names where values from outside come from, nor is asked
for anything in the text is left out: a function of its name that does nothing stands where it stood, and statements
keep their lines.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from typing import Any, Final

import re2

from outrider.detect.code.taint_tables import (
    FROM_CALLERS,
    FUNCTIONS,
    LOGS,
    OPERATORS,
    RECEIVED,
    REQUESTS,
    ROUTES,
    SINKS,
    STREAMS,
)
from outrider.detect.code.taint_values import EVERYTHING
from outrider.detect.manypatterns import encoded

_OTHERS: Final = {
    "html": ("return",),
    "ldap": ("search",),
    "log": tuple(LOGS),
    "session": ("session",),
    "header": ("headers",),
    "template": ("Template",),
    "xpath": ("find", "findtext"),
}
"""Words without which there is no place of a kind, beside the names of functions."""
_CLIENTS: Final = (
    rf"\b(?:{'|'.join(sorted({*REQUESTS, *RECEIVED, 'event'}))})\b|^\s*@.*\b(?:{'|'.join(sorted(ROUTES))})\b"
)
"""A client's request, what came from the other side of a connection, or a function that answers a client."""
_OPERATED: Final = rf"\b(?:{'|'.join(sorted({*FUNCTIONS, *(name.rsplit('.', 1)[-1] for name in STREAMS)}))})\b"
_FROM_CLIENTS: Final = re2.compile(f"(?m){_CLIENTS}")
_FROM_OPERATORS: Final = re2.compile(_OPERATED)
_FROM_OUTSIDE: Final = re2.compile(f"(?m){_CLIENTS}|{_OPERATED}")
_CALLED: Final = re2.compile(r"(def |self\.|cls\.|\.)?\b(\w+)\(")
"""A call of what may be a function of the same text, and may give back something else than it is given."""
_STRING: Final = re.compile(
    r"#[^\n]*"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'",
    re.DOTALL,
)
_RENAMED: Final = re2.compile(
    rf"\bimport\b.*\b(?:{'|'.join(sorted({one.rsplit('.', 1)[-1] for one in SINKS}))})\s+as\b"
)
"""A place that goes by another name."""
_BEGINS: Final = ("def ", "async def ", "@")
_CLOSES: Final = (")", "]", "}")
_SAYS_NOTHING: Final = ("#", '"', "'", "from ", "import ")
_NAMED: Final = re.compile(r"[ \t]*(?:async )?def[ \t]+(\w+)")


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
    if not _FROM_CLIENTS.search(text):
        kinds = kinds - (OPERATORS if _FROM_OPERATORS.search(text) else EVERYTHING) | (kinds & FROM_CALLERS)
    return kinds if kinds and _places(kinds).search(text) else frozenset()


def without(text: str, kinds: frozenset[str]) -> str:
    """Return a text without the functions in which nothing can be found, as many lines as before.

    Args:
        text: A Python text, or a fragment of one.
        kinds: The kinds of places that are asked about.
    """
    seen = text if text.isascii() else encoded(text).decode()
    if text.count("\r") != text.count("\r\n") or _RENAMED.search(seen):
        return text  # To Python a line ends there, and to what follows it does not; or a name is not what it says.
    places = [match.start() for match in _places(kinds).finditer(seen)]
    sources = [match.start() for match in _FROM_OUTSIDE.finditer(seen)]
    lines = text.split("\n")
    starts = _starts(lines)
    inner = _within(text, lines, starts)
    called = {name for of, name in _CALLED.findall(seen) if of in {"", "self.", "cls."}} if sources else set()
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        bare = line.lstrip()
        if at in inner or not bare.startswith(_BEGINS):
            if at not in inner and not bare.startswith(_SAYS_NOTHING) and _any(sources, starts[at], len(line)):
                return text  # Any function may hand on what the module has from outside.
            out.append(line)
            at += 1
            continue
        end, named = _function(lines, at, inner)
        size = (starts[end] if end < len(lines) else len(text)) - starts[at]
        if named and not (_any(places, starts[at], size) or _any(sources, starts[at], size)):
            piece = text[starts[at] : starts[at] + size]
            if piece.isascii() and piece.count("def ") == 1 and not (named in called and "return" in piece):
                out.append(f"{line[: len(line) - len(bare)]}def {named}(): pass")
                out.extend([""] * (end - at - 1))
                at = end
                continue
        out.extend(lines[at:end])
        at = end
    return "\n".join(out)


def _any(found: list[int], start: int, size: int) -> bool:
    """Whether one of some ascending offsets lies in a piece of a text."""
    place = bisect_left(found, start)
    return place < len(found) and found[place] < start + size


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


def _function(lines: list[str], at: int, inner: frozenset[int]) -> tuple[int, str]:
    """Return the line behind the function that begins with its decorators on line ``at``, and its name.

    Of a class that begins so, the line behind its head, and no name: its functions stand for themselves.
    """
    indent = len(lines[at]) - len(lines[at].lstrip())
    name = ""
    for number in range(at, len(lines)):
        line = lines[number]
        bare = line.lstrip()
        if number in inner or not bare or bare[0] == "#" or len(line) - len(bare) > indent or bare.startswith(_CLOSES):
            continue
        if name:
            return number, name
        if bare[0] != "@":
            named = _NAMED.match(line)
            if named is None:
                return max(number, at + 1), ""
            name = named[1]
    return len(lines), name
