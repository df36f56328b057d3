import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.identity.people import Pseudonyms, normalise

KEY = b"k" * 16


def test_a_pseudonym_is_short_stable_and_says_nothing():
    found = Pseudonyms(KEY).of("Ada Lovelace")
    assert found == Pseudonyms(KEY).of("Ada Lovelace")
    assert found.startswith("p_")
    assert len(found) == 18
    assert found != Pseudonyms(b"l" * 16).of("Ada Lovelace")


def test_spellings_of_one_person_meet():
    names = Pseudonyms(KEY)
    assert names.of("  ADA   lovelace ") == names.of("ada lovelace")
    assert names.of("Ada Lovelace <ADA@Example.com>") == names.of("ada@example.com")
    assert names.of("\N{FULLWIDTH LATIN CAPITAL LETTER A}da") == names.of("ada")
    assert names.of("a <b>") != names.of("b")


def test_nobody_has_no_pseudonym():
    assert Pseudonyms(KEY).of("") == Pseudonyms(KEY).of(" \t\n") == ""


def test_a_key_too_short_to_keep_a_secret_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(b"short")


@given(st.text())
def test_every_text_has_a_pseudonym_or_is_blank(name):
    found = Pseudonyms(KEY).of(name)
    assert found == "" if not normalise(name) else len(found) == 18
