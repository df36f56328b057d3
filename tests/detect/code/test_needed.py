"""A rule that is kept from a text by what it needs could not have matched in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.asked import asking
from outrider.detect.code.needed import NOTHING, Need, loosened, needed, needed_by_lines
from outrider.detect.code.rule import everything

RULES = everything()

EXPRESSIONS = (r"^ab?$", r"\bab\b", r"^[^b]+$", r"[]a^$]+\.", r"^(a|ab)(\.|$)", r"a\$|b\^$", r"^\\b", r"^a{2}$")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_asked_of_everything_that_it_must_find(rule):
    for vector in rule.flag:
        for language in (vector.language,) if vector.language else rule.languages:
            assert rule in asking(language, "audit").of(vector.code, vector.code)


@given(st.text("ab.$^\\ ", max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_what_a_piece_of_a_text_matches_the_text_holds(text, one, other):
    piece = text[min(one, other) : max(one, other)]
    for expression in EXPRESSIONS:
        if re.search(expression, piece):
            assert re.search(loosened(expression), text), (expression, piece)


def test_a_need_is_read_off_every_part_of_a_rule_that_must_hold():
    rule = {
        "kind": "call",
        "all": [{"has": {"field": "function", "regex": "^eval$"}}, {"not": {"regex": "safe"}}],
        "inside": {"any": [{"regex": r"\bweb\b"}, {"matches": "page"}], "stopBy": "end"},
    }
    need = needed(rule, {"page": {"regex": "^html"}})
    assert not need.met(b"eval(x)", {})
    assert not need.met(b"web html", {})
    assert need.met(b"html: eval(x)", {})
    assert need.met(b"web: safe_eval(x)", {})


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "call"},
        {"not": {"regex": "eval"}},
        {"any": [{"regex": "eval"}, {"kind": "call"}]},
        {"regex": "^$"},
        {"regex": "[a-z&&[^e]]"},
        {"matches": "itself"},
        {"pattern": "$A"},
    ],
)
def test_a_rule_that_needs_no_text_is_asked_of_every_text(rule):
    assert needed(rule, {"itself": {"matches": "itself"}}) == NOTHING
    assert NOTHING.met(b"", {})


def test_a_look_at_lines_needs_what_a_line_must_match():
    need = needed_by_lines(r"(?i)^\s*user\s+root$")
    assert need.met(b"FROM x\n  USER root\n", {})
    assert not need.met(b"FROM x\nUSER app\n", {})


def test_what_is_far_behind_a_sign_is_needed_without_it():
    assert needed({"regex": '(?s)^".*(select|insert)"$'}, {}) == Need(pattern='(?s)(select|insert)"')
    assert needed({"regex": '".*a|b.*c'}, {}) == Need(pattern="a|b.*c")
    assert needed({"regex": r"\".*a"}, {}) == Need(pattern=r"\".*a")


def test_an_expression_is_looked_for_once_in_a_text():
    known = {"eval": False}
    assert not Need(pattern="eval").met(b"eval", known)
