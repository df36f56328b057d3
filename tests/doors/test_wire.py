"""The codec of the daemon's socket."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outrider.doors.wire import (
    MAX_HEAD,
    MAX_OUTPUT,
    MAX_PAYLOAD,
    MAX_SENT,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    read_head,
)
from outrider.errors import BadInputError
from outrider.events.message import Wire

NONCE = bytes(range(16))
names = st.text("abcXYZ019_-.", min_size=1, max_size=64)
nonces = st.binary(min_size=16, max_size=16)
requests = st.builds(Request, nonce=nonces, door=names, event=names, payload=st.binary(max_size=300))
wires = st.builds(Wire, stdout=st.binary(max_size=99), stderr=st.binary(max_size=99), code=st.integers(0, 255))


@given(requests)
def test_a_request_comes_back_as_it_was(request):
    assert decode_request(encode_request(request)) == request


@given(nonces, wires)
def test_an_answer_comes_back_as_it_was(nonce, wire):
    assert decode_answer(encode_answer(nonce, wire), nonce) == wire


@given(requests)
def test_the_head_is_there_as_soon_as_its_last_byte_is(request):
    data = encode_request(request)
    start = len(data) - len(request.payload)
    assert start <= MAX_HEAD
    for end in range(start):
        assert read_head(data[:end]) is None
    for end in range(start, len(data) + 1):
        head = read_head(bytearray(data[:end]))
        assert head is not None
        assert (head.nonce, head.door, head.event, head.start, head.end) == (
            request.nonce,
            request.door,
            request.event,
            start,
            len(data),
        )


@given(requests, st.data())
def test_a_request_cut_short_or_drawn_out_is_none(request, data):
    whole = encode_request(request)
    with pytest.raises(BadInputError):
        decode_request(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BadInputError):
        decode_request(whole + data.draw(st.binary(min_size=1, max_size=9)))


@given(nonces, wires, st.data())
def test_an_answer_cut_short_or_drawn_out_is_none(nonce, wire, data):
    whole = encode_answer(nonce, wire)
    with pytest.raises(BadInputError):
        decode_answer(whole[: data.draw(st.integers(0, len(whole) - 1))], nonce)
    with pytest.raises(BadInputError):
        decode_answer(whole + data.draw(st.binary(min_size=1, max_size=9)), nonce)


@given(nonces, nonces, wires)
def test_an_answer_to_another_request_is_none(nonce, other, wire):
    assume(nonce != other)
    with pytest.raises(BadInputError):
        decode_answer(encode_answer(nonce, wire), other)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_say_so_and_nothing_else(data):
    try:
        head = read_head(data)
    except BadInputError:
        return
    assert head is None or head.end >= head.start


@given(st.binary(max_size=100))
def test_bytes_that_are_no_answer_say_so_and_nothing_else(data):
    try:
        wire = decode_answer(b"ORA1" + NONCE + data, NONCE)
    except BadInputError:
        return
    assert encode_answer(NONCE, wire) == b"ORA1" + NONCE + data


@pytest.mark.parametrize(
    "data",
    [
        b"GET ",
        b"ORA1",
        b"ORQ1" + NONCE + b"\xff",
        b"ORQ1" + NONCE + b"\x01d\xff",
        b"ORQ1" + NONCE + b"\x00\x01e\0\0\0\0",
        b"ORQ1" + NONCE + b"\x01d\x00\0\0\0\0",
        b"ORQ1" + NONCE + b"\x01/\x01e\0\0\0\0",
        b"ORQ1" + NONCE + b"\x01d\x01\n\0\0\0\0",
        b"ORQ1" + NONCE + b"\x01\xe4\x01e\0\0\0\0",
        b"ORQ1" + NONCE + b"\x01d\x01e\xff\xff\xff\xff",
        b"ORQ1" + NONCE + b"\x01d\x01e" + (MAX_SENT + 1).to_bytes(4, "big"),
    ],
)
def test_a_head_that_can_not_become_a_request_is_refused_at_once(data):
    with pytest.raises(BadInputError):
        read_head(data)


def test_what_the_daemon_does_not_judge_is_still_named_by_its_head():
    head = read_head(b"ORQ1" + NONCE + b"\x01d\x01e" + (MAX_PAYLOAD + 1).to_bytes(4, "big"))
    assert head is not None
    assert head.too_large
    assert head.event == "e"


@pytest.mark.parametrize(
    "request_",
    [
        Request(nonce=NONCE[:15], door="d", event="e", payload=b""),
        Request(nonce=NONCE, door="", event="e", payload=b""),
        Request(nonce=NONCE, door="d", event="e" * 65, payload=b""),
        Request(nonce=NONCE, door="d", event="\udc80", payload=b""),
    ],
)
def test_a_request_out_of_bounds_is_not_written(request_):
    with pytest.raises(BadInputError):
        encode_request(request_)


@pytest.mark.parametrize("wire", [Wire(code=256), Wire(code=-1), Wire(stdout=b"x" * MAX_OUTPUT, stderr=b"x")])
def test_an_answer_out_of_bounds_is_not_written(wire):
    with pytest.raises(BadInputError):
        encode_answer(NONCE, wire)
