"""A repository's list of suppressions: what it lets be, where, until when, and what of it counts for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.listing import Listing, listing

GOOD = """
[[allow]]
rules = ["code.python-weak-hash", "secret.*"]
paths = ["src/cache/**", "*.lock"]
reason = "Only keys of a cache."
until = "2031-06-30"
"""


@pytest.mark.parametrize(
    ("rule", "path", "today", "is_let_be"),
    [
        ("code.python-weak-hash", "src/cache/a/b.py", "2031-06-30", True),
        ("secret.generic-password", "poetry.lock", "", True),
        ("code.python-weak-hash", "src/cache/a/b.py", "2031-07-01", False),
        ("code.python-weak-hash", "src/cached/a.py", "", False),
        ("code.python-weak-hash", "a/poetry.lock", "", False),
        ("code.python-weak-hash", "", "", False),
        ("code.python-weak-cipher", "src/cache/a.py", "", False),
    ],
)
def test_it_lets_be_what_it_names_where_it_says_and_until_then(rule, path, today, is_let_be):
    assert bool(listing(GOOD).reason(rule, path, today)) is is_let_be


def test_without_paths_it_is_about_every_file_and_about_commands():
    assert listing('[[allow]]\nrules = ["dependency.typosquat"]\nreason = "Our own fork."\n').reason(
        "dependency.typosquat", "", ""
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[allow]", "not TOML"),
        ('[[allow]]\nrules = ["a.b"]\n', "no reason"),
        ('[[allow]]\nrules = ["a.b"]\nreason = "ok"\n', "no reason"),
        ('[[allow]]\nreason = "It is all right."\n', "no rules"),
        ('[[allow]]\nrules = ["a.b"]\nreason = "It is all right."\nuntil = "soon"\n', "no day"),
        ('[[allow]]\nrules = ["a.b"]\nreason = "It is all right."\npath = "x"\n', "path"),
        ("allow = 1\n", "[[allow]]"),
        ("[deny]\n", "deny"),
    ],
)
def test_what_counts_for_nothing_is_said_and_lets_nothing_be(text, why):
    read = listing(text)
    assert read.entries == ()
    assert why in " ".join(read.faults)


def test_what_has_ended_is_said():
    assert listing(GOOD).over("2031-07-01") == ("what it says of code.python-weak-hash, secret.* ended on 2031-06-30",)
    assert listing(GOOD).over("2031-06-30") == ()


@given(st.text(max_size=200))
def test_every_text_is_a_list_or_a_fault(text):
    assert isinstance(listing(text), Listing)


@given(st.text("a*?/.[", max_size=12), st.text("ab/.", max_size=12))
def test_every_glob_is_asked_without_an_error(glob, path):
    text = f'[[allow]]\nrules = ["x"]\nreason = "It is so."\npaths = [{chr(39)}{glob}{chr(39)}]\n'
    listing(text).reason("x", path, "")
