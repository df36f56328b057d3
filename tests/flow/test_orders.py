"""A sentence is an order or not whatever letters stand behind it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outrider.flow.orders import VERBS, is_order

_PIECES = [
    "please", "must", "be sure to", "do not forget to", "make sure that", "could you", "to do", "then", "task", "you",
    "never", "the", "file", "user", "2", *sorted(VERBS)[::7],
]  # fmt: skip
_BETWEEN = [" ", " ", " ", ", ", ": ", "\n", "\x0b", "\x1c", " (", ' "', "-", ":", ".", "_", ""]


@given(st.lists(st.tuples(st.sampled_from(_PIECES), st.sampled_from(_BETWEEN)), max_size=12))
def test_a_foreign_letter_at_the_end_makes_no_difference(pieces: list[tuple[str, str]]):
    sentence = "".join(piece + between for piece, between in pieces)
    assert is_order(sentence + " x") == is_order(sentence + " \u00e9")


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_a_foreign_letter_at_the_end_makes_no_difference_to_any_text(sentence: str):
    assert is_order(sentence + " x") == is_order(sentence + " \u00e9")
