"""Texts inside a text: runs of base64, hexadecimal, escapes and rot13, opened so that they can be looked at again."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Callable, Iterator
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
    rb"|((?:%[0-9A-Fa-f]{2}[A-Za-z0-9+._-]{0,12}){4,})"
    rb"|((?:&#x?[0-9A-Fa-f]{2,6};[ ]?){8,})"
    rb"|((?:\\(?:u00|x)[0-9A-Fa-f]{2}){8,})"
)
_TURNED = re.compile(
    r"(?i)\b(?:vtaber|qvfertneq|sbetrg|vafgehpgvbaf?|cebzcgf?|nffvfgnag|perqragvnyf?|cnffjbeqf?|vzcbegnag)\b"
)
"""Words of orders, turned by thirteen letters."""
_BACKWARDS = re.compile(r"(?i)\b(?:erongi|dragersid|tegrof|snoitcurtsni|tpmorp|slaitnederc)\b")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")
_DIGITS = re.compile(r"\\(?:u00|x)([0-9A-Fa-f]{2})")
_READABLE = 0.9


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
    for line in _lines(text, _TURNED):
        yield line.start(), line.end(), codecs.decode(line[0], "rot13")
    for line in _lines(text, _BACKWARDS):
        yield line.start(), line.end(), line[0][::-1]


def _lines(text: str, telling: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the lines in which telling words stand, if there are two or more."""
    if len(telling.findall(text[:MAX_RUN])) < 2:
        return
    for count, line in enumerate(re.finditer(r"[^\n]+", text[:MAX_RUN])):
        if count < MAX_RUNS and telling.search(line[0]):
            yield line


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
