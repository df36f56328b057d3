"""Proofs that a key is held: made for one request, taken once."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.proofs import proof

from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.identity import jose
from outrider.identity.possession import LASTS, Proof, Shown, hash_of, prove

S = 1_000_000
NOW = 1_800_000_000 * S
KEY = ec.generate_private_key(ec.SECP256R1())
HERE = "http://outrider/token"
GOOD = {"method": "GET", "address": HERE, "at": NOW // S}


def proved(text, *, method="GET", addresses=(HERE,), now=NOW, token=""):
    return prove(text, method=method, addresses=addresses, now=now, token=token)


TEXT = proof(KEY, **GOOD)


def test_a_proof_shows_the_thumbprint_of_the_key_that_made_it():
    assert proved(TEXT).jkt == jose.jwk_of(KEY.public_key()).kid
    assert proved(proof(KEY, **{**GOOD, "address": HERE + "?audience=a"})).jkt == proved(TEXT).jkt


def test_a_proof_for_another_request_is_refused():
    for asked in ({"method": "POST"}, {"addresses": ("http://elsewhere.example/token",)}, {"addresses": ()}):
        with pytest.raises(RefusedError, match="another request"):
            proved(TEXT, **asked)


@pytest.mark.parametrize("off", [LASTS + 1, -LASTS - 1])
def test_a_proof_of_another_time_is_refused(off):
    with pytest.raises(RefusedError, match="just now"):
        proved(TEXT, now=NOW + off * S)


def test_a_proof_is_for_the_token_that_it_is_shown_with():
    bound = proof(KEY, **GOOD, token="a.b.c")
    assert proved(bound, token="a.b.c").jkt
    for text, token in ((bound, "a.b.d"), (bound, ""), (TEXT, "a.b.c")):
        with pytest.raises(RefusedError, match="another token"):
            proved(text, token=token)


def test_a_proof_is_taken_once_within_its_time():
    shown, one = Shown(), proved(TEXT)
    shown.take(one, NOW)
    shown.take(Proof(jkt="another", id=one.id), NOW)
    with pytest.raises(RefusedError, match="before"):
        shown.take(one, NOW + LASTS * S)
    shown.take(one, NOW + 3 * LASTS * S)  # By then its time has passed, and it is refused for that.


def test_more_proofs_than_can_be_remembered_are_refused_not_forgotten():
    shown = Shown(most=2)
    for name in "ab":
        shown.take(Proof(jkt="k", id=name), NOW)
    with pytest.raises(RefusedError, match="remembered"):
        shown.take(Proof(jkt="k", id="c"), NOW)
    with pytest.raises(RefusedError, match="before"):
        shown.take(Proof(jkt="k", id="a"), NOW)
    shown.take(Proof(jkt="k", id="c"), NOW + 3 * LASTS * S)


@pytest.mark.parametrize(
    "head",
    [
        {"alg": "none"}, {"alg": "HS256"}, {"typ": "JWT"}, {"jwk": {"kty": "oct", "crv": "P-256", "x": "a", "y": "b"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, {"jwk": {"kid": "k"}}, {"kid": "k"},
        {"jwk": {**jose.jwk_of(KEY.public_key()).document(), "d": "AA"}}, {"crit": ["b64"]},
    ],
)  # fmt: skip
def test_a_header_that_says_anything_else_is_no_proof(head):
    with pytest.raises(BadInputError):
        proved(proof(KEY, **GOOD, head=head))


def test_a_proof_signed_by_another_key_than_it_brings_is_refused():
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(RefusedError):
        proved(proof(KEY, **GOOD, signer=other))


@pytest.mark.parametrize("claims", [{"jti": ""}, {"jti": "x" * 129}, {"iat": "now"}, {"htm": None}, {"jti": 7}])
def test_claims_that_make_no_sense_are_no_proof(claims):
    with pytest.raises(BadInputError):
        proved(proof(KEY, **GOOD, claims=claims))


def test_the_hash_of_a_token_is_that_of_rfc_9449():
    """The example of its section 7.1."""
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert hash_of(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_no_changed_letter_goes_unseen(at, letter):
    changed = TEXT[:at] + letter + TEXT[at + 1 :]
    if changed == TEXT:
        assert proved(changed)
        return
    with pytest.raises(OutriderError):
        proved(changed)


@given(st.text(max_size=200) | st.dictionaries(st.text(max_size=4), st.integers()).map(json.dumps))
def test_any_text_is_refused_in_words(text):
    with pytest.raises(OutriderError):
        proved(text)
