"""What doors and the gate hand each other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from tests.events.strategies import plain

from outrider.events.message import Answer, Wire, text_of


def strings_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings_in(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings_in(inner)]
    return []


@given(plain)
def test_every_string_of_a_value_is_in_its_text(value: Any) -> None:
    text = text_of(value)
    assert all(string in text for string in strings_in(value))


def test_text_is_in_reading_order_with_keys_left_out() -> None:
    value = {"stdout": "one", "nested": [{"text": "two"}, "three"], "code": 4, "ok": True, "nothing": None}
    assert text_of(value) == "one\ntwo\nthree\n4\ntrue"


def test_nesting_however_deep_does_not_exhaust_the_stack() -> None:
    value: Any = "found"
    for depth in range(200_000):
        value = [value] if depth % 2 else {"k": value}
    assert text_of(value) == "found"
    while not isinstance(value, str):  # taken apart by hand: the interpreter would recurse to free it
        value = value[0] if isinstance(value, list) else value["k"]


def test_an_answer_says_nothing_unless_told_to() -> None:
    assert Answer() == Answer(verdict="silent", reason="", context="", event=-1)
    assert Wire() == Wire(stdout=b"", stderr=b"", code=0)
