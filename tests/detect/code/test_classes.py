"""Regular expressions of rules mean the same in ASCII as they did."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.classes import in_ascii, narrowed


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
