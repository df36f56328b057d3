"""Regular expressions of rules mean the same in ASCII as they did."""

from __future__ import annotations

import re

import pytest
from ast_grep_py import SgRoot
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.classes import in_ascii, narrowed, quick
from outrider.detect.code.rule import everything


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (r"^\w+$", "^[0-9A-Za-z_]+$"),
        (r"[\w.-]+", "[0-9A-Za-z_.-]+"),
        (r"\bid\b", r"(?-u:\b)id(?-u:\b)"),
        (r"[^\]]*\d", r"[^\]]*[0-9]"),
        (r"[]\d]\[\w", r"[]0-9]\[[0-9A-Za-z_]"),
        (r"[^]\s]", r"[^] \t\r\n\x0b\x0c]"),
        (r"\\w\.\S", r"\\w\.\S"),
    ],
)
def test_a_class_is_cut_down_wherever_it_stands(pattern, wanted):
    assert in_ascii(pattern) == wanted


@given(st.text(alphabet="ab1_ .-]", max_size=12))
def test_what_is_ascii_matches_as_before(text):
    for pattern in (r"^\w+\s?\d*$", r"[^\s\]]+\d", r"a[\w.-]*b", r"[]\w]"):
        assert bool(re.search(in_ascii(pattern), text)) == bool(re.search(pattern, text, re.ASCII))


def test_only_regular_expressions_of_a_rule_are_touched():
    rule = {"kind": r"\w", "all": [{"regex": r"\d"}, {"has": {"regex": "x", "stopBy": "end"}}]}
    assert narrowed(rule) == {"kind": r"\w", "all": [{"regex": "[0-9]"}, {"has": {"regex": "x", "stopBy": "end"}}]}


IGNORING_CASE = (
    "(?i)ab|b1", "(?i)^ab|_b$", "(?i)(a|b)_[^1]", r"(?i)(?-u:\b)b1?", "(?i)a.*1", r"(?i)[a.]b\.", "(?i)k", "ab",
)  # fmt: skip


def found(pattern: str, text: str) -> bool:
    return SgRoot(text, "python").root().find({"rule": {"kind": "module", "regex": pattern}}) is not None


@given(st.text(alphabet="abABkxé1_. \n", max_size=10))
def test_what_compiles_quickly_finds_the_same(text):
    for pattern in IGNORING_CASE:
        assert found(quick(pattern), text) == found(pattern, text), pattern


def test_a_letter_beyond_ascii_is_not_the_plain_one_where_case_is_ignored():
    assert found("(?i)k", "\N{KELVIN SIGN}")
    assert not found(quick("(?i)k"), "\N{KELVIN SIGN}")


def test_every_expression_of_a_rule_that_ignores_case_is_made_quick():
    made = {quick(text) for rule in everything() for text in _expressions(rule.rule) if text.startswith("(?i)")}
    assert made
    assert all(text.startswith(("(?i)^", "(?i-u)^")) or text.endswith(r")|\zx") for text in made)


def _expressions(rule):
    if isinstance(rule, dict):
        return [one for key, value in rule.items() for one in ([value] if key == "regex" else _expressions(value))]
    return [one for part in rule for one in _expressions(part)] if isinstance(rule, list) else []
