"""What is made of staged content before any of it is kept, and of besides before they are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.vectors import fill
from outrider.events.codec import canonical, decode_beside, encode_beside
from outrider.events.record import Beside, Entity
from outrider.gate.keeping import JSON, TEXT, items
from outrider.ledger.content.besides import closed, seal, unsealed
from outrider.ledger.content.contents import Contents
from outrider.ledger.content.staging import Staged

KEY = b"k" * 32
TOKEN = fill("{github:ghp_}", "keeping")
PEM = fill("-----BEGIN RSA PRIVATE KEY-----\nMIIE{pem:508}\n-----END RSA PRIVATE KEY-----", "keeping")


def made(text, media=TEXT, *, most=65_536, tail=b"", size=0, left=""):
    staged = Staged(1, 1, "a", "p_a", 1, b"s" * 32, media, text, tail, size or len(text), most, 0, left)
    (item,) = items([staged], KEY)
    return item


def test_a_text_without_secrets_is_kept_as_it_came():
    item = made(b"just words\n")
    assert (item.text, item.taken, item.cut) == (b"just words\n", 0, 0)


def test_a_secret_is_a_print_before_anything_is_kept():
    item = made(f"use {TOKEN} and {TOKEN}".encode())
    assert TOKEN.encode() not in item.text
    assert item.text.count(b"[secret:") == item.taken == 2


def test_a_secret_over_several_lines_is_seen_in_the_arguments_of_a_call_and_they_stay_json():
    item = made(canonical({"path": "k.pem", "content": PEM}), JSON)
    assert json.loads(item.text)["path"] == "k.pem"
    assert item.text.count(b"[secret:") == item.taken == 1
    assert PEM.splitlines()[1][8:40].encode() not in item.text


def test_the_middle_of_what_is_too_long_is_left_out_and_counted():
    item = made(b"a" * 600 + b"b" * 400, most=100)
    assert item.text == b"a" * 75 + b"\n[900 bytes left out]\n" + b"b" * 25
    assert item.cut == 900


def test_of_what_was_too_long_to_be_staged_both_ends_are_kept_and_their_secrets_are_out():
    head = f"first {TOKEN} ".encode() + b"a" * 200
    tail = json.dumps({"content": PEM}).encode()[-400:]
    item = made(head, JSON, most=800, tail=tail, size=5_000_000)
    assert TOKEN.encode() not in item.text
    assert item.text.startswith(b"first [secret:")
    assert item.cut == 5_000_000 - 800
    assert item.taken >= 1


def test_what_a_charter_keeps_nothing_of_has_only_its_salt():
    item = made(b"", left="charter")
    assert (item.text, item.salt) == (None, b"s" * 32)


def test_arguments_that_are_no_text_are_kept_as_they_came():
    assert made(b'"\x80"', JSON).text == b'"\x80"'


@given(st.binary(max_size=300), st.sampled_from([TEXT, JSON]), st.integers(1, 200))
def test_any_bytes_become_something_that_is_not_longer_than_its_charter_says(data, media, most):
    item = made(data, media, most=most)
    room = len(b"\n[%d bytes left out]\n" % item.cut) if item.cut else 0
    assert len(item.text) <= most + room
    if not item.taken and not item.cut:
        assert item.text == data


@pytest.fixture(scope="module")
def keyring(tmp_path_factory):
    top = tmp_path_factory.mktemp("keys")
    with Contents(top / "content", top / "content.key", write=True) as contents:
        yield contents.keyring


names = st.dictionaries(st.sampled_from(["sponsor", "home", "cwd"]), st.text(max_size=20))


@given(private=names, salt=st.sampled_from([b"", b"s" * 32]))
def test_a_beside_is_written_without_its_names_and_read_with_them(keyring, private, salt):
    beside = Beside(entities=(Entity("read", "path", "/x"),), private=private, salt=salt, prints=b"12345678")
    blob = encode_beside(closed(seal(beside, keyring, "p_ada", 1)))
    lying = decode_beside(blob)
    assert (lying.private, lying.salt) == ({}, b"")
    assert (lying.entities, lying.prints) == (beside.entities, beside.prints)
    opened = unsealed(lying, keyring)
    assert (opened.private, opened.salt) == (private, salt)
    assert unsealed(lying, None) == lying
