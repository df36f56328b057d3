"""Whether a sentence tells its reader to do something: the mark of an instruction, planted or honest.

A page that says "please pay to this account" looks the same whoever wrote it. So this decides nothing by itself: it
says which values stand beside an order, and a charter says what that means for a call that uses them.
"""

from __future__ import annotations

import re
from importlib.resources import files

import re2

MAX_SENTENCE = 2_000
"""Characters of a sentence that are looked at."""

VERBS = frozenset(files("outrider.flow").joinpath("verbs.txt").read_text("ascii").split())
"""Verbs of acting, in their base form: what a tool call does to the world or to what is known."""

_BEFORE = re.compile(r"^[\W_\d]*")
_SPACE = r"\s\x0b\x1c-\x1f"
"""Space in a class of characters: what Python calls so in ASCII, of which RE2 leaves some out."""
_LEADING = (
    r"(?:\b(?:please|must|should|shall|ha(?:s|ve) to|(?:need|needs|needed|ought|want you|like you|require you|required"
    r"|asked|remember|be sure|do not forget|don't forget) to|make sure(?: to| that)?|could you|can you|would you"
    r"|will you|kindly|immediately|first|then|now|next|finally|after that|also|just|directly|simply|to ?do|do|tasks?"
    r"|instructions?|instead|and|or|be|you|never|always)\b"
    rf"[{_SPACE}:,\"'(-]*|[,:][{_SPACE}]+)"
)
_BEHIND = rf"[{_SPACE}]+[^{_SPACE}:]"
_LEAD = re.compile(rf"{_LEADING}(?=([a-z]+){_BEHIND})")
"""A leading word, and behind it the word that would be the verb."""
_LED = re2.compile(f"{_LEADING}(?:{'|'.join(sorted(VERBS))}){_BEHIND}".encode())
"""A leading word and a verb behind it; the same in ASCII, which is most, at a twentieth of its price."""
_FIRST = re.compile(r"([a-z]+)\s+[^\s:]")
_AROUND = str.maketrans(dict.fromkeys(":,\"'(-", " "))
"""What may stand between a leading word and the verb, beside space."""


def is_order(sentence: str) -> bool:
    """Tell whether ``sentence`` orders or asks for something: an acting verb at its start or behind a leading word."""
    low = _BEFORE.sub("", sentence[:MAX_SENTENCE].lower(), count=1)
    first = _FIRST.match(low)
    if first is not None and first[1] in VERBS:
        return True
    if low.isascii():
        return _LED.search(low.encode()) is not None
    if VERBS.isdisjoint(low.translate(_AROUND).split()):
        return False  # No leading word has a verb behind it, so none is looked for: it is the dear part.
    return not VERBS.isdisjoint(_LEAD.findall(low))
