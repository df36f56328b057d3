r"""What a text must hold for a rule over syntax trees to match anywhere in it, read off the rule itself.

Asking ast-grep costs a rule some tenths of a millisecond before it has looked at anything, since it compiles the rule's
expressions anew. A node's text is part of the whole text, so an expression that a node must match must also match
somewhere in the whole once what it says about beginnings and ends is taken away: ``^exec$`` needs ``exec``. RE2 tells
that in some microseconds. What stands under ``not`` is needed by nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import msgspec
import re2

_RELATIONS: Final = ("has", "inside", "precedes", "follows")
_AHEAD: Final = re.compile(r"^(\(\?[a-z]+\))?[^\\()\[\].*+?{}|^$]\.\*")
"""A sign and whatever follows it, at the beginning: from each such sign RE2 would look through the rest of the text."""
_PLACES: Final = re.compile(r"\(\?-u:\\b\)")


class Need(msgspec.Struct, frozen=True):
    """What must stand in a text. A need of nothing is true of every text.

    Attributes:
        pattern: An RE2 expression that must occur, or empty.
        all: Needs that must all be met.
        any: Needs of which one must be met; empty for none.
    """

    pattern: str = ""
    all: tuple[Need, ...] = ()
    any: tuple[Need, ...] = ()

    @property
    def of_nothing(self) -> bool:
        """Whether it is met by every text."""
        return not (self.pattern or self.all or self.any)

    def met(self, data: bytes, known: dict[str, bool]) -> bool:
        """Return whether a text meets it.

        Args:
            data: The text.
            known: What was asked of this text before, by expression; added to.
        """
        if self.pattern:
            if self.pattern not in known:
                known[self.pattern] = _compiled(self.pattern).search(data) is not None
            return known[self.pattern]
        if self.any:
            return any(one.met(data, known) for one in self.any)
        return all(one.met(data, known) for one in self.all)


NOTHING: Final = Need()


def needed(rule: Any, utils: dict[str, Any]) -> Need:
    """Return what a text must hold for a rule to match in it.

    Args:
        rule: An ast-grep rule object.
        utils: Its utility rules, by name.
    """
    return _of(rule, utils, frozenset())


def needed_by_lines(expression: str) -> Need:
    """Return what a text must hold for an RE2 expression to match in a line of it."""
    return _of_expression(expression)


def _of(rule: Any, utils: dict[str, Any], within: frozenset[str]) -> Need:
    """Return the need of one rule object; ``within`` are the utility rules that it stands in."""
    if not isinstance(rule, dict):
        return NOTHING
    needs = [_of(rule[name], utils, within) for name in _RELATIONS if name in rule]
    needs += [_of(one, utils, within) for one in rule.get("all", ())]
    if "any" in rule:
        needs.append(_one_of([_of(one, utils, within) for one in rule["any"]]))
    name = rule.get("matches")
    if isinstance(name, str) and name in utils and name not in within:
        needs.append(_of(utils[name], utils, within | {name}))
    if isinstance(rule.get("regex"), str):
        needs.append(_of_expression(rule["regex"]))
    return _all_of(needs)


def _all_of(needs: list[Need]) -> Need:
    telling: dict[Need, None] = {}
    for one in needs:
        for part in one.all or (one,):
            if not part.of_nothing:
                telling[part] = None
    if len(telling) == 1:
        return next(iter(telling))
    return Need(all=tuple(telling))


def _one_of(needs: list[Need]) -> Need:
    if any(one.of_nothing for one in needs):
        return NOTHING
    different = tuple(dict.fromkeys(needs))
    return different[0] if len(different) == 1 else Need(any=different)


def _of_expression(expression: str) -> Need:
    """Return the need of one expression; of nothing where RE2 cannot say it, or where it may be empty."""
    if "&&" in expression:  # Within brackets it means what two classes share, and RE2 knows no such thing.
        return NOTHING
    loose = _AHEAD.sub(r"\1", loosened(expression))
    try:
        empty = _compiled(loose).search(b"") is not None
    except re2.error:
        return NOTHING
    return NOTHING if empty else Need(pattern=loose)


def loosened(expression: str) -> str:
    """Return an expression without what it says about beginnings, ends and edges of words."""
    out: list[str] = []
    inside = False
    at = 0
    expression = _PLACES.sub("", expression)
    while at < len(expression):
        char = expression[at]
        if char == "\\" and at + 1 < len(expression):
            if inside or expression[at + 1] not in "bBAz":
                out.append(expression[at : at + 2])
            at += 2
            continue
        at += 1
        if inside or char not in "^$":
            out.append(char)
        if inside:
            inside = char != "]"
        elif char == "[":
            inside = True
            # A bracket that comes first, or right behind the caret, stands for itself.
            for first in ("^", "]"):
                if expression[at : at + 1] == first:
                    out.append(first)
                    at += 1
    return "".join(out)


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(expression.encode(), options)
