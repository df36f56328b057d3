"""The policy file: whose word is enough."""

from __future__ import annotations

import contextlib
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError
from outrider.ledger.verify.notes import LOG, WITNESS, Verifier
from outrider.ledger.verify.policy import parse_policy


def vkey(name, kind=WITNESS, seed=None):
    key = Ed25519PrivateKey.from_private_bytes((seed or name).encode().ljust(32, b"."))
    return Verifier(name, kind, key.public_key().public_bytes_raw()).vkey


EXAMPLE = f"""
# a policy of two organisations
log {vkey("log.example/a", LOG)} https://log.example/a
witness X1 {vkey("x.example/1")} https://x.example/1
  witness\tX2 {vkey("x.example/2")}
witness X3 {vkey("x.example/3")}
group X 2 X1 X2 X3
witness Y1 {vkey("y.example/1")}
witness Y2 {vkey("y.example/2")}
group Y any Y1 Y2
group both all X Y
quorum both
"""


def test_the_example_of_the_specification_is_read():
    policy = parse_policy(EXAMPLE.encode())
    assert [one.name for one in policy.logs] == ["log.example/a"]
    assert policy.witnesses["X1"].url == "https://x.example/1"
    names = [*policy.witnesses]
    for count in range(6):
        for some in combinations(names, count):
            meant = sum(name[0] == "X" for name in some) >= 2 and any(name[0] == "Y" for name in some)
            assert policy.enough(frozenset(some)) == meant


def test_a_quorum_stands_since_the_last_who_made_it_one():
    policy = parse_policy(EXAMPLE.encode())
    assert policy.since({"X1": 10, "X2": 30, "X3": 20, "Y1": 25, "Y2": 5}) == 20
    assert policy.since({"X1": 10, "X2": 30, "X3": 20}) == 0


def test_nobody_is_needed_where_the_quorum_is_none():
    policy = parse_policy(b"quorum none\n")
    assert policy.enough(frozenset())
    assert policy.since({}) == 0


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "quorum w",
        "witness w {w}",
        "witness none {w}\nquorum none",
        "witness w {w}\nwitness w {v}\nquorum w",
        "witness w {w}\nwitness v {w}\nquorum w",
        "witness w {log}\nquorum w",
        "log {w}\nquorum none",
        "log {log}\nlog {log}\nquorum none",
        "witness w {w}\nquorum w\nquorum w",
        "quorum w\nwitness w {w}",
        "witness w {w}\ngroup g 2 w\nquorum g",
        "witness w {w}\ngroup g 0 w\nquorum g",
        "witness w {w}\ngroup g some w\nquorum g",
        "witness w {w}\ngroup g any\nquorum g",
        "witness w {w}\ngroup g 2 w w\nquorum g",
        "witness w {w}\ngroup g any w\ngroup h any w\nquorum g",
        "witness w {w}\ngroup w any w\nquorum w",
        "group g any g\nquorum g",
        "group g any none\nquorum g",
        "witness w {w} https://a.example b\nquorum w",
        "witness w {w}\rquorum w",
        "witness\u00a0w {w}\nquorum w",
        "policy w",
    ],
)
def test_what_is_no_policy_is_refused(lines):
    text = lines.format(w=vkey("w.example"), v=vkey("v.example"), log=vkey("log.example", LOG))
    with pytest.raises(BadInputError, match="policy"):
        parse_policy(text.encode())


def test_names_are_bytes_and_not_text():
    keys = tuple(vkey(f"{name}.example").encode() for name in "wvu")
    text = b"witness K %s\nwitness \xe2\x84\xaa %s\nwitness \xff\xfe %s\nquorum \xff\xfe\n" % keys
    assert len(parse_policy(text).witnesses) == 3


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(BadInputError):
        parse_policy(data)


@given(st.lists(st.sampled_from(EXAMPLE.split("\n")), max_size=12), st.booleans())
def test_any_lines_are_read_or_refused(lines, more):
    with contextlib.suppress(BadInputError):
        policy = parse_policy("\n".join([*lines, "quorum none" if more else ""]).encode())
        assert policy.enough(frozenset(policy.witnesses)) or policy.quorum not in policy.witnesses
