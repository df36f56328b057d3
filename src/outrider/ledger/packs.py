"""Packed segments: a closed segment of the journal, compressed so that one event is read without the others.

A pack is ``pack/N.seg.zst``: a file that ``zstd -d`` makes into the segment, byte for byte. It begins with a skippable
frame that holds the index; behind it stand blocks, each a zstd frame of its own, of whole frames of the journal::

    0x184D2A57 u32 | size u32                                                          (little-endian, as zstd has it)
    "ORP1" | first event u64 | size of the segment u64 | number of blocks u32
    for each block: packed size u32 | size u32 | events u32 | crc32(packed) u32
    crc32(index) u32                                                                   (all of the index big-endian)

The first block begins with the segment's head, and the last one ends with the zeros behind the last event. What an
index says is not believed: sizes are bounded before anything is unpacked, and where its events lead is checked. Source
of the outer format: RFC 8878.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import zstandard

from outrider.errors import BadInputError, TamperedError
from outrider.ledger.frame import HEADER, MAX_BESIDE, MAX_LEAF, Frame, lengths, unpack

SUFFIX = ".seg.zst"
FOLDER = "pack"
"""Where packs lie, beside the journal's own directory."""

BLOCK = 256 << 10
"""Bytes of the segment behind which the next block begins."""

LEVEL = 3
"""How hard zstd tries. Digests and fingerprints do not get smaller: level 15 wins another hundredth."""
MOST = 64 << 20
"""Largest segment in bytes that is packed; those that the journal makes are a quarter of it."""

LARGEST = HEADER + MAX_LEAF + MAX_BESIDE
"""Largest frame of the journal in bytes; the zeros behind the last one of a closed segment are fewer."""

_MAGIC = struct.pack("<I", 0x184D2A57)
_NAME = b"ORP1"
_START = struct.Struct(">4sQQI")
_BLOCK = struct.Struct(">IIII")
_CRC = struct.Struct(">I")
_SKIP = 8
_MOST_BLOCKS = 4096
_MOST_RAW = BLOCK + 2 * LARGEST
_WINDOW = 1 << 22
_KEPT = 8
_HEAD = 12


class Block(NamedTuple):
    """One block: events ``first`` on, at ``at`` in the pack, which become the bytes from ``start`` of the segment."""

    first: int
    events: int
    at: int
    packed: int
    start: int
    size: int
    crc: int


class Index(NamedTuple):
    """What a pack says of itself."""

    first: int
    size: int
    blocks: tuple[Block, ...]

    @property
    def events(self) -> int:
        """Number of events in it."""
        return self.blocks[-1].first + self.blocks[-1].events - self.first


def pack_path(directory: Path, first: int) -> Path:
    """Return the path of the pack whose first event is ``first``, in the record under ``directory``."""
    return directory / FOLDER / f"{first:020d}{SUFFIX}"


def packed_instead(segment: Path) -> Path:
    """Return where the pack of a segment is that is not in the journal any more."""
    return pack_path(segment.parent.parent, int(segment.stem))


def pack_segment(data: bytes, first: int, count: int, *, block: int = BLOCK, level: int = LEVEL) -> bytes:
    """Return the pack of a closed segment.

    Args:
        data: All of the segment's bytes.
        first: Index of its first event.
        count: Number of events in it.
        block: A block ends with the first event that brings it to so many bytes.
        level: How hard zstd tries.

    Raises:
        BadInputError: The segment does not hold exactly those events, whole and with zeros behind them.
    """
    if len(data) > MOST:
        raise BadInputError(f"it has {len(data)} bytes, and a segment of more than {MOST} is not packed")
    ends, at = [(0, 0)], _HEAD
    for event in range(first, first + count):
        frame = unpack(data, at)
        if frame is None or frame.n != event:
            raise BadInputError(f"event {event} is damaged or gone")
        at = frame.end
        if at - ends[-1][0] >= block or event == first + count - 1:
            ends.append((at, event + 1 - first))
    if data[at:].strip(b"\0") or len(data) - at > LARGEST or count == 0:
        raise BadInputError("what stands behind its last event is not what a closed segment ends with")
    ends[-1] = (len(data), count)
    compress = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True).compress
    blocks: list[bytes] = []
    index = _START.pack(_NAME, first, len(data), len(ends) - 1)
    for (start, before), (end, after) in pairwise(ends):
        blocks.append(compress(data[start:end]))
        index += _BLOCK.pack(len(blocks[-1]), end - start, after - before, crc32(blocks[-1]))
    index += _CRC.pack(crc32(index))
    return b"".join((_MAGIC, struct.pack("<I", len(index)), index, *blocks))


def read_index(path: Path, first: int) -> Index:
    """Return the index of a pack.

    Raises:
        TamperedError: It is not that of a whole pack of the segment whose first event is ``first``.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(_SKIP)
        size = int.from_bytes(head[4:], "little")
        if head[:4] != _MAGIC or not 0 <= size - _START.size - _CRC.size <= _MOST_BLOCKS * _BLOCK.size:
            raise damaged(path, "it does not begin as a pack does")
        index = file.read(size)
    if len(index) != size or crc32(index[: -_CRC.size]) != _CRC.unpack(index[-_CRC.size :])[0]:
        raise damaged(path, "its index is damaged")
    name, named, whole, count = _START.unpack_from(index)
    if name != _NAME or named != first or len(index) != _START.size + count * _BLOCK.size + _CRC.size:
        raise damaged(path, "its index is not that of a pack of this name")
    blocks, at, start, event = [], _SKIP + size, 0, first
    for packed, raw, events, crc in _BLOCK.iter_unpack(index[_START.size : -_CRC.size]):
        if not 0 < raw <= _MOST_RAW or not 0 < events <= raw // HEADER or not 0 < packed <= 2 * _MOST_RAW:
            raise damaged(path, "its index names blocks that no pack has")
        blocks.append(Block(event, events, at, packed, start, raw, crc))
        at, start, event = at + packed, start + raw, event + events
    if not blocks or start != whole or whole > MOST or at != length:
        raise damaged(path, f"its index does not add up: it is of {at} bytes, and the file has {length}")
    return Index(first, whole, tuple(blocks))


def damaged(path: Path, why: str) -> TamperedError:
    """Return the error that says that a pack is not what was written."""
    return TamperedError(f"{path}: {why}", fix="Run `outrider verify`; do not delete anything.")


class Packs:
    """Reads events out of packs; keeps the indexes that it met, and the few blocks that it unpacked last."""

    def __init__(self) -> None:
        self._index = lru_cache(maxsize=1024)(read_index)
        self._block = lru_cache(maxsize=_KEPT)(_unpacked)

    def count(self, path: Path, first: int) -> int:
        """Return the number of events in a pack.

        Raises:
            TamperedError: Its index is damaged.
            OSError: It cannot be read.
        """
        return self._index(path, first).events

    def frames(self, path: Path, first: int, start: int) -> Iterator[Frame]:
        """Yield the frames of a pack from event ``start`` on; none if it is not there.

        Raises:
            TamperedError: A block or the index is damaged, or does not hold what the index says.
            OSError: The pack cannot be read.
        """
        blocks = self._index(path, first).blocks
        for number in range(bisect_right(blocks, start, key=lambda one: one.first) - 1, len(blocks)):
            block = blocks[number]
            data, at = self._block(path, number, block), _HEAD if not number else 0
            skipped = max(start - block.first, 0)
            if skipped:
                at = next(iter(lengths(data, at, skipped + 1, skipped)[1:]), len(data))
            for index in range(block.first + skipped, block.first + block.events):
                frame = unpack(data, at, block.start)
                if frame is None or frame.n != index:
                    raise damaged(path, f"event {index} does not stand in block {number}, where the index has it")
                at = frame.end - block.start
                yield frame
            if at != len(data) and (number + 1 < len(blocks) or data[at:].strip(b"\0")):
                raise damaged(path, f"block {number} does not end where the index says")


def _unpacked(path: Path, number: int, block: Block) -> bytes:
    """Return what a block unpacks to, in bounded memory."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        packed = os.pread(fd, block.packed, block.at)
    finally:
        os.close(fd)
    where = f"block {number} (events {block.first} to {block.first + block.events - 1})"
    if len(packed) != block.packed or crc32(packed) != block.crc:
        raise damaged(path, f"{where} is damaged")
    try:
        if zstandard.frame_content_size(packed) != block.size:
            raise damaged(path, f"{where} is not of the size that the index has")
        data = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise damaged(path, f"{where} cannot be unpacked: {error}") from error
    if len(data) != block.size:
        raise damaged(path, f"{where} is not of the size that the index has")
    return data
