"""Credentials that an agent shows outside: who it is, for whom, for five minutes, and nothing that can be changed."""

from __future__ import annotations

import base64
import json
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.identity import jose
from outrider.identity.agent import Agent, Common
from outrider.identity.issuer import LIFE, Issuer, Signing

S = 1_000_000
NOW = 1_800_000_000 * S
YEAR = 365 * 24 * 3600 * S
AUDIENCE = "https://vault.example"
KEY = ec.generate_private_key(ec.SECP256R1())
NEXT = ec.generate_private_key(ec.SECP256R1())


def agent(name="ag_01", **more):
    common = {
        "charter": "coder", "digest": "sha256:d1", "chain": ("sha256:d1",), "depth": 0, "sponsor": "p_77",
        "how": "session", "door": "d",
    }  # fmt: skip
    common |= {name: more.pop(name) for name in Common.__struct_fields__ if name in more}
    known = {"parent": "", "root": "ag_01", "session": "s", "expires": NOW + YEAR, "born_n": 7, "born_ts": NOW}
    return Agent(id=name, like=Common(**common), **{**known, **more})


def signing(key, since=NOW, until=0):
    return Signing(jwk=jose.jwk_of(key.public_key()), since=since, until=until)


def issuer(key=KEY, history=None):
    return Issuer("https://id.example", "id.example", key, history or (signing(key),))


def minted(who=None, above=(), **more):
    return issuer().mint(who or agent(), above, **{"audience": AUDIENCE, "now": NOW, **more})[0]


def claims_of(text):
    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


TEXT = minted()


def test_a_credential_says_who_it_is_for_whom_and_for_five_minutes():
    said = claims_of(TEXT)
    assert said["sub"] == "spiffe://id.example/agent/coder/ag_01"
    assert (said["iss"], said["aud"]) == ("https://id.example", AUDIENCE)
    assert said["exp"] - said["iat"] == LIFE == 300
    assert said["agt"] == {"charter": "coder", "digest": "sha256:d1", "instance": "ag_01", "root": "ag_01", "depth": 0}
    assert "cnf" not in said
    assert issuer().verify(TEXT, audience=AUDIENCE, at=NOW).sub == said["sub"]


def test_the_chain_of_a_grandchild_leads_to_the_person_who_answers_for_it():
    line = (agent("ag_02", charter="reviewer", depth=1), agent())
    child = agent("ag_03", charter="researcher", depth=2)
    found = issuer().verify(minted(child, line), audience=AUDIENCE, at=NOW)
    assert found.lineage == (
        "spiffe://id.example/agent/reviewer/ag_02",
        "spiffe://id.example/agent/coder/ag_01",
        "spiffe://id.example/sponsor/p_77",
    )
    assert (found.agt["depth"], found.agt["root"]) == (2, "ag_01")


def test_a_credential_is_bound_to_a_key_where_one_is_named():
    thumbprint = jose.jwk_of(NEXT.public_key()).kid
    assert claims_of(minted(jkt=thumbprint))["cnf"] == {"jkt": thumbprint}
    with pytest.raises(BadInputError, match="thumbprint"):
        minted(jkt="short")


def test_a_credential_ends_with_its_agent():
    text = minted(agent(expires=NOW + 10 * S))
    assert claims_of(text)["exp"] == NOW // S + 10
    with pytest.raises(RefusedError, match="is over"):
        minted(agent(expires=NOW))


@pytest.mark.parametrize("audience", ["", "a\nb", "x" * 513])
def test_an_audience_is_one_line(audience):
    with pytest.raises(BadInputError, match="audience"):
        minted(audience=audience)


@pytest.mark.parametrize("later", [LIFE, LIFE + 1, 10 * LIFE, -31])
def test_a_credential_holds_from_its_issue_to_its_end_only(later):
    with pytest.raises(RefusedError, match="did not hold then"):
        issuer().verify(TEXT, audience=AUDIENCE, at=NOW + later * S)


def test_a_credential_for_somebody_else_is_refused():
    with pytest.raises(RefusedError, match=r"vault\.example"):
        issuer().verify(TEXT, audience="https://other.example", at=NOW)


def test_a_token_of_last_years_dead_agent_still_verifies_as_of_then_and_not_as_of_now():
    later = issuer(NEXT, (signing(KEY, until=NOW + S), signing(NEXT, since=NOW + S)))
    assert later.verify(TEXT, audience=AUDIENCE, at=NOW + S).agt["instance"] == "ag_01"
    with pytest.raises(RefusedError, match="did not hold then"):
        later.verify(TEXT, audience=AUDIENCE, at=NOW + YEAR)
    assert len(later.past()["keys"]) == 2
    assert [key["kid"] for key in later.jwks(NOW + YEAR)["keys"]] == [jose.jwk_of(NEXT.public_key()).kid]
    assert len(later.jwks(NOW + 60 * S)["keys"]) == 2


def test_a_retired_key_vouches_for_nothing_that_claims_to_be_newer():
    later = issuer(NEXT, (signing(KEY, since=NOW - YEAR, until=NOW - S), signing(NEXT)))
    with pytest.raises(RefusedError, match="not in use"):
        later.verify(TEXT, audience=AUDIENCE, at=NOW)


def test_a_credential_under_a_foreign_key_is_refused_whatever_key_it_names():
    forged = issuer(NEXT).mint(agent(), (), audience=AUDIENCE, now=NOW)[0]
    with pytest.raises(RefusedError, match="never was ours"):
        issuer().verify(forged, audience=AUDIENCE, at=NOW)
    named = jose.sign(NEXT, jose.jwk_of(KEY.public_key()).kid, claims_of(TEXT))
    with pytest.raises(RefusedError, match="not issued under that key"):
        issuer().verify(named, audience=AUDIENCE, at=NOW)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "EdDSA", "ES384", "es256"])
def test_no_token_chooses_its_own_algorithm(algorithm):
    kid = jose.jwk_of(KEY.public_key()).kid
    head = jose.base64url(json.dumps({"alg": algorithm, "kid": kid, "typ": "JWT"}).encode())
    with pytest.raises(BadInputError, match="only ES256"):
        issuer().verify(head + TEXT[TEXT.index(".") :], audience=AUDIENCE, at=NOW)


def test_a_header_that_brings_its_own_key_is_refused():
    head = {"alg": "ES256", "kid": "k", "typ": "JWT", "jwk": jose.jwk_of(NEXT.public_key()).document()}
    with pytest.raises(BadInputError, match="header"):
        jose.read_header(jose.base64url(json.dumps(head).encode()) + ".e30.e30")


@given(st.integers(0, len(TEXT) - 1), st.characters(min_codepoint=32, max_codepoint=126))
def test_no_changed_letter_goes_unseen(at, letter):
    changed = TEXT[:at] + letter + TEXT[at + 1 :]
    if changed == TEXT:
        assert issuer().verify(changed, audience=AUDIENCE, at=NOW)
        return
    with pytest.raises(OutriderError):
        issuer().verify(changed, audience=AUDIENCE, at=NOW)


@given(st.integers(0, len(TEXT) - 1))
def test_a_cut_credential_is_refused(length):
    with pytest.raises(OutriderError):
        issuer().verify(TEXT[:length], audience=AUDIENCE, at=NOW)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_any_text_is_read_or_refused_in_words(text):
    with pytest.raises(OutriderError):
        issuer().verify(text, audience=AUDIENCE, at=NOW)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "iat", "exp", "jti", "agt", "act"]), st.integers() | st.text(max_size=5)
    )
)
def test_claims_that_are_not_ours_are_refused_even_under_our_key(claims):
    text = jose.sign(KEY, jose.jwk_of(KEY.public_key()).kid, claims)
    with pytest.raises(OutriderError):
        issuer().verify(text, audience=AUDIENCE, at=NOW)


def test_the_discovery_document_leads_to_the_keys():
    one = issuer()
    assert one.discovery()["jwks_uri"].startswith(one.discovery()["issuer"])
    assert one.discovery()["id_token_signing_alg_values_supported"] == ["ES256"]
    [key] = one.jwks(NOW)["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert "d" not in key


def test_a_trust_domain_that_no_spiffe_id_can_hold_is_refused():
    with pytest.raises(BadInputError, match="trust domain"):
        Issuer("https://id.example", "Not/One", KEY, (signing(KEY),))


def test_the_check_of_the_spiffe_package_believes_a_credential_and_no_changed_one():
    spiffe = pytest.importorskip("spiffe", reason="the spiffe package is not installed")
    now = time.time_ns() // 1000
    history = (signing(KEY, since=now),)
    one = issuer(history=history)
    text, claims = one.mint(agent(expires=now + YEAR), (), audience=AUDIENCE, now=now)
    keys = msgspec.json.encode(one.jwks(now))
    bundle = spiffe.JwtBundle.parse(spiffe.TrustDomain("id.example"), keys)
    svid = spiffe.JwtSvid.parse_and_validate(text, bundle, {AUDIENCE})
    assert str(svid.spiffe_id) == claims.sub
    with pytest.raises(spiffe.svid.errors.JwtSvidError):
        spiffe.JwtSvid.parse_and_validate(text, bundle, {"https://other.example"})
    with pytest.raises(spiffe.svid.errors.JwtSvidError):
        spiffe.JwtSvid.parse_and_validate(text[:-8] + "AAAAAAAA", bundle, {AUDIENCE})
