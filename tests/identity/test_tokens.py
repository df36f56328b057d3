"""Delegation tokens: narrowed by anybody, widened by nobody."""

from __future__ import annotations

import base64
from pathlib import Path

import biscuit_auth
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.identity.tokens import LIMIT, MAX_BLOCKS, Handed, Subject, Tokens, narrow_with

NOW = 1_800_000_000_000_000
HOUR = 3_600_000_000
TOKENS = Tokens(b"k" * 32)
OTHER = Tokens(b"o" * 32)


def subject(**more):
    known = {"agent": "ag_root", "charter": "coder", "charters": ("base", "coder"), "above": (), "sponsor": "p_1"}
    return Subject(**{**known, "born": 7, "expires": NOW + HOUR, **more})


def child(name="ag_kid", **more):
    return Handed(**{"agent": name, "charter": "reviewer", "expires": NOW + HOUR // 2, **more})


ROOT = TOKENS.mint(subject())


def test_a_token_says_whom_it_speaks_for_and_what_was_taken_away():
    text = narrow_with(ROOT, child(may={"read": ("repo/docs/**",), "connect": ()}, calls=5, purpose="read the docs"))
    line = TOKENS.verify(text, now=NOW)
    assert (line.agent, line.subject.agent, line.expires) == ("ag_kid", "ag_root", NOW + HOUR // 2)
    assert line.handed[0].may == {"read": ("repo/docs/**",), "connect": ()}
    assert len(line.ids) == 2
    assert line.ids[0] == TOKENS.verify(ROOT, now=NOW).ids[0]


def test_a_verb_that_was_taken_away_whole_is_refused_by_the_token_itself():
    text = narrow_with(ROOT, child(may={"connect": (), "read": ("repo/**",)}))
    assert TOKENS.verify(text, now=NOW, verb="read").agent == "ag_kid"
    with pytest.raises(RefusedError, match="does not allow 'connect'"):
        TOKENS.verify(text, now=NOW, verb="connect")
    grandchild = narrow_with(text, child("ag_grand"))
    with pytest.raises(RefusedError, match="does not allow 'connect'"):
        TOKENS.verify(grandchild, now=NOW, verb="connect")


@pytest.mark.parametrize("later", [HOUR // 2, HOUR // 2 + 1, HOUR, 10 * HOUR])
def test_a_token_ends_on_time(later):
    with pytest.raises(RefusedError, match="it is over"):
        TOKENS.verify(narrow_with(ROOT, child()), now=NOW + later)


def test_a_child_that_would_outlive_what_it_was_made_from_is_refused():
    with pytest.raises(RefusedError, match="outlive"):
        TOKENS.verify(narrow_with(ROOT, child(expires=NOW + 2 * HOUR)), now=NOW)


def test_a_token_of_another_key_is_refused_whatever_key_it_names():
    forged = OTHER.mint(subject())
    for text in (forged, forged.replace(OTHER.public, TOKENS.public)):
        with pytest.raises(RefusedError, match="not minted here"):
            TOKENS.verify(text, now=NOW)


def test_a_token_that_makes_the_same_agent_twice_is_refused():
    with pytest.raises(RefusedError, match="twice"):
        TOKENS.verify(narrow_with(ROOT, child("ag_root")), now=NOW)
    with pytest.raises(RefusedError, match="twice"):
        TOKENS.verify(narrow_with(narrow_with(ROOT, child()), child()), now=NOW)


def test_a_block_cannot_be_moved_to_another_parent():
    """The blocks of one chain are spliced behind the authority of another, byte by byte."""
    mine, other = raw(narrow_with(ROOT, child())), raw(TOKENS.mint(subject(agent="ag_wide")))
    alone = TOKENS.verify(text_of(other), now=NOW)
    for cut in range(1, len(mine)):
        try:
            line = TOKENS.verify(text_of(other + mine[cut:]), now=NOW)
        except OutriderError:
            continue
        assert line == alone  # What was appended happens to read as a field that the format passes over.


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_goes_unseen(at, flip):
    text = narrow_with(ROOT, child())
    data = bytearray(raw(text))
    data[at % len(data)] ^= flip
    try:
        line = TOKENS.verify(text_of(bytes(data)), now=NOW)
    except OutriderError:
        return
    assert line == TOKENS.verify(text, now=NOW)  # Only what no signature covers may change.


@given(st.integers(0, 2_000))
def test_no_cut_goes_unseen(at):
    data = raw(narrow_with(ROOT, child()))
    with pytest.raises(OutriderError):
        TOKENS.verify(text_of(data[: at % len(data)]), now=NOW)


@given(st.text(max_size=200) | st.binary(max_size=300))
def test_anything_else_is_no_token(text):
    with pytest.raises(OutriderError):
        TOKENS.verify(text if isinstance(text, str) else text_of(text), now=NOW)


def foreign(code):
    """The root's token with a block that the library itself appends, whatever we would have written."""
    key = biscuit_auth.PublicKey.from_bytes(bytes.fromhex(TOKENS.public), biscuit_auth.Algorithm.Ed25519)
    token = biscuit_auth.Biscuit.from_base64(ROOT.split(".")[2], key)
    return f"outrider1.{TOKENS.public}.{token.append(biscuit_auth.BlockBuilder(code)).to_base64()}"


@pytest.mark.parametrize(
    "code",
    [
        "",
        "right(true);",
        "agent(hex:7b7d);",
        "child(hex:7b7d);",
        'child("ag_x");',
        'check if act("born");',
        'act("connect"); time(2000-01-01T00:00:00Z);',
    ],
)
def test_a_block_that_is_not_ours_is_refused(code):
    with pytest.raises(RefusedError):
        TOKENS.verify(foreign(code), now=NOW)


def test_a_fact_of_a_child_cannot_stand_in_for_the_time_or_the_act():
    """Facts of a block are heard only in that block: a child that says what time it is does not live longer."""
    lying = foreign('child(hex:00); time(2000-01-01T00:00:00Z); act("born");')
    with pytest.raises(RefusedError):
        TOKENS.verify(lying, now=NOW + 2 * HOUR)


def test_a_token_has_room_for_as_many_generations_as_a_lineage():
    text = ROOT
    for at in range(MAX_BLOCKS - 1):
        text = narrow_with(text, child(f"ag_{at}"))
    assert len(TOKENS.verify(text, now=NOW).handed) == MAX_BLOCKS - 1
    with pytest.raises(BadInputError, match="blocks at most"):
        narrow_with(text, child("ag_last"))


def test_the_librarys_own_limit_of_a_millisecond_does_not_stand():
    assert LIMIT.total_seconds() == 0.25


def test_one_file_touches_the_library_so_that_its_limits_are_set_everywhere():
    import outrider

    top = Path(outrider.__file__).parent
    assert [path.name for path in top.rglob("*.py") if "biscuit_auth" in path.read_text()] == ["tokens.py"]


@pytest.mark.slow
def test_valid_authorisations_under_load_give_no_denial(burning):
    """The row ``tokens`` of the benchmarks asks for 50,000, and fails if one is denied."""
    text = narrow_with(narrow_with(ROOT, child(may={"connect": ()})), child("ag_grand", expires=NOW + HOUR // 4))
    denied = 0
    for _ in range(5_000):
        try:
            TOKENS.verify(text, now=NOW, verb="read")
        except RefusedError:
            denied += 1
    assert denied == 0


@pytest.fixture
def burning():
    """Two processes that take all the time they can get, so that this one is often not running."""
    import subprocess
    import sys

    busy = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(2)]
    yield
    for one in busy:
        one.kill()
        one.wait()


def raw(text):
    body = text.split(".")[2]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def text_of(data):
    return f"outrider1.{TOKENS.public}.{base64.urlsafe_b64encode(data).decode()}"
