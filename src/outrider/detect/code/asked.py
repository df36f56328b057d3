"""Which rules of a language can match in a text at all: one pass for all their words, then what each of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import re2

from outrider.detect.code.needed import NOTHING, Need, needed, needed_by_lines
from outrider.detect.code.rule import PERSONAS, Persona, Rule, of_language
from outrider.detect.manypatterns import Patterns, encoded

_MEMORY: Final = 32 << 20


class Asking:
    """The rules of one language that one persona sees.

    Attributes:
        rules: These rules, in the order of their ids.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Compile their words; what each rule needs is read off it when its words first stand in a text."""
        self.rules = tuple(rules)
        words = dict.fromkeys(word for rule in rules for word in (*rule.trigger, *rule.also))
        places = {word: place for place, word in enumerate(words)}
        expressions = [re2.escape(word) for word in words]
        self._words = Patterns(expressions, expressions, memory=_MEMORY, words=True)
        self._wants = tuple((rule, _places(rule.trigger, places), _places(rule.also, places)) for rule in rules)

    def of(self, text: str, parsed: str) -> list[Rule]:
        """Return the rules that can match in a text; no other does.

        Args:
            text: The text.
            parsed: The text as its tree is built from.
        """
        data = encoded(text)
        found = frozenset(self._words.which(data))
        standing = [
            rule
            for rule, trigger, also in self._wants
            if (not trigger or not found.isdisjoint(trigger)) and (not also or not found.isdisjoint(also))
        ]
        if not standing:
            return []
        of_text: dict[str, bool] = {}
        of_tree, tree_data = (of_text, data) if parsed == text else ({}, encoded(parsed))
        return [
            rule
            for rule in standing
            if (need_of(rule).met(data, of_text) if rule.lines else need_of(rule).met(tree_data, of_tree))
        ]


def need_of(rule: Rule) -> Need:
    """Return what a text, or a piece of one, must hold for a rule to match in it, read off the rule once."""
    known = _needs().get(rule.id)
    if known is None:
        known = NOTHING if rule.taint else needed(rule.rule, rule.utils)
        if rule.lines is not None:
            known = needed_by_lines(rule.lines.pattern)
        _needs()[rule.id] = known
    return known


@cache
def _needs() -> dict[str, Need]:
    return {}


def _places(words: Sequence[str], places: dict[str, int]) -> frozenset[int]:
    return frozenset(places[word] for word in words)


@cache
def asking(language: str, persona: Persona) -> Asking:
    """Return the rules for one language that a persona sees."""
    seen = PERSONAS[: PERSONAS.index(persona) + 1]
    return Asking([rule for rule in of_language(language) if rule.persona in seen])
