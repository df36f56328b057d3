"""Texts inside a text: runs of base64, hexadecimal, escapes and rot13, opened so that they can be looked at again."""

from __future__ import annotations

import codecs
import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import re2

from outrider.detect.manypatterns import Characters, encoded
from outrider.detect.placeholders import unwrapped

MAX_RUNS = 200
"""Most runs of one text that hold other text and are yielded; what is behind is not looked at."""
MAX_RUN = 100_000
"""Longest run that is opened, in characters; of a longer one only its beginning."""

_RUN = re2.compile(
    rb"([A-Za-z0-9+/_-]{20,}={0,2})"
    rb"|((?:[0-9A-Fa-f]{2}[ :,]){16,})"
    rb"|([A-Za-z0-9]{0,16}(?:%[0-9A-Fa-f]{2}[A-Za-z0-9+._-]{0,16}){4,})"
    rb"|((?:&#x?[0-9A-Fa-f]{2,6};[ ]?){8,})"
    rb"|((?:\\{1,2}(?:u00|x)[0-9A-Fa-f]{2}){8,})"
)
_TURNED = re2.compile(
    rb"(?i)\b(?:vtaber|qvfertneq|sbetrg|vafgehpgvbaf?|cebzcgf?|nffvfgnag|perqragvnyf?|cnffjbeqf?|vzcbegnag)\b"
)
"""Words of orders, turned by thirteen letters."""
_SPACED = re2.compile(rb"(?:^|[^A-Za-z0-9])((?:[A-Za-z][ ._*|-]{1,3}){5,}[A-Za-z])(?:[^A-Za-z0-9]|$)")
_FIGURED_LINE = re2.compile(rb"[^\n]*[A-Za-z][013457@$]{1,3}[A-Za-z][^\n]* [^\n]*[A-Za-z][013457@$]{1,3}[A-Za-z][^\n]*")
"""A line of two words in which figures stand between letters."""
_FIGURED = str.maketrans("013457@$", "oieastas")
_TELLING = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|override|instructions?|prompts?|rules|passwords?|reveal|system|secrets?)\b"
)
_BACKWARDS = re2.compile(rb"(?i)\b(?:erongi|dragersid|tegrof|snoitcurtsni|tpmorp|slaitnederc)\b")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")
_DIGITS = re.compile(r"\\{1,2}(?:u00|x)([0-9A-Fa-f]{2})")
_READABLE = 0.9
_REST = 200
_LINE = 2_000
"""Characters that are read behind words written letter by letter, and of a line with figures."""


def opened(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the start and end of each run in ``text`` that holds other text, and that text."""
    data = encoded(text)
    characters = Characters(data, ascii_only=len(data) == len(text))
    count = 0
    for match in _RUN.finditer(data):
        inner = _INNER[match.lastindex](match.group()[:MAX_RUN].decode())
        if len(inner) > 8 and _readable(inner):
            yield characters.at(match.start()), characters.at(match.end()), inner
            count += 1
            if count >= MAX_RUNS:
                break
    head = encoded(text[:MAX_RUN])
    for way in (_turned, _backwards, _spelled, _figured):
        yield from way(head, Characters(head, ascii_only=len(head) == len(text[:MAX_RUN])))


def _turned(data: bytes, characters: Characters) -> Iterator[tuple[int, int, str]]:
    for start, end, line in _lines(data, _TURNED):
        yield characters.at(start), characters.at(end), codecs.decode(line, "rot13")


def _backwards(data: bytes, characters: Characters) -> Iterator[tuple[int, int, str]]:
    for start, end, line in _lines(data, _BACKWARDS):
        yield characters.at(start), characters.at(end), line[::-1]


def _spelled(data: bytes, characters: Characters) -> Iterator[tuple[int, int, str]]:
    """Yield words written letter by letter, and lines in which figures stand for letters and spell telling words."""
    for run, _ in zip(_SPACED.finditer(data), range(MAX_RUNS), strict=False):
        rest = data[run.end(1) : run.end(1) + _REST].partition(b"\n")[0].decode("utf-8", "replace")
        said = _joined(run[1].decode()) + rest
        yield characters.at(run.start(1)), characters.at(run.end(1)), said


def _joined(run: str) -> str:
    """Return the words of a run of single letters: the sign that stands between most letters parts no words."""
    between = Counter(re.findall(r"[^A-Za-z]", run)).most_common(1)[0][0]
    one = re.escape(between)
    words = re.split(rf"{one}{{2,}}|(?:(?!{one})[^A-Za-z])+(?:{one})?|{one}(?=[^A-Za-z])", run)
    return " ".join(word.replace(between, "") for word in words if word)


def _figured(data: bytes, characters: Characters) -> Iterator[tuple[int, int, str]]:
    for line, _ in zip(_FIGURED_LINE.finditer(data), range(MAX_RUNS), strict=False):
        shown = line[0][:_LINE].decode("utf-8", "replace")
        said = shown.translate(_FIGURED)
        if len(_TELLING.findall(said)) >= 2 + len(_TELLING.findall(shown)):
            yield characters.at(line.start()), characters.at(line.end()), said


def _lines(data: bytes, telling: Any) -> Iterator[tuple[int, int, str]]:
    """Yield the lines in which telling words stand, if there are two or more: start, end and text."""
    words = [match.start() for match, _ in zip(telling.finditer(data), range(MAX_RUNS), strict=False)]
    last = -1
    for place in words if len(words) > 1 else ():
        if place >= last:
            start, last = data.rfind(b"\n", 0, place) + 1, data.find(b"\n", place)
            last = len(data) if last < 0 else last
            yield start, last, data[start:last].decode("utf-8", "replace")


def _of_base64(run: str) -> str:
    return unwrapped(run) or ("" if _NOT_HEX.search(run) else _from_hex(run))


def _of_escapes(run: str) -> str:
    return _DIGITS.sub(lambda digit: chr(int(digit[1], 16)), run)


def _from_hex(run: str) -> str:
    digits = _NOT_HEX.sub("", run)
    return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-8", "replace")


def _readable(text: str) -> bool:
    shown = sum(char.isprintable() or char in "\n\t" for char in text[:400])
    return shown >= _READABLE * min(len(text), 400)


_INNER: dict[int, Callable[[str], str]] = {1: _of_base64, 2: _from_hex, 3: unquote, 4: html.unescape, 5: _of_escapes}
