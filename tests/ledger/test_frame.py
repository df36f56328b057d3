"""Frames: what was packed comes back, and nothing else ever does."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError
from outrider.ledger.frame import MAX_BESIDE, MAX_LEAF, Walk, pack, survivors, unpack

leaves = st.binary(min_size=1, max_size=300)
besides = st.binary(max_size=300)
indexes = st.integers(0, 2**64 - 1)


@given(indexes, indexes, leaves, besides)
def test_a_frame_comes_back_as_it_was_packed(n, group, leaf, beside):
    data = pack(n, group, leaf, beside)
    assert unpack(data)[:4] == (n, group, leaf, beside)
    assert unpack(data).end == len(data)


@given(leaves, besides, st.data())
def test_a_frame_with_any_bit_flipped_is_no_frame(leaf, beside, data):
    frame = bytearray(pack(7, 3, leaf, beside))
    at = data.draw(st.integers(0, len(frame) * 8 - 1))
    frame[at // 8] ^= 1 << at % 8
    assert unpack(bytes(frame)) is None


@given(leaves, besides, st.data())
def test_a_frame_cut_short_is_no_frame(leaf, beside, data):
    frame = pack(7, 3, leaf, beside)
    assert unpack(frame[: data.draw(st.integers(0, len(frame) - 1))]) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_never_a_frame_and_never_an_exception(data):
    assert unpack(data) is None


@given(st.lists(st.tuples(leaves, besides), max_size=30), st.binary(max_size=60))
def test_a_walk_yields_the_frames_and_says_why_it_stopped(pairs, rest):
    data = b"".join(pack(n, 0, *pair) for n, pair in enumerate(pairs))
    with tempfile.TemporaryFile() as file:
        file.write(data + rest)
        file.flush()
        walk = Walk(file.fileno(), 0)
        assert [(f.n, f.leaf, f.beside) for f in walk] == [(n, *pair) for n, pair in enumerate(pairs)]
        assert walk.end == len(data)
        assert walk.stopped == ("bad" if any(rest[:28]) else "blank")


def test_a_walk_reads_frames_larger_than_its_own_chunks():
    large = [(b"a", os.urandom(MAX_BESIDE)), (os.urandom(MAX_LEAF), b""), (b"b", os.urandom(MAX_BESIDE - 1))]
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(pack(n, 0, *pair) for n, pair in enumerate(large)))
        file.flush()
        assert [(f.leaf, f.beside) for f in Walk(file.fileno(), 0)] == large


@pytest.mark.parametrize(("leaf", "beside"), [(b"", b""), (bytes(MAX_LEAF + 1), b""), (b"x", bytes(MAX_BESIDE + 1))])
def test_what_fits_no_frame_is_refused(leaf, beside):
    with pytest.raises(BadInputError):
        pack(0, 0, leaf, beside)


@given(st.integers(0, 2**40), st.binary(max_size=100), st.lists(leaves, min_size=1, max_size=5))
def test_whole_frames_behind_damage_are_found_wherever_they_stand(lost, garbage, later):
    data = garbage + b"".join(pack(lost + 1 + n, lost + 1, leaf, b"") for n, leaf in enumerate(later)) + bytes(500)
    assert [f.leaf for f in survivors(data, lost)] == later


def test_frames_across_a_carry_in_the_index_are_found_behind_damage():
    lost = (1 << 24) - 2
    data = b"??" + pack(lost + 3, lost + 3, b"later", b"")
    assert [f.leaf for f in survivors(data, lost)] == [b"later"]
