"""Looking for many patterns at once finds what looking for each by itself finds."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect import rules, signs
from outrider.detect.manypatterns import Patterns, encoded
from outrider.detect.signs.cues import cues
from outrider.detect.vectors import fill

SETS = ("words", "secrets", "signs", "unseen", "anchors", "cues")


@cache
def alarms(name: str) -> tuple[str, ...]:
    if name == "words":
        return tuple(re2.escape(word) for word in sorted({one for text in vectors() for one in text.split()}))
    if name == "secrets":
        return tuple(rule.alarm for rule in rules.load())
    if name in ("signs", "unseen"):
        return tuple(sign.expression for sign in signs.load() if sign.raw is (name == "unseen"))
    return tuple(cue.expression for cue in cues() if cue.anchor or name == "cues")


@cache
def both(name: str) -> tuple[Patterns, list[Any]]:
    expressions = alarms(name)
    many = Patterns(expressions, expressions, memory=32 << 20, words=name == "words")
    return many, [re2.compile(one.encode()) for one in expressions]


@cache
def vectors() -> tuple[str, ...]:
    every = [*rules.load(), *signs.load()]
    return tuple(fill(template, one.id) for one in every for template in (one.vector, one.miss))


@cache
def words() -> tuple[str, ...]:
    """Return the rules' own vectors and their words: as they are, in capitals, with a letter that counts as an s."""
    plain = {word for text in vectors() for word in (text, *text.split(" "))}
    return tuple(sorted({form for word in plain for form in (word, word.upper(), word.replace("s", "\u017f"))}))


def agree(text: str) -> None:
    data = encoded(text)
    for name in SETS:
        many, each = both(name)
        assert many.which(data) == [place for place, one in enumerate(each) if one.search(data)], name


def test_all_sets_agree_with_each_pattern_on_every_rules_own_vectors():
    for text in vectors():
        agree(text)


@given(st.lists(st.sampled_from(words()), max_size=12), st.sampled_from([" ", "\n", "", "_", "\\n", " ** ", "\u200b"]))
def test_all_sets_agree_with_each_pattern_on_words_of_what_is_looked_for(found: list[str], between: str):
    agree(between.join(found))


@given(st.text(max_size=200))
def test_all_sets_agree_with_each_pattern_on_any_text(text: str):
    agree(text)


@given(st.integers(0, 60), st.sampled_from(vectors()), st.sampled_from(["", "\0", "\0pre", "present", "\0present\0"]))
def test_what_is_put_behind_a_text_is_never_found_in_it(cut: int, text: str, end: str):
    agree(text[: max(0, len(text) - cut)] + end)


class Silent:
    """What a set of RE2 is like when its automaton has run out of memory."""

    def Match(self, data: bytes, potential: bool = False) -> None:  # noqa: N802
        return None


@pytest.mark.parametrize("which", ["_set", "_letters"])
def test_a_set_that_fails_is_noticed_and_every_pattern_is_asked(which: str):
    patterns = Patterns(["aaa", "b", "ccc"], ["aaa+x", "b+", "ccc+"], memory=1 << 20)
    assert patterns.which(b"aaab") == [0, 1]
    setattr(patterns, which, Silent())
    assert patterns.which(b"aaab") == [1]
