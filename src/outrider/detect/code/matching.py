"""Rules on a text: the tree is built once, and only the rules whose words stand in the text are asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import re2
from ast_grep_py import SgRoot

from outrider.detect.code.language import GRAMMARS

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from outrider.detect.code.rule import Lines, Rule

_BEYOND = re.compile(r"[^\x00-\x7f]")
_RARE = re.compile(r"[\ud800-\udfff\x00]")


class Match(msgspec.Struct, frozen=True):
    """A place in a text that a rule means.

    Attributes:
        rule: The rule.
        start: Character offset.
        end: Character offset just behind.
        first: Its first line, from 1.
        last: Its last line.
        weak: True if it is less sure than the rule says.
    """

    rule: Rule
    start: int
    end: int
    first: int
    last: int
    weak: bool = False


class Tree:
    """The syntax tree of a text, built when first asked for."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        self._root: SgNode | None = None

    @property
    def root(self) -> SgNode:
        """The root node; offsets are characters of the text."""
        if self._root is None:
            # The scanner of the shell's grammar asks the C library about letters, which knows few of them; a lone
            # surrogate has no form that the tree could hold. Neither changes where anything stands.
            text = _BEYOND.sub("x", self.text) if self.language == "shell" else _RARE.sub("?", self.text)
            self._root = SgRoot(text, GRAMMARS[self.language]).root()
        return self._root

    @property
    def has_errors(self) -> bool:
        """Whether some of the text does not fit the grammar, as is so for many fragments.

        False if no rule had to ask for the tree: then nothing was missed for it.
        """
        return self._root is not None and self._root.find({"rule": {"kind": "ERROR"}}) is not None


def matches(tree: Tree, rules: Iterable[Rule]) -> Iterator[Match]:
    """Yield what each rule finds, rule by rule; those about where values go are :mod:`taint`'s."""
    text = tree.text
    for rule in rules:
        if rule.taint or not rule.may_stand_in(text):
            continue
        if rule.lines is not None:
            yield from _by_lines(rule, rule.lines, text)
        else:
            for node in tree.root.find_all(rule.config):  # type: ignore[call-overload]
                place = node.range()
                yield Match(rule, place.start.index, place.end.index, place.start.line + 1, place.end.line + 1)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re2._Regexp:
    return re2.compile(pattern)


def _by_lines(rule: Rule, lines: Lines, text: str) -> Iterator[Match]:
    if lines.without and _compiled(lines.without).search(text):
        return
    pattern = _compiled(lines.pattern)
    unless = _compiled(lines.unless) if lines.unless else None
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) < 4_000 and pattern.search(line) and not (unless and unless.search(line)):
            yield Match(rule, at, at + len(line), number, number)
        at += len(line) + 1
