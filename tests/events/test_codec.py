"""The codec: canonical as RFC 8785 says, exact both ways, and plain about what it does not know."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.events.strategies import KINDS, events, of_struct, plain, text

from outrider.errors import BadInputError, UnknownVersionError
from outrider.events.codec import (
    MAX_LEAF,
    beside_digest,
    canonical,
    commit,
    decode,
    decode_beside,
    encode,
    encode_beside,
)
from outrider.events.record import Beside, Entity, Heartbeat, RecordGap

HEARTBEAT = Heartbeat(v=1, n=7, ts=1_700_000_000_000_000, living=3)


@given(plain)
def test_canonical_bytes_of_plain_data_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.text())
def test_every_string_is_escaped_as_rfc_8785_says(value: str) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(events)
def test_canonical_bytes_of_an_event_are_those_of_rfc_8785(event: Any) -> None:
    assert encode(event) == rfc8785.dumps(json.loads(encode(event)))


@given(events)
def test_every_event_comes_back_as_it_was(event: Any) -> None:
    assert decode(encode(event)) == event


@given(events)
def test_an_event_has_one_encoding(event: Any) -> None:
    assert encode(decode(encode(event))) == encode(event)


def test_every_kind_has_its_own_name() -> None:
    names = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(names)) == len(names)
    assert all(isinstance(name, str) and "." in name for name in names)


def test_an_unknown_version_is_refused_and_the_reader_is_told_what_to_do() -> None:
    newer = encode(msgspec.structs.replace(HEARTBEAT, v=1)).replace(b'"v":1', b'"v":2').replace(b"heartbeat", b"pulse")
    with pytest.raises(UnknownVersionError, match="version 2 is not known") as refused:
        decode(newer)
    assert "Upgrade" in refused.value.fix


def test_an_unknown_version_of_a_known_kind_is_refused() -> None:
    with pytest.raises(UnknownVersionError, match="version 2"):
        decode(encode(HEARTBEAT).replace(b'"v":1', b'"v":2'))


def test_an_unknown_kind_is_refused_by_its_name() -> None:
    with pytest.raises(BadInputError, match=r"record\.pulse"):
        decode(encode(HEARTBEAT).replace(b"heartbeat", b"pulse"))


def test_an_unknown_field_is_refused_by_its_name() -> None:
    with pytest.raises(BadInputError, match="surprise"):
        decode(encode(HEARTBEAT)[:-1] + b',"surprise":1}')


def test_a_missing_field_is_refused_by_its_name() -> None:
    with pytest.raises(BadInputError, match="living"):
        decode(b'{"kind":"record.heartbeat","n":0,"ts":0,"v":1}')


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"null",
        b"[]",
        b'{"v":1}',
        b'{"kind":7,"v":1}',
        b"\xff\xfe",
        b'{"kind":"record.heartbeat","n":0,"ts":0,"v":1,"living":"\xff"}',
        encode(HEARTBEAT)[:-1],
        encode(HEARTBEAT) + b"{}",
    ],
    ids=["nothing", "null", "list", "no-kind", "kind-not-text", "not-utf-8", "text-not-utf-8", "cut-short", "trailing"],
)
def test_what_is_not_an_event_is_bad_input(leaf: bytes) -> None:
    with pytest.raises(BadInputError):
        decode(leaf)


@pytest.mark.parametrize("wrap", ["%s", '{"kind":"record.heartbeat","v":1,"x":%s}'], ids=["bare", "in-a-field"])
def test_deep_nesting_is_bad_input_and_no_crash(wrap: str) -> None:
    with pytest.raises(BadInputError):
        decode((wrap % ("[" * 100_000)).encode())


@given(st.binary(max_size=200))
def test_no_bytes_make_decode_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(BadInputError):
        assert encode(decode(data))


def test_a_leaf_may_be_as_large_as_the_limit_and_not_a_byte_larger() -> None:
    room = MAX_LEAF - len(encode(RecordGap(v=1, n=0, ts=0, what="spool", count=1, detail="x")))
    full = RecordGap(v=1, n=0, ts=0, what="spool", count=1, detail="x" * (room + 1))
    assert len(encode(full)) == MAX_LEAF
    with pytest.raises(BadInputError, match=str(MAX_LEAF + 1)):
        encode(msgspec.structs.replace(full, detail=full.detail + "x"))


def test_text_that_is_not_unicode_is_refused_before_it_reaches_a_leaf() -> None:
    with pytest.raises(BadInputError, match="Unicode"):
        encode(RecordGap(v=1, n=0, ts=0, what="spool", count=1, detail="\ud800"))


@given(of_struct(Beside))
def test_a_beside_comes_back_as_it_was(beside: Beside) -> None:
    assert decode_beside(encode_beside(beside)) == beside


@given(of_struct(Beside))
def test_a_leaf_carries_the_digest_of_its_besides_bytes(beside: Beside) -> None:
    data = encode_beside(beside)
    assert beside_digest(data) == (hashlib.sha256(data).hexdigest() if beside != Beside() else "")


def test_an_empty_beside_takes_no_bytes() -> None:
    assert encode_beside(Beside()) == b""
    assert decode_beside(b"") == Beside()


def test_equal_besides_have_equal_bytes_whatever_order_their_names_came_in() -> None:
    one = Beside(private={"home": "/h", "cwd": "/c"}, entities=(Entity("read", "path", "/x"),))
    other = Beside(entities=(Entity("read", "path", "/x"),), private={"cwd": "/c", "home": "/h"})
    assert encode_beside(one) == encode_beside(other)


@given(st.binary(min_size=1, max_size=100))
def test_no_bytes_make_decode_beside_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(BadInputError):
        assert isinstance(decode_beside(data), Beside)


@given(text, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_commitment_opens_with_its_own_salt_only(content: str, salt: bytes, other: bytes) -> None:
    promise = commit(content.encode(), salt)
    assert promise == commit(content.encode(), salt)
    assert promise.size == len(content.encode())
    assert (commit(content.encode(), other) == promise) == (salt == other)


def test_a_commitment_is_the_hash_that_the_format_says() -> None:
    salt = bytes(range(32))
    expected = hashlib.sha256(b"outrider/v1/content\0" + salt + b"hello").hexdigest()
    assert commit(b"hello", salt).c == expected
