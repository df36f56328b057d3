"""Hard text: what no person types. The reader answers all of it, in work that grows with its length and no faster."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.effects.planning import read_commands
from outrider.events.call import VERBS

_HERE = Path(__file__)
_playing = importlib.util.spec_from_file_location("effects_playing", _HERE.with_name("playing.py"))
playing = importlib.util.module_from_spec(_playing)
_playing.loader.exec_module(playing)
_hard = importlib.util.spec_from_file_location("effects_hard", _HERE.with_name("hard.py"))
hard = importlib.util.module_from_spec(_hard)
_hard.loader.exec_module(hard)

PLACE = playing.place_of()


def answered(text: str) -> tuple:
    effects = playing.shell(text)
    assert all(effect.verb in VERBS for effect in effects)
    return effects


def says_unread(text: str) -> bool:
    return any(effect.verb in {"unparsed", "opaque"} for effect in answered(text))


def calls_made(text: str) -> int:
    """Python calls that reading a text makes: work that no clock disturbs."""
    count = 0

    def one(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(one)
    try:
        read_commands(text, PLACE)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("text", hard.SNIPPETS)
def test_every_hard_snippet_is_answered(text):
    answered(text)


@pytest.mark.parametrize("text", hard.BROKEN)
def test_text_that_bash_refuses_is_said_to_be_unread(text):
    assert says_unread(text), text


@given(
    st.lists(st.one_of(st.sampled_from(hard.SNIPPETS), st.text(max_size=12)), max_size=8), st.sampled_from(hard.GLUE)
)
@settings(max_examples=150, deadline=None)
def test_hard_snippets_glued_together_are_answered(parts, glue):
    answered(glue.join(parts))


@given(st.sampled_from(hard.SNIPPETS), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_hard_snippets_cut_and_turned_are_answered(text, seed):
    chance = random.Random(seed)
    letters = list(text)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(letters) + 1)
        if chance.random() < 0.5 and letters:
            del letters[at : at + chance.randrange(1, 4)]
        else:
            letters.insert(at, chance.choice(hard.SIGNS))
    answered("".join(letters))


@pytest.mark.parametrize("name", sorted(hard.GROWING))
def test_work_grows_with_length_and_no_faster(name):
    grow = hard.GROWING[name]
    read_commands(grow(20), PLACE)
    small, large = calls_made(grow(150)), calls_made(grow(300))
    assert large <= 2.6 * small + 3000, (small, large)


@pytest.mark.parametrize("opening", ["(", "{ ", "$(", "`", "<(", "[[ ", "if ", "((", '"$(', "case x in x) "])
def test_ten_thousand_levels_are_said_to_be_unread(opening):
    assert says_unread(opening * 10_000 + "rm -rf /")


def test_a_line_of_a_megabyte_is_answered():
    assert answered("echo " + "a" * 1_000_000)
    assert answered("true; " * 170_000)
    assert says_unread("rm x; " * 170_000)


def test_two_letters_that_look_alike_are_two_programs():
    effects = answered("\u0441\u0430t /etc/shadow")
    assert any(effect.verb == "opaque" for effect in effects)
    assert any(effect.verb == "read" and effect.value == "/etc/shadow" for effect in effects)


def test_carriage_returns_end_lines_as_they_do_for_an_editor():
    values = {(effect.verb, effect.value) for effect in answered("cd src\r\nrm -f a.txt\r\n")}
    assert any(verb in {"delete", "unparsed"} for verb, _ in values)


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("program", ["python3 -c", "perl -e", "node -e", "awk", "sed", "vim -c", "psql -c", "gdb -ex"])
def test_any_code_given_to_an_interpreter_is_answered(program, code):
    quoted = code.replace("\0", "").replace("'", "'\\''")
    answered(f"{program} '{quoted}'")


def test_code_beyond_the_limit_is_still_named():
    assert says_unread("perl -e '" + "1;" * 40_000 + "'")
