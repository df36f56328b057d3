"""Signed notes, held against the verifier's own reading of them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError, TamperedError
from outrider.ledger.note import open_checkpoint, sign, vkey
from outrider.ledger.verify.formats import open_note, parse_vkey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
names = st.from_regex(r"[a-zA-Z0-9./_-]{1,40}", fullmatch=True)


@given(names, st.integers(0, 2**60), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_read_the_same_by_writer_and_verifier(name, size, root):
    made = sign(name, size, root, KEY)
    assert open_checkpoint(made.text, name, KEY.public_key()) == made
    head = open_note(made.text, parse_vkey(vkey(name, PUBLIC)))
    assert (head.origin, head.size, head.root) == (name, size, root)


@given(st.data())
def test_a_note_with_any_character_changed_is_believed_by_neither(data):
    text = sign("log", 12345, bytes(range(32)), KEY).text
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.characters().filter(lambda c: c != text[at])) + text[at + 1 :]
    try:
        found = open_checkpoint(changed, "log", KEY.public_key())
    except TamperedError:
        pass
    else:
        assert (found.size, found.root) == (12345, bytes(range(32)))
    try:
        head = open_note(changed, parse_vkey(vkey("log", PUBLIC)))
    except BadInputError:
        pass
    else:
        assert (head.size, head.root) == (12345, bytes(range(32)))


@given(st.text(max_size=200))
def test_arbitrary_text_is_never_a_note_and_never_another_exception(text):
    with pytest.raises(TamperedError):
        open_checkpoint(text, "log", KEY.public_key())
    with pytest.raises(BadInputError):
        open_note(text, parse_vkey(vkey("log", PUBLIC)))


def test_a_signature_of_somebody_else_beside_ours_is_ignored():
    made, other = sign("log", 1, bytes(32), KEY), sign("log", 1, bytes(32), Ed25519PrivateKey.generate())
    both = made.text.replace("\n\n", "\n\n" + other.text.partition("\n\n")[2])
    assert open_checkpoint(both, "log", KEY.public_key()).size == 1
    assert open_note(both, parse_vkey(vkey("log", PUBLIC))).size == 1


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+b+c", "a+00000000+AAAA", vkey("log", PUBLIC)[:-4], "log+zz+AQ=="])
def test_a_malformed_verifier_key_is_refused(text):
    with pytest.raises(BadInputError):
        parse_vkey(text)


@given(st.text(max_size=80))
def test_arbitrary_text_is_no_verifier_key(text):
    with pytest.raises(BadInputError):
        parse_vkey(text)
