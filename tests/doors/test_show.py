"""Nothing invisible reaches a person or an agent unmarked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.doors.show import cap, show


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "Grüße, 世界, ελ, עברית, 👍", "a'\"\\<b>"])
def test_what_can_be_seen_stays_as_it_is(text):
    assert show(text) == text


@pytest.mark.parametrize(
    "char",
    [
        "\x00", "\x07", "\x1b", "\x7f", "\x9b", "\r", "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f", "\u17b4",
        "\u180e", "\u200b",
        "\u200d", "\u200e", "\u2028", "\u2029", "\u202e", "\u2060", "\u2066", "\u2800", "\u3000", "\u3164",
        "\ufe0f", "\ufeff",
        "\uffa0", "\ufff9", "\ud800", "\ue000", "\U000e0001", "\U000e0061", "\U000e0100", "\U0010ffff",
    ],
)  # fmt: skip
def test_what_can_not_be_seen_is_named(char):
    assert show(f"a{char}b") == f"a<U+{ord(char):04X}>b"


@given(st.text(st.characters(codec=None)))
def test_nothing_invisible_is_left(text):
    for char in show(text):
        assert char in "\n\t " or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")


@given(st.text(), st.integers(20, 60))
def test_a_cut_text_fits_and_says_that_it_was_cut(text, limit):
    out = cap(text, limit)
    assert len(out.encode("utf-16-le")) // 2 <= limit
    assert out == text or out.endswith(" [cut]")
    if len(text.encode("utf-16-le")) // 2 <= limit:
        assert out == text
