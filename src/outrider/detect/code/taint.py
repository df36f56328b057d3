"""Rules about where values from outside go: asked of the one pass that follows them, language by language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from outrider.detect.code import taint_javascript
from outrider.detect.code.matching import Match
from outrider.detect.code.rule import Rule
from outrider.detect.code.taint_python import Reached, flows

PASSES: Final[dict[str, Callable[[str], list[Reached] | None]]] = {
    "python": flows,
    **{name: partial(taint_javascript.flows, language=name) for name in ("javascript", "typescript", "tsx")},
}
"""Languages whose values are followed."""


def matches(text: str, language: str, rules: Iterable[Rule]) -> Iterator[Match]:
    """Yield what the rules about values find, of those that can match in the text (:mod:`asked`)."""
    followed = PASSES.get(language)
    asked = {rule.taint: rule for rule in rules if rule.taint}
    if followed is None or not asked:
        return
    starts = _starts(text)
    for one in followed(text) or ():
        rule = asked.get(one.kind)
        if rule is None or not 1 <= one.first <= one.last < len(starts):
            continue
        start, end = starts[one.first - 1], starts[one.last]
        line = text[start:end]
        begin, stop = start + len(line) - len(line.lstrip()), start + len(line.rstrip())
        yield Match(rule, begin, stop, one.first, one.last, one.weak)


def _starts(text: str) -> list[int]:
    """Return where each line begins, and where the text ends."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(text)
    return starts
