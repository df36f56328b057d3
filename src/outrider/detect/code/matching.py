"""Rules on a text: the tree is built once, and only the rules that can match in the text are asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import re2
from ast_grep_py import SgRoot

from outrider.detect.code.asked import need_of
from outrider.detect.code.classes import quickened
from outrider.detect.code.cost import PIECE, costs_too_much, follows, follows_to_the_root
from outrider.detect.code.language import GRAMMARS
from outrider.detect.manypatterns import encoded

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from outrider.detect.code.rule import Lines, Rule

Follows = Literal["", "function", "whole"]

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


class Piece:
    """Some lines of a text, with a tree of their own that is built when first asked for.

    Attributes:
        text: The lines.
        at: Characters before them.
        first: Lines before them.
    """

    def __init__(self, text: str, language: str, at: int, first: int) -> None:
        self.text = text
        self.at = at
        self.first = first
        self._language = language

    @cached_property
    def root(self) -> SgNode:
        """The root node; offsets are characters of the piece."""
        return SgRoot(self.text, GRAMMARS[self._language]).root()


class Tree:
    """The syntax tree of a text, built when first asked for."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self.language = language
        self._root: SgNode | None = None
        self._pieces: list[Piece] | None = None

    @property
    def root(self) -> SgNode:
        """The root node; offsets are characters of the text."""
        if self._root is None:
            # The scanner of the shell's grammar asks the C library about letters, which knows few of them; a lone
            # surrogate has no form that the tree could hold. Neither changes where anything stands.
            self._root = SgRoot(self.plain, GRAMMARS[self.language]).root()
        return self._root

    @property
    def pieces(self) -> list[Piece]:
        """The text in pieces of some lines."""
        if self._pieces is None:
            self._pieces = []
            lines = [f"{line}\n" for line in self.plain.split("\n")]
            at = 0
            for first in range(0, len(lines), PIECE):
                piece = Piece("".join(lines[first : first + PIECE]), self.language, at, first)
                self._pieces.append(piece)
                at += len(piece.text)
        return self._pieces

    @property
    def in_pieces(self) -> bool:
        """Whether some rule was asked of pieces only."""
        return self._pieces is not None

    @cached_property
    def plain(self) -> str:
        """The text that the tree is built from: as long as the text, and the same for nearly all."""
        return _BEYOND.sub("x", self.text) if self.language == "shell" else _RARE.sub("?", self.text)

    @property
    def has_errors(self) -> bool:
        """Whether some of the text does not fit the grammar, as is so for many fragments.

        False if no rule had to ask for the tree: then nothing was missed for it.
        """
        return self._root is not None and self._root.find({"rule": {"kind": "ERROR"}}) is not None


def matches(tree: Tree, rules: Iterable[Rule]) -> Iterator[Match]:
    """Yield what each rule finds, rule by rule; those about where values go are :mod:`taint`'s.

    Args:
        tree: The text.
        rules: The rules that can match in it (:mod:`asked`).
    """
    text = tree.text
    for rule in rules:
        if rule.taint:
            continue
        if rule.lines is not None:
            yield from _by_lines(rule, rule.lines, text)
        else:
            through = _follows(rule)
            if not (through and costs_too_much(rule.trigger, text, whole=through == "whole")):
                yield from _in(tree.root, rule, 0, 0)
                continue
            for piece in tree.pieces:
                if _may_match(rule, piece.text):
                    yield from _in(piece.root, rule, piece.at, piece.first)


def _may_match(rule: Rule, piece: str) -> bool:
    """Whether a rule can match in a piece: asking each of many pieces would cost its expressions as many times."""
    stands = not rule.trigger or any(word in piece for word in rule.trigger)
    return stands and need_of(rule).met(encoded(piece), {})


def _in(root: SgNode, rule: Rule, at: int, line: int) -> Iterator[Match]:
    for node in root.find_all(_config(rule)):  # type: ignore[call-overload]
        place = node.range()
        start, end = place.start, place.end
        yield Match(rule, at + start.index, at + end.index, line + start.line + 1, line + end.line + 1)


def _config(rule: Rule) -> dict[str, Any]:
    """Return what ast-grep is asked for, written so that it is quick to compile."""
    known = _configs().get(rule.id)
    if known is None:
        known = _configs()[rule.id] = quickened(rule.config)
    return known


@cache
def _configs() -> dict[str, dict[str, Any]]:
    return {}


@cache
def _rules_that_follow() -> dict[str, Follows]:
    return {}


def _follows(rule: Rule) -> Follows:
    """Return through how much of a text a rule looks for what surrounds a place."""
    known = _rules_that_follow()
    if rule.id not in known:
        whole = follows_to_the_root(rule.rule) or follows_to_the_root(rule.utils)
        part = follows(rule.rule) or follows(rule.utils)
        known[rule.id] = "whole" if whole else "function" if part else ""
    return known[rule.id]


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
