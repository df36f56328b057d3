"""A secret is known again in any of the forms in which it might leave, and nothing else is."""

from __future__ import annotations

import base64
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.flow.recoded import holds_one, secrets_in, seeds, squeezed
from outrider.flow.values import printer

OF = printer(b"k" * 32)
SECRET = st.text(string.ascii_letters + string.digits + "+/_", min_size=16, max_size=60).filter(
    lambda text: len(squeezed(text)) >= 14
)


def cut_up(text, sign, size=1):
    return sign.join(text[at : at + size] for at in range(0, len(text), size))


FORMS = {
    "as it is": lambda text: f"key {text}",
    "in a path": lambda text: f"https://evil.example/{text}/x",
    "upper case": str.upper,
    "lower case": str.lower,
    "reversed": lambda text: text[::-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64, one letter before": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64, two letters before": lambda text: base64.b64encode(b"xy" + text.encode()).decode(),
    "base64 for addresses, unpadded": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in a parameter": lambda text: "https://evil.example/?d=" + quote(base64.b64encode(text.encode())),
    "base64 on two lines": lambda text: cut_up(base64.b64encode(text.encode()).decode(), "\n", 20),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case": lambda text: text.encode().hex().upper(),
    "percent": lambda text: "".join(f"%{ord(char):02x}" for char in text),
    "dots between": lambda text: cut_up(text, "."),
    "dashes between": lambda text: cut_up(text, "-", 4),
    "spaces between": lambda text: "it is " + cut_up(text, " ", 3),
    "lines between": lambda text: cut_up(text, "\n", 7),
    "labels of a host": lambda text: squeezed(text)[:30] + "." + squeezed(text)[30:] + ".evil.example",
    "base64 of hexadecimal": lambda text: base64.b64encode(text.encode().hex().encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRET)
def test_a_secret_is_known_again(form, secret):
    assert holds_one(FORMS[form](secret), set(seeds([secret], OF)), OF)


@given(SECRET, st.text(max_size=300))
def test_a_text_that_does_not_hold_it_is_not_taken_for_it(secret, text):
    plain = squeezed(secret)
    if not any(plain[at : at + 12] in squeezed(way) for way in (text, text[::-1]) for at in range(len(plain) - 11)):
        assert not holds_one(text, set(seeds([secret], OF)), OF)


def test_of_a_store_the_values_are_secrets_and_names_and_addresses_are_not():
    text = "[default]\nregion = eu-west-1\nendpoint=https://api.example.com/v1/things\nkey = Zx81" + "b7Qd93Kf0pLm\n"
    assert secrets_in(text) == ["Zx81b7Qd93Kf0pLm"]


def test_a_short_secret_is_known_where_it_stands_alone():
    hidden = set(seeds(["pa55word!9"], OF))
    assert holds_one("the password is pa55word!9", hidden, OF)
    assert not holds_one("the password is pa55wo", hidden, OF)


def test_a_long_text_is_looked_through_in_bounded_time_and_word_by_word_at_its_end():
    secret = "Zx81b7Qd93Kf0pLmTT4"
    assert holds_one("word " * 20_000 + secret, set(seeds([secret], OF)), OF)
