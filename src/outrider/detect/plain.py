"""A text as a model reads it: what cannot be seen taken out, lookalikes of Latin letters put back.

Instructions are hidden from people with characters that a tokenizer passes over or understands all the same: zero-width
spaces inside words, full-width and mathematical letters, Cyrillic letters among Latin ones, tag characters and
variation selectors that spell out text. Patterns run over the plain form; offsets lead back to the text as it is.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from functools import cache

import msgspec

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff]+|\x1b\\[[0-9;?]{0,20}[A-Za-z]"
)
"""What shows nothing: soft hyphens, joiners, marks of direction, variation selectors, tags, colours of a terminal."""
_MIXED = re.compile("[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
_WORD = re.compile("[A-Za-z\u0370-\u04ff]{2,}")
_LOOKALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u04bb\u0501\u051b\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425"
    "\u0406\u0408\u0405\u03bf\u03b1\u03b5\u03b9\u03bd\u03c1\u03c5\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "aeopcxyijshdqABEKMHOPCTXIJSoaeivpuABEZHIKMNOPTYX",
)
_FOREIGN = re.compile("[\u0370-\u04ff\u2100-\u214f\u249c-\u24e9\uff21-\uff5a\U0001d400-\U0001d7ff]")
_TAG_BASE, _TAG_END = 0xE0000, 0xE0080
_RANGES = ((0xFF01, 0xFF5F), (0x1D400, 0x1D800), (0x249C, 0x24EA), (0x2100, 0x2140), (0x2000, 0x200B))


class Plain(msgspec.Struct, frozen=True):
    """A text made plain.

    Attributes:
        text: The plain text.
        cuts: Offsets in ``text`` before which something was taken out, ascending.
        shifts: For each of ``cuts``, how many characters were taken out up to it.
        changed: Offsets in ``text`` of letters that were put back, ascending.
    """

    text: str
    cuts: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()

    def at(self, offset: int) -> int:
        """Return where in the text as it is the character at ``offset`` stands."""
        place = bisect.bisect_right(self.cuts, offset)
        return offset + (self.shifts[place - 1] if place else 0)

    def disguised(self, start: int, end: int) -> bool:
        """Tell whether the plain span only reads as it does because words were joined or letters put back in it."""
        between = self.cuts[bisect.bisect_right(self.cuts, start) : bisect.bisect_left(self.cuts, end)]
        inside = sum(self.text[cut - 1].isalnum() and self.text[cut].isalnum() for cut in between)
        put_back = bisect.bisect_left(self.changed, end) - bisect.bisect_left(self.changed, start)
        return inside > 0 or put_back > 0


@cache
def _table() -> dict[int, str]:
    table = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0xA0: " ", 0x202F: " ", 0x3000: " ", 0x2028: "\n"}
    for first, last in _RANGES:
        for point in range(first, last):
            folded = unicodedata.normalize("NFKC", chr(point))
            if len(folded) == 1 and folded.isascii():
                table[point] = folded
            elif len(folded) == 3 and folded[0] == "(":
                table[point] = folded[1]
    return table


def plain(text: str) -> Plain:
    """Return ``text`` in its plain form; linear, and the same text at once where it is ASCII without colours."""
    if text.isascii() and "\x1b" not in text:
        return Plain(text)
    cuts: list[int] = []
    shifts: list[int] = []
    pieces: list[str] = []
    last = size = gone = 0
    for match in _UNSEEN.finditer(text):
        pieces.append(text[last : match.start()])
        size += match.start() - last
        gone += match.end() - match.start()
        cuts.append(size)
        shifts.append(gone)
        last = match.end()
    seen = "".join(pieces) + text[last:] if cuts else text
    folded = seen.translate(_table())
    if _MIXED.search(folded):
        folded = _WORD.sub(_latin, folded)
    changed = _letters_changed(seen, folded)
    return Plain(folded, tuple(cuts), tuple(shifts), changed)


def _latin(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(_LOOKALIKE) if _MIXED.search(word) else word


def _letters_changed(before: str, after: str) -> tuple[int, ...]:
    if before == after:
        return ()
    places = (match.start() for match in _FOREIGN.finditer(before))
    return tuple(place for place in places if before[place] != after[place])


def spelled_unseen(text: str) -> str:
    """Return what a run of tag characters or variation selectors spells, or empty: one byte a character.

    Tags stand for ASCII. Variation selectors 1 to 16 stand for the bytes 0 to 15 and 17 to 256 for 16 to 255.
    """
    tags = [chr(ord(c) - _TAG_BASE) for c in text if _TAG_BASE < ord(c) < _TAG_END]
    if tags:
        return "".join(tags)
    values = bytearray()
    for char in text:
        point = ord(char)
        if 0xFE00 <= point <= 0xFE0F:
            values.append(point - 0xFE00)
        elif 0xE0100 <= point <= 0xE01EF:
            values.append(point - 0xE0100 + 16)
    said = values.decode("utf-8", "replace")
    return said if said.isprintable() else ""
