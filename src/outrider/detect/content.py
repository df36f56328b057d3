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
from outrider.detect.signs.cues import HIDDEN, SPOKEN_OF, SURE, THRESHOLD, TOGETHER
from outrider.detect.together import together
from outrider.events.call import Confidence, Finding

MAX_EACH = 4
"""Most findings of one sign in one text."""
MAX_LOOKED_AT = 64
"""Most matches of one sign that are looked at in one text."""

_MEMORY = 256 << 20
_LOWER: dict[Confidence, Confidence] = {"high": "medium", "medium": "low", "low": "low"}
_ABOUT = 120
_MENTION = re2.compile(
    rb"(?i)(?:\be\.g\.|(?:^|[^.\w])examples?\b|\b(?:detect\w*|such as|docs|documentation|phrases?|attackers?|attacks?"
    rb"|injections?|inject(?:ed|s)|poisoning|jailbreak(?:s|ing)|(?:the|a) (?:string|text|test)"
    rb"|smuggl\w+|leaks?|payloads?|flaws?|vulnerabilit\w+|disclosure"
    rb"|heading|label|labels|fixtures?|regex(?:es)?|patterns?|test cases?|matches"
    rb"|blog post|study|malicious)\b)[^\n]{0,80}$"
)
"""What stands before an order that a text only speaks of."""
_SUPPOSED = re.compile(
    r"(?i)\b(?:(?:could|can|may|might) (?:write|contain|say|hold|put|type|hide|trick)|by (?:writing|typing|saying)"
    r"|is it possible to)\b[^\n]{0,40}\Z"
)
"""What says, right before an order, that somebody might give it."""
_NAMED_AFTER = re.compile(r"(?i)\A[^\n]{0,60}\b(?:prompt injections?|jailbreaks?)\b")
"""What says, right behind an order, what such orders are called."""
_NEGATED = re.compile(r"(?i)\b(?:never|not|don't|cannot|can't)\s{1,2}\Z")
"""What turns an order round, right before it."""
_FORM = re.compile(
    r"(?i)\b(?:template|headings?|checklists?|check ?box|fill (?:in|out)|contributing|bug report|pull request"
    r"|(?:delete|remove) (?:this|the|any|all) (?:section|line|comment)s?)\b"
)
"""What a form says to the people who fill it in, in comments that a page does not show."""
_LEAST_PARTS = 2
"""Fewest cues that are not faint: to speak to an assistant, of its user and in haste is no order yet."""
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
    places = list(hidden(made.text))
    found = list(_signs(made.text))
    found += _together(made.text, places, found)
    if found:
        for one in found:
            note = one.note
            if _inside(places, one.start, one.end) and not (one.confidence == "low" and _asks_a_person(made.text, one)):
                note += ", where a page shows nothing"
            elif not note and one.confidence != "low" and made.disguised(one.start, one.end):
                note = ", in disguised letters"
            sure: Confidence = "high" if note != one.note else one.confidence
            yield _Seen(one.sign, made.at(one.start), made.at(one.end - 1) + 1, sure, note)
    for start, end, inner in opened(made.text):
        said = plain(inner).text
        inside = [one for one in _signs(said) if one.confidence != "low"]
        inside = inside or list(_together(said, [(0, len(said))], inside))
        if inside:
            yield _Seen(inside[0].sign, made.at(start), made.at(end - 1) + 1, "high", ", encoded")


def _together(text: str, places: list[tuple[int, int]], known: list[_Seen]) -> Iterator[_Seen]:
    """Yield where cues stand together in a plain text and no other sign is seen."""
    for start, end, weight, cues in together(text):
        if any(one.start < end + _ABOUT and start < one.end + _ABOUT and one.confidence != "low" for one in known):
            continue
        unseen = _inside(places, start, end)
        whole = cues[0].weight >= THRESHOLD or sum(not cue.faint for cue in cues) >= _LEAST_PARTS
        if not (whole or unseen):
            continue
        weighed = weight + HIDDEN * unseen - SPOKEN_OF * _spoken_of(text, start)
        if weighed >= THRESHOLD:
            sure: Confidence = "high" if weighed >= SURE else "medium"
            yield _Seen(TOGETHER, start, end, sure, ": " + ", ".join(cue.says for cue in cues))


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
    supposed = _SUPPOSED.search(ahead)
    named = _NAMED_AFTER.match(text[end : end + _ABOUT])
    if not sign.spoken or not (negated or supposed or named or _MENTION.search(encoded(ahead))):
        return sign.confidence
    quoted = text[start - 1 : start] in {'"', "'", "`"} or text[max(0, start - 3) : start].strip(" -*") in {
        '"',
        "'",
        "`",
    }
    if negated or supposed:
        return "low"
    step = _LOWER[sign.confidence]
    return _LOWER[step] if quoted or text[end : end + 1] in {'"', "'", "`"} else step


def _asks_a_person(text: str, one: _Seen) -> bool:
    """Tell whether an order of any kind stands in what a form asks of the people who fill it in."""
    around = text[max(0, one.start - _ABOUT) : one.end + _ABOUT]
    return one.sign.id == "content.speaks-to-assistants" and _FORM.search(around) is not None


def _inside(places: list[tuple[int, int]], start: int, end: int) -> bool:
    return any(first <= start and end <= last for first, last in places)


def _spoken_of(text: str, start: int) -> bool:
    ahead = text[max(0, start - _ABOUT) : start].rpartition("\n")[2]
    if ahead.count("`") % 2 or text[start : start + 1] == "`":
        return True
    return bool(_NEGATED.search(ahead) or _MENTION.search(encoded(ahead)))


def _raw(text: str) -> Iterator[_Seen]:
    for sign, start, end in _matches(text, raw=True):
        if sign.id not in _UNSEEN or _says_something(text[start:end]):
            yield _Seen(sign, start, end, sign.confidence)


def _says_something(run: str) -> bool:
    """Tell whether a run of unseen characters spells a text: a flag of a region is one of tags, and spells no words."""
    said = spelled_unseen(run).strip("\x7f")
    return len(said) >= 8 or (bool(said) and not said.isalnum())
