"""What it would cost to ask a rule of a text as a whole.

A rule that follows a value from where it is used to where it was made looks through the whole function for every use.
In a function of a thousand such uses that is a thousand looks through a thousand lines. Such a text is looked at in
pieces instead, and the look is called partial, since a value may come from another piece.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

MOST: Final = 1_000_000
"""Characters of functions, once for every use in them, that a rule may look through; about 50 ms."""
MOST_WHOLE: Final = 10 * MOST
"""The same for a rule that looks through the whole text, about 100 ms: most uses of its words are not followed."""
SMALL: Final = 6_000
"""A text of fewer characters never costs too much."""
PIECE: Final = 40
"""Lines of a piece."""

_ROOTS: Final = frozenset({"program", "module", "source_file", "translation_unit", "compilation_unit", "config_file"})
_ENDS_OF_FUNCTIONS = re.compile(r"\n(?:\}|\t\}|    \}|  \}|(?:  )?end\b|(?=(?:async )?def |class |function ))")


def costs_too_much(words: tuple[str, ...], text: str, *, whole: bool = False) -> bool:
    """Return whether a rule that follows values would look through too much of a text.

    Args:
        words: The rule's words; where none stands, it asks nothing.
        text: The text.
        whole: Whether it looks through the whole text for each use, and not only through its function.
    """
    if len(text) <= SMALL:
        return False
    if whole:
        return len(text) * max(_uses(words, text), not words) > MOST_WHOLE
    return sum(len(part) * max(_uses(words, part), not words) for part in _functions(text)) > MOST


def _uses(words: tuple[str, ...], text: str) -> int:
    return sum(text.count(word) for word in words)


@lru_cache(maxsize=4)
def _functions(text: str) -> tuple[str, ...]:
    return tuple(_ENDS_OF_FUNCTIONS.split(text))


def follows(rule: Any) -> bool:
    """Return whether a rule object looks at what surrounds a place, and through it: an ``inside`` with a ``has``."""
    if isinstance(rule, dict):
        around = any(key in rule and _looks_through(rule[key]) for key in ("inside", "precedes", "follows"))
        return around or any(follows(value) for value in rule.values())
    return isinstance(rule, list) and any(follows(one) for one in rule)


def follows_to_the_root(rule: Any) -> bool:
    """Return whether a rule object looks through the whole text for what surrounds a place."""
    if isinstance(rule, dict):
        around = rule.get("inside")
        if isinstance(around, dict) and around.get("stopBy") == "end" and _names_a_root(around):
            return any(_looks_through(around[key]) for key in ("has", "all", "any") if key in around)
        return any(follows_to_the_root(value) for value in rule.values())
    return isinstance(rule, list) and any(follows_to_the_root(one) for one in rule)


def _names_a_root(rule: Any) -> bool:
    kinds = [rule, *rule.get("any", ())]
    return any(isinstance(one, dict) and one.get("kind") in _ROOTS for one in kinds)


def _looks_through(rule: Any) -> bool:
    if isinstance(rule, dict):
        return rule.get("stopBy") == "end" or any(_looks_through(value) for value in rule.values())
    return isinstance(rule, list) and any(_looks_through(one) for one in rule)
