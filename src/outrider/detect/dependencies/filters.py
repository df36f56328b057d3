"""Sets of names as bytes: a Bloom filter that is never wrong about absence, and a sorted list of hashes.

The file is one line that names the format, one line of JSON (:class:`Head`), and the body.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from outrider.errors import BadInputError

MAGIC: Final = b"outrider-facts 1\n"
WRONG: Final = 1e-4
"""Share of absent names that a filter of names takes for present."""
_WIDTH: Final = 8
_MOST_HASHES: Final = 32

Kind = Literal["names", "malicious"]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of facts says of itself.

    Attributes:
        ecosystem: Whose names it holds.
        kind: ``names``, every name that its registry holds; or ``malicious``, names known to be so.
        count: How many.
        made: The day on which it was imported, ISO 8601.
        source: What it was imported from, as the user named it.
        digest: SHA-256 of the body, hex, so that a file that was cut or changed is told.
        hashes: Positions of a name in the filter; 0 for a list of hashes.
    """

    ecosystem: str
    kind: Kind
    count: int
    made: str
    source: str
    digest: str
    hashes: int = 0


class Filter:
    """A set of names read from bytes."""

    __slots__ = ("_body", "head")

    def __init__(self, head: Head, body: bytes) -> None:
        self.head = head
        self._body = body

    def __contains__(self, name: str) -> bool:
        first, second = _hashes(name)
        if not self.head.hashes:
            mark = first.to_bytes(_WIDTH, "big")
            at = bisect_left(range(len(self._body) // _WIDTH), mark, key=self._at)
            return at * _WIDTH < len(self._body) and self._at(at) == mark
        bits = len(self._body) * 8
        if not bits:
            return False
        for turn in range(self.head.hashes):
            place = (first + turn * second) % bits
            if not self._body[place >> 3] & 1 << (place & 7):
                return False
        return True

    def _at(self, place: int) -> bytes:
        return self._body[place * _WIDTH : (place + 1) * _WIDTH]


def build(names: Iterable[str], *, ecosystem: str, kind: Kind, made: str, source: str) -> bytes:
    """Return the file of a set of normal names.

    Names that are all there are go into a Bloom filter (2.4 bytes each). Malicious ones go into a list of 64-bit
    hashes: to call somebody's package malicious by a filter's chance would be worse than eight bytes a name.
    """
    every = {*names}
    if kind == "malicious":
        marks = sorted(_hashes(name)[0].to_bytes(_WIDTH, "big") for name in every)
        return _file(b"".join(marks), ecosystem=ecosystem, kind=kind, count=len(every), made=made, source=source)
    bits = max(8, math.ceil(-len(every) * math.log(WRONG) / math.log(2) ** 2))
    hashes = max(1, round(bits / max(1, len(every)) * math.log(2)))
    body = bytearray(-(-bits // 8))
    room = len(body) * 8
    hashes = min(hashes, _MOST_HASHES)
    for name in every:
        first, second = _hashes(name)
        for turn in range(hashes):
            place = (first + turn * second) % room
            body[place >> 3] |= 1 << (place & 7)
    count = len(every)
    return _file(bytes(body), ecosystem=ecosystem, kind=kind, count=count, made=made, source=source, hashes=hashes)


def read(data: bytes) -> Filter:
    """Return the set that a file holds.

    Raises:
        BadInputError: It is no such file.
    """
    magic, _, rest = data.partition(b"\n")
    first, newline, body = rest.partition(b"\n")
    if magic + b"\n" != MAGIC or not newline:
        raise BadInputError("this is no file of facts", fix="Make it again: outrider facts update --from FILE.")
    try:
        head = msgspec.json.decode(first, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "Make it again: outrider facts update --from FILE."
        raise BadInputError(f"the head of this file of facts cannot be read: {error}", fix=fix) from error
    fits = 0 < head.hashes <= _MOST_HASHES or (not head.hashes and len(body) == head.count * _WIDTH)
    if not fits or hashlib.sha256(body).hexdigest() != head.digest:
        raise BadInputError("this file of facts is damaged", fix="Make it again: outrider facts update --from FILE.")
    return Filter(head, body)


def _file(body: bytes, **said: Any) -> bytes:
    head = Head(digest=hashlib.sha256(body).hexdigest(), **said)
    return MAGIC + msgspec.json.encode(head) + b"\n" + body


def _hashes(name: str) -> tuple[int, int]:
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
