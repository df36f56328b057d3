"""The one codec: events to canonical bytes and back.

Canonical bytes are RFC 8785 (JCS) on our profile: ASCII keys, integers within +-(2**53 - 1), no floats. On that
profile msgspec's sorted JSON is byte for byte what RFC 8785 says, at a fifteenth of the price; a property test holds
the two together.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec

from outrider.errors import BadInputError, UnknownVersionError
from outrider.events.content import Commitment
from outrider.events.event import VERSION
from outrider.events.record import AnyEvent, Beside

MAX_LEAF = 16 * 1024
"""Largest leaf in bytes. The tile format's own limit is 65,535."""

MAX_INT = 2**53 - 1
_COMMIT_DOMAIN = b"outrider/v1/content\0"

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(AnyEvent)
_plain = msgspec.json.Decoder()
_beside_encoder = msgspec.msgpack.Encoder(order="sorted")
_beside_decoder = msgspec.msgpack.Decoder(Beside)


def canonical(value: Any) -> bytes:
    """Return the canonical JSON bytes of an event, a struct, or plain data on our profile.

    Source: RFC 8785, restricted. Floats and integers beyond 2**53 - 1 are the caller's error and are not checked here
    (no event type has a field that could hold a float; :func:`encode` checks what it writes).
    """
    return _encoder.encode(value)


def encode(event: AnyEvent) -> bytes:
    """Return the leaf of an event.

    Raises:
        BadInputError: The event has no UTF-8 form, or is larger than :data:`MAX_LEAF`.
    """
    try:
        leaf = _encoder.encode(event)
    except UnicodeEncodeError as error:
        raise BadInputError(f"the event holds text that is not Unicode: {error}") from error
    if len(leaf) > MAX_LEAF:
        raise BadInputError(f"the event is {len(leaf)} bytes, more than a leaf's {MAX_LEAF}")
    return leaf


def decode(leaf: bytes) -> AnyEvent:
    """Return the event in a leaf.

    Raises:
        UnknownVersionError: The leaf's ``v`` is not ours, or its kind is not known to this program.
        BadInputError: The leaf is not an event.
    """
    try:
        event = cast("AnyEvent", _decoder.decode(leaf))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _explain(leaf, error) from error
    if event.v != VERSION:
        raise _unknown_version(event.v)
    return event


def _explain(leaf: bytes, error: Exception) -> BadInputError:
    try:
        raw = _plain.decode(leaf)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadInputError(f"not an event: {error}")
    version = raw.get("v") if isinstance(raw, dict) else None
    if isinstance(version, int) and version != VERSION:
        return _unknown_version(version)
    return BadInputError(f"not an event: {error}")


def _unknown_version(version: int) -> UnknownVersionError:
    return UnknownVersionError(
        f"event format version {version} is not known to this program (it knows {VERSION})",
        fix="Upgrade Outrider, or read the record with the version that wrote it.",
    )


def encode_beside(beside: Beside) -> bytes:
    """Return the bytes of a beside (MessagePack, sorted); empty for an empty one."""
    data = _beside_encoder.encode(beside)
    return b"" if data == b"\x80" else data


def decode_beside(data: bytes) -> Beside:
    """Return the beside in ``data``; an empty one for no bytes.

    Raises:
        BadInputError: The bytes are not a beside.
    """
    if not data:
        return Beside()
    try:
        return _beside_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise BadInputError(f"not a beside: {error}") from error


def beside_digest(data: bytes) -> str:
    """Return the digest that a leaf carries for its beside's bytes: SHA-256 hex, empty for no bytes."""
    return hashlib.sha256(data).hexdigest() if data else ""


def commit(content: bytes, salt: bytes) -> Commitment:
    """Return the salted commitment to ``content``. ``salt`` is 32 random bytes, kept beside the leaf."""
    digest = hashlib.sha256(_COMMIT_DOMAIN + salt + content).hexdigest()
    return Commitment(c=digest, size=len(content))
