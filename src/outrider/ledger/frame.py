"""One event on disk: a frame, and a walk over frames that never trusts what it reads.

A frame is 28 bytes of header, the leaf, and what lies beside it::

    crc32(rest) u32 | len(leaf) u32 | len(beside) u32 | index u64 | group u64 | leaf | beside      (big-endian)

``group`` is the index of the first event of the commit that the frame was written with. A commit is written only
after the one before it had been flushed, so a valid frame of a later group proves that everything before its group
had been durable. That is how a tail torn by a crash is told from damage to events that had been acknowledged.
A leaf is never empty, so preallocated space (zeros) is never a frame.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple
from zlib import crc32

from outrider.errors import BadInputError

MAX_LEAF = 65_535
"""Largest leaf in bytes. Source: c2sp.org/tlog-tiles, entry bundles have a 16-bit length."""

MAX_BESIDE = 1 << 20
"""Largest beside in bytes."""

_REST = struct.Struct(">IIQQ")
_CRC = struct.Struct(">I")
HEADER = _CRC.size + _REST.size
_CHUNK = 1 << 18


class Frame(NamedTuple):
    """A frame of event ``n`` that was read and whose checksum holds. ``end`` is the file offset just behind it."""

    n: int
    group: int
    leaf: bytes
    beside: bytes
    end: int


def pack(index: int, group: int, leaf: bytes, beside: bytes) -> bytes:
    """Return the frame of an event.

    Raises:
        BadInputError: The leaf is empty or larger than :data:`MAX_LEAF`, or the beside than :data:`MAX_BESIDE`.
    """
    if not 0 < len(leaf) <= MAX_LEAF:
        raise BadInputError(f"a leaf holds 1 to {MAX_LEAF} bytes, this one {len(leaf)}")
    if len(beside) > MAX_BESIDE:
        raise BadInputError(f"what lies beside a leaf holds at most {MAX_BESIDE} bytes, this {len(beside)}")
    rest = _REST.pack(len(leaf), len(beside), index, group)
    return b"".join((_CRC.pack(crc32(beside, crc32(leaf, crc32(rest)))), rest, leaf, beside))


def unpack(data: bytes, at: int = 0, base: int = 0) -> Frame | None:
    """Return the frame at ``data[at:]``, or None if none stands there whole. ``base`` is added to its ``end``."""
    if len(data) - at < HEADER:
        return None
    leaf_size, beside_size, index, group = _REST.unpack_from(data, at + 4)
    middle = at + HEADER + leaf_size
    end = middle + beside_size
    if not 0 < leaf_size <= MAX_LEAF or beside_size > MAX_BESIDE or end > len(data):
        return None
    if crc32(data[at + 4 : end]) != _CRC.unpack_from(data, at)[0]:
        return None
    return Frame(index, group, data[at + HEADER : middle], data[middle:end], base + end)


class Walk:
    """Walks the frames of one segment from an offset, in bounded memory.

    Attributes:
        end: Offset just behind the last good frame.
        stopped: Why the walk ended: ``blank`` (zeros or the end of the file) or ``bad`` (something that is no frame).
    """

    def __init__(self, fd: int, offset: int) -> None:
        self._fd = fd
        self.end = offset
        self.stopped: Literal["", "blank", "bad"] = ""

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames whose checksum holds, until something else stands there.

        Raises:
            OSError: The file cannot be read.
        """
        data, base = b"", self.end
        while True:
            at = self.end - base
            if len(data) - at < HEADER or self._wants(data, at) > len(data) - at:
                base = self.end
                data, at = self._load(), 0
            frame = unpack(data, at, base)
            if frame is None:
                self.stopped = "bad" if any(data[at : at + HEADER]) else "blank"
                return
            self.end = frame.end
            yield frame

    def _load(self) -> bytes:
        data = os.pread(self._fd, _CHUNK, self.end)
        wants = self._wants(data, 0) if len(data) >= HEADER else 0
        while len(data) < wants and (more := os.pread(self._fd, wants - len(data), self.end + len(data))):
            data += more
        return data

    @staticmethod
    def _wants(data: bytes, at: int) -> int:
        leaf_size, beside_size, _, _ = _REST.unpack_from(data, at + 4)
        return HEADER + min(int(leaf_size), MAX_LEAF) + min(int(beside_size), MAX_BESIDE)


def hop(fd: int, offset: int, count: int, every: int = 1) -> list[int]:
    """Return the offsets of every ``every``-th of ``count`` frames from ``offset`` on, going by their lengths alone.

    Nothing is checked: whoever reads at one of them checks what stands there. Shorter if the lengths lead nowhere.
    """
    data = os.pread(fd, os.fstat(fd).st_size - offset, offset)
    return [offset + at for at in lengths(data, 0, count, every)]


def lengths(data: bytes, at: int, count: int, every: int = 1) -> list[int]:
    """Return what :func:`hop` does, in ``data`` from ``at`` on."""
    found, end, sizes = [], len(data) - HEADER, struct.Struct(">II").unpack_from
    for index in range(count):
        if at > end:
            break
        if index % every == 0:
            found.append(at)
        leaf_size, beside_size = sizes(data, at + 4)
        at += HEADER + leaf_size + beside_size
    return found


def survivors(data: bytes, lost: int) -> Iterator[Frame]:
    """Yield every whole frame found anywhere in ``data`` whose index is above ``lost``, the index of a bad frame.

    Used only on damage: it looks at every offset at which a header could stand.
    """
    until = len(data.rstrip(b"\0")) + HEADER  # A frame may end in zeros itself.
    header = re.compile(rb"(?s)(?=.{4}\0\0.{2}\0[\0-\x10].{2}" + re.escape(_high(lost)) + rb")")
    for found in header.finditer(data, 0, until):
        frame = unpack(data, found.start())
        if frame is not None and frame.n > lost:
            yield frame


def _high(index: int) -> bytes:
    """Return the leading bytes that all indexes within 2**24 above ``index`` share."""
    low, high = index.to_bytes(8, "big"), (index + (1 << 24)).to_bytes(8, "big")
    return low[:5] if low[:5] == high[:5] else low[: next(at for at in range(5) if low[at] != high[at])]
