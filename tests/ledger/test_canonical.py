"""The quick look at whether a leaf is canonical says what writing it again says."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.ledger.verify import canonical
from outrider.ledger.verify.canonical import Shapes

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abkn"), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.sampled_from(["agent", "b", "src", "x"]), VALUES, min_size=1, max_size=4)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """A pattern is made of the second leaf of a shape."""
    monkeypatch.setattr(canonical, "_AFTER", 1)


def written(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def learned(*leaves):
    """What is known after each of these was seen often enough."""
    shapes = Shapes()
    for leaf in leaves:
        for _ in range(3):
            assert shapes.canonical("call.decided", leaf, json.loads(leaf))
    return shapes


LEAF = b'{"a":[1,-20,{"x":"one"}],"b":true,"n":7,"s":""}'


@pytest.mark.parametrize(
    ("leaf", "right"),
    [
        (b'{"a":[0,3,{"x":"two, {3}: 4"}],"b":true,"n":123,"s":"x"}', True),
        (b'{"a":[1,-20,{"x":"one"}],"b":true,"n":-0,"s":""}', False),
        (b'{"a":[1,-20,{"x":"one"}],"b":true,"n":7e1,"s":""}', False),
        (b'{"a":[1,-20,{"x":"one"}],"b":true, "n":7,"s":""}', False),
        (b'{"a":[1,-20,{"x":"one"}],"b":true,"n":7,"s":""} ', False),
        (b'{"b":true,"a":[1,-20,{"x":"one"}],"n":7,"s":""}', False),
        (b'{"a":[1,-20,{"x":"one"}],"b":true,"b":7,"s":""}', False),
        (b'{"a":[1,-20,{"x":"\\u0061"}],"b":true,"n":7,"s":""}', False),
        (b'{"a":[1,-20,{"x":"\\n"}],"b":true,"n":7,"s":""}', True),
        ('{"a":[1,-20,{"x":"é"}],"b":true,"n":7,"s":""}'.encode(), True),
        (b'{"a":[1,-20,{"y":"one"}],"b":true,"n":7,"s":""}', True),
    ],
)
def test_what_differs_from_a_known_shape_is_told_from_what_is_of_it(leaf, right):
    assert learned(LEAF).canonical("call.decided", leaf, json.loads(leaf)) is right


@given(first=EVENTS, second=EVENTS, data=st.data())
def test_after_any_leaves_any_other_is_judged_as_writing_it_again_does(first, second, data):
    shapes = learned(written(first), written(second))
    leaf = bytearray(written(first).replace(b"1", b"%d" % data.draw(st.integers(-3, 12))))
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(leaf)))
        leaf[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b" ", b"0", b"-", b'"', b".", b"e", b""])
        )
    try:
        value = json.loads(bytes(leaf).decode())
    except ValueError:
        return
    assert shapes.canonical("call.decided", bytes(leaf), value) == (written(value) == bytes(leaf))
