"""What a hook client and the daemon say to each other over the UNIX socket: one request, one answer, end.

::

    request = "ORQ1" nonce(16) u8+door u8+event u32+payload
    answer  = "ORA1" nonce(16) u8 exit-code u32+stdout u32+stderr, then the end of the stream

Integers are big-endian. The nonce is the client's, drawn anew for every request; an answer that does not echo it is no
answer. The clients themselves (``hook/client.c``, ``hook/client.py``) carry their own copy of this: they know no room.
"""

from __future__ import annotations

import msgspec

from outrider.errors import BadInputError
from outrider.events.message import Wire

NONCE = 16
MAX_NAME = 64
"""Longest name of a door or an event, in bytes."""

MAX_SENT = 32 << 20
"""Largest payload that a client sends, in bytes; over it, it is undecided without asking."""

MAX_PAYLOAD = 16 << 20
"""Largest payload that the daemon judges, in bytes; over it, it reads on and answers with a named error."""

MAX_OUTPUT = 1 << 20
"""Largest stdout and stderr of an answer together, in bytes."""

MAX_HEAD = 4 + NONCE + 1 + MAX_NAME + 1 + MAX_NAME + 4
"""Longest head of a request: once so many bytes have arrived, :func:`read_head` has an answer."""

_ASK = b"ORQ1"
_ANSWER = b"ORA1"
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class Head(msgspec.Struct, frozen=True):
    """What comes before a request's payload.

    Attributes:
        nonce: The client's nonce, to be echoed.
        door: Name of the door.
        event: The host's own name of the event.
        start: Offset of the payload in the request.
        size: Length of the payload in bytes.
    """

    nonce: bytes
    door: str
    event: str
    start: int
    size: int

    @property
    def end(self) -> int:
        """Length of the whole request in bytes."""
        return self.start + self.size

    @property
    def too_large(self) -> bool:
        """Whether the payload is more than the daemon judges."""
        return self.size > MAX_PAYLOAD


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One event from one host, as its hook client sends it."""

    nonce: bytes
    door: str
    event: str
    payload: bytes


def _name(raw: bytes, what: str) -> str:
    if not raw or len(raw) > MAX_NAME or not _PLAIN.issuperset(raw):
        raise BadInputError(f"the request's {what} is not a name of 1 to {MAX_NAME} letters, digits, '_', '-' or '.'")
    return raw.decode("ascii")


def read_head(data: bytes | bytearray) -> Head | None:
    """Return the head that stands at the start of ``data``; None while it is not all there.

    Raises:
        BadInputError: What has arrived can not become a request: wrong magic, bad names, or larger than
            :data:`MAX_SENT`. Without a nonce there is nothing that could be answered.
    """
    if not _ASK.startswith(bytes(data[:4])):
        raise BadInputError("the request does not start with ORQ1")
    door_at = 4 + NONCE + 1
    if len(data) < door_at:
        return None
    event_at = door_at + data[door_at - 1] + 1
    if data[door_at - 1] > MAX_NAME:
        raise BadInputError(f"the request's door is longer than {MAX_NAME} bytes")
    if len(data) < event_at:
        return None
    size_at = event_at + data[event_at - 1]
    if data[event_at - 1] > MAX_NAME:
        raise BadInputError(f"the request's event is longer than {MAX_NAME} bytes")
    if len(data) < size_at + 4:
        return None
    size = int.from_bytes(data[size_at : size_at + 4], "big")
    if size > MAX_SENT:
        raise BadInputError(f"the request's payload is {size} bytes, more than {MAX_SENT}")
    return Head(
        nonce=bytes(data[4 : 4 + NONCE]),
        door=_name(bytes(data[door_at : event_at - 1]), "door"),
        event=_name(bytes(data[event_at:size_at]), "event"),
        start=size_at + 4,
        size=size,
    )


def encode_request(request: Request) -> bytes:
    """Return the bytes of a request.

    Raises:
        BadInputError: A name, the nonce or the payload is out of bounds.
    """
    door, event = request.door.encode("utf-8", "replace"), request.event.encode("utf-8", "replace")
    _name(door, "door")
    _name(event, "event")
    if len(request.nonce) != NONCE or len(request.payload) > MAX_SENT:
        raise BadInputError(f"the request's nonce is not {NONCE} bytes, or its payload is more than {MAX_SENT}")
    size = len(request.payload).to_bytes(4, "big")
    return b"".join(
        (_ASK, request.nonce, bytes((len(door),)), door, bytes((len(event),)), event, size, request.payload)
    )


def decode_request(data: bytes) -> Request:
    """Return the request that ``data`` is, whole and with nothing behind it.

    Raises:
        BadInputError: It is not one.
    """
    head = read_head(data)
    if head is None or head.end != len(data):
        raise BadInputError("the request ends too early or too late")
    return Request(nonce=head.nonce, door=head.door, event=head.event, payload=data[head.start :])


def encode_answer(nonce: bytes, wire: Wire) -> bytes:
    """Return the bytes of an answer to the request with this nonce.

    Raises:
        BadInputError: The answer is more than :data:`MAX_OUTPUT`, or its code is not an exit status.
    """
    if len(nonce) != NONCE or not 0 <= wire.code <= 255 or len(wire.stdout) + len(wire.stderr) > MAX_OUTPUT:
        raise BadInputError("the answer has a bad nonce, a bad exit code, or too much to print")
    out, err = len(wire.stdout).to_bytes(4, "big"), len(wire.stderr).to_bytes(4, "big")
    return b"".join((_ANSWER, nonce, bytes((wire.code,)), out, wire.stdout, err, wire.stderr))


def decode_answer(data: bytes, nonce: bytes) -> Wire:
    """Return the answer that ``data`` is, whole and with nothing behind it.

    Raises:
        BadInputError: It is not one, or it answers another request.
    """
    fixed = 4 + NONCE + 1
    if len(data) < fixed + 8 or data[:4] != _ANSWER or data[4 : 4 + NONCE] != nonce:
        raise BadInputError("not an answer to this request")
    middle = fixed + 4 + int.from_bytes(data[fixed : fixed + 4], "big")
    if middle + 4 > len(data) or middle + 4 + int.from_bytes(data[middle : middle + 4], "big") != len(data):
        raise BadInputError("the answer ends too early or too late")
    return Wire(stdout=data[fixed + 4 : middle], stderr=data[middle + 4 :], code=data[fixed - 1])
