"""Orders to an assistant that no phrase gives away: weak cues that stand close together and are added up.

Around each cue that is an anchor (it speaks to an assistant, it hides something from the user, it plays a turn) the
text is looked at for the other parts of an order. Every family counts once; their weights are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from outrider.detect.manypatterns import Characters, Patterns, encoded
from outrider.detect.signs.cues import Cue, cues

BEFORE = 160
AFTER = 320
"""Characters around an anchor that are looked at. Longer orders have more anchors than one."""
LEAST = 2
"""Least weight that is told; less can never become a finding."""
MAX_WINDOWS = 200
"""Most matches of one anchor that are looked at in one text."""

_MEMORY = 64 << 20


class Together(NamedTuple):
    """Cues close together: where, what they add up to, and what they are, heaviest first."""

    start: int
    end: int
    weight: int
    cues: tuple[Cue, ...]


@cache
def _anchors() -> tuple[tuple[Cue, ...], Patterns]:
    return _compiled(tuple(cue for cue in cues() if cue.anchor))


@cache
def _all() -> tuple[tuple[Cue, ...], Patterns]:
    return _compiled(cues())


def _compiled(chosen: tuple[Cue, ...]) -> tuple[tuple[Cue, ...], Patterns]:
    expressions = [cue.expression for cue in chosen]
    return chosen, Patterns(expressions, expressions, memory=_MEMORY)


def together(text: str) -> Iterator[Together]:
    """Yield the places of ``text`` where cues stand together, one an anchor, in the order of the text."""
    data = encoded(text)
    _, patterns = _anchors()
    spans = sorted(
        (match.start(), match.end())
        for index in patterns.which(data)
        for _, match in zip(range(MAX_WINDOWS), patterns.each[index].finditer(data), strict=False)
    )
    characters = Characters(data, ascii_only=len(data) == len(text))
    looked = -1
    for first, last in spans:
        if first < looked:
            continue
        start, end = characters.at(first), characters.at(last)
        found = _around(text[max(0, start - BEFORE) : end + AFTER])
        weight = sum(cue.weight for cue in found)
        if weight >= LEAST:
            looked = last + AFTER // 2
            yield Together(start, end, weight, found)


def _around(window: str) -> tuple[Cue, ...]:
    every, patterns = _all()
    best: dict[str, Cue] = {}
    for index in patterns.which(encoded(window)):
        cue = every[index]
        known = best.get(cue.family)
        if known is None or known.weight < cue.weight:
            best[cue.family] = cue
    return tuple(sorted(best.values(), key=lambda cue: -cue.weight))
