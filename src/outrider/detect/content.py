"""Instructions planted in what an agent reads: orders to an assistant, however they are hidden or encoded.

The signs are data (``signs/*.toml``). They are looked for in the plain form of the text (:mod:`outrider.detect.plain`)
and in the texts that it wraps (:mod:`outrider.detect.opened`). Findings are evidence and bring the label ``untrusted``;
nothing is refused for them alone, for a page about prompt injection can look just the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import re2

from outrider.detect.hidden import hidden
from outrider.detect.manypatterns import Characters, Patterns, encoded
from outrider.detect.opened import opened
from outrider.detect.plain import Plain, plain, spelled_unseen
from outrider.detect.signs import ADVICE, Sign, load
from outrider.events.call import Confidence, Finding

MAX_EACH = 4
"""Most findings of one sign in one text."""
MAX_LOOKED_AT = 64
"""Most matches of one sign that are looked at in one text."""

_MEMORY = 256 << 20
_LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low", "low": "low"}
_ABOUT = 120
_MENTION = re2.compile(
    rb"(?i)\b(?:detect\w*|examples?|e\.g\.|such as|docs|documentation|phrases?|attackers?|attacks?"
    rb"|injections?|jailbreak(?:s|ing)"
    rb"|heading|label|labels|fixtures?|regex(?:es)?|patterns?|test cases?|matches"
    rb"|blog post|study|malicious)\b[^\n]{0,80}$"
)
"""What stands before an order that a text only speaks of."""
_NEGATED = re.compile(r"(?i)\b(?:never|not|don't|cannot|can't)\s{1,2}\Z")
"""What turns an order round, right before it."""
_UNSEEN = ("content.invisible-tags", "content.variation-selectors")


class _Seen(NamedTuple):
    sign: Sign
    start: int
    end: int
    confidence: Confidence
    note: str = ""


@cache
def _patterns(*, raw: bool) -> tuple[tuple[Sign, ...], Patterns]:
    signs = tuple(sign for sign in load() if sign.raw is raw)
    expressions = [sign.expression for sign in signs]
    return signs, Patterns(expressions, expressions, memory=_MEMORY)


def content(text: str, where: str, key: bytes, *, path: str = "") -> list[Finding]:  # noqa: ARG001
    """Return the signs in ``text``; the detector of :data:`outrider.detect.registry.DETECTORS`."""
    made = plain(text)
    seen = list(_planted(made))
    if made.text is not text:
        seen += _raw(text)
    counts: dict[str, int] = {}
    out: list[Finding] = []
    for sign, start, end, confidence, note in sorted(seen, key=lambda one: (one.start, one.end)):
        counts[sign.id] = counts.get(sign.id, 0) + 1
        if counts[sign.id] <= MAX_EACH:
            out.append(
                Finding(
                    rule=sign.id,
                    severity=sign.severity,
                    confidence=confidence,
                    where=where,
                    message=sign.title + note + ".",
                    advice=ADVICE,
                    start=start,
                    end=end,
                )
            )
    return out


def _planted(made: Plain) -> Iterator[_Seen]:
    """Yield the signs in a plain text and in what it wraps, at their places in the text as it is."""
    found = list(_signs(made.text))
    if found:
        places = list(hidden(made.text))
        for one in found:
            note = ""
            if any(first <= one.start and one.end <= last for first, last in places):
                note = ", where a page shows nothing"
            elif one.confidence != "low" and made.disguised(one.start, one.end):
                note = ", in disguised letters"
            sure: Confidence = "high" if note else one.confidence
            yield _Seen(one.sign, made.at(one.start), made.at(one.end - 1) + 1, sure, note)
    for start, end, inner in opened(made.text):
        inside = [one for one in _signs(plain(inner).text) if one.confidence != "low"]
        if inside:
            yield _Seen(inside[0].sign, made.at(start), made.at(end - 1) + 1, "high", ", encoded")


def _signs(text: str) -> Iterator[_Seen]:
    for sign, start, end in _matches(text, raw=False):
        yield _Seen(sign, start, end, _sure(sign, text, start, end))


def _matches(text: str, *, raw: bool) -> Iterator[tuple[Sign, int, int]]:
    signs, patterns = _patterns(raw=raw)
    data = encoded(text)
    ascii_only = len(data) == len(text)
    for index in patterns.which(data):
        characters = Characters(data, ascii_only=ascii_only)
        for count, match in enumerate(patterns.each[index].finditer(data)):
            if count >= MAX_LOOKED_AT:
                break
            start, end = characters.at(match.start()), characters.at(match.end())
            if start < end:
                yield signs[index], start, end


def _sure(sign: Sign, text: str, start: int, end: int) -> Confidence:
    """Return how sure a sign is where it stands: less where the text before it says that it speaks of such orders."""
    ahead = text[max(0, start - _ABOUT) : start].rpartition("\n")[2]
    negated = _NEGATED.search(ahead)
    if not sign.spoken or not (negated or _MENTION.search(encoded(ahead))):
        return sign.confidence
    quoted = text[start - 1 : start] in {'"', "'", "`"} or text[max(0, start - 3) : start].strip(" -*") in {
        '"',
        "'",
        "`",
    }
    if negated:
        return "low"
    step = _LOWER[sign.confidence]
    return _LOWER[step] if quoted or text[end : end + 1] in {'"', "'", "`"} else step


def _raw(text: str) -> Iterator[_Seen]:
    for sign, start, end in _matches(text, raw=True):
        if sign.id not in _UNSEEN or _says_something(text[start:end]):
            yield _Seen(sign, start, end, sign.confidence)


def _says_something(run: str) -> bool:
    """Tell whether a run of unseen characters spells a text: a flag of a region is one of tags, and spells no words."""
    said = spelled_unseen(run).strip("\x7f")
    return len(said) >= 8 or (bool(said) and not said.isalnum())
