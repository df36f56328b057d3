"""Rules about where values from outside go: asked of the one pass that follows them, language by language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from outrider.detect.code import taint_flows, taint_javascript, taint_python
from outrider.detect.code.matching import Match, Tree
from outrider.detect.code.rule import Rule
from outrider.detect.code.taint_dialects import LANGUAGES
from outrider.detect.code.taint_python import Reached

PASSES: Final[dict[str, Callable[[Tree, frozenset[str]], list[Reached] | None]]] = {
    "python": lambda tree, kinds: taint_python.flows(tree.text, kinds),
    **dict.fromkeys(("javascript", "typescript", "tsx"), lambda tree, _: taint_javascript.flows(tree)),
    **dict.fromkeys(LANGUAGES, taint_flows.flows),
}
"""Languages whose values are followed."""


def matches(tree: Tree, rules: Iterable[Rule]) -> Iterator[Match]:
    """Yield what the rules about values find, of those that can match in the text (:mod:`asked`)."""
    text = tree.text
    followed = PASSES.get(tree.language)
    asked = {rule.taint: rule for rule in rules if rule.taint}
    if followed is None or not asked:
        return
    starts = _starts(text)
    for one in followed(tree, frozenset(asked)) or ():
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
