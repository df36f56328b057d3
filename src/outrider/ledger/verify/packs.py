"""Packed segments, unpacked a second time for the verifier: nothing here is shared with what packs them.

A pack is a skippable frame of zstd's (RFC 8878, 3.1.2) with an index in it, and behind it one zstd frame a block:
docs/record.md has the layout. Memory is bounded by the format, whatever an index says.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from outrider.errors import BadInputError

SUFFIX = ".seg.zst"
FOLDER = "pack"

_SKIPPABLE = b"\x57\x2a\x4d\x18"
_INDEX_MOST = 1 << 16
_BLOCK_MOST = 3 << 20
_SEGMENT_MOST = 1 << 26
_WINDOW_MOST = 1 << 22


class Block(NamedTuple):
    """What a pack says of one of its blocks, and what that block unpacks to.

    Attributes:
        number: Which one, from 0.
        first: Index of its first event.
        events: Number of events in it.
        data: Its bytes of the segment; None where they cannot be had.
        why: Then, why not.
        last: Whether none comes behind it.
    """

    number: int
    first: int
    events: int
    data: bytes | None
    why: str
    last: bool


def pack_of(segment: Path) -> Path:
    """Return where the pack of a segment is that was there a moment ago."""
    return segment.parents[1] / FOLDER / f"{segment.stem}{SUFFIX}"


def first_of(path: Path) -> int | None:
    """Return the index in a pack's name; None if it has another name than packs have."""
    stem = path.name.removesuffix(SUFFIX)
    return int(stem) if stem != path.name and len(stem) == 20 and stem.isdecimal() else None


def size_of(path: Path) -> int:
    """Return how many bytes a pack says that it unpacks to; those of the file where it says nothing."""
    with path.open("rb") as file:
        data = file.read(32)
    size = int.from_bytes(data[20:28], "big")
    return size if data[:4] == _SKIPPABLE and 0 < size <= _SEGMENT_MOST else path.stat().st_size


def blocks(path: Path, first: int) -> Iterator[Block]:
    """Yield the blocks of a pack, each unpacked.

    Args:
        path: The pack.
        first: The index in its name.

    Raises:
        BadInputError: Its index cannot be believed, so that nothing in it can be. The message says why.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        rows, at = _index(file, first)
        length = file.seek(0, 2)
        event, promised = first, at + sum(row[0] for row in rows)
        for number, (packed, size, events, crc) in enumerate(rows):
            file.seek(at)
            data, why = _unpacked(file.read(packed), packed, size, crc)
            yield Block(number, event, events, data, why, number + 1 == len(rows))
            at, event = at + packed, event + events
        if length > promised:
            raise BadInputError(f"{length - promised} bytes stand behind its last block")


def _index(file: BinaryIO, first: int) -> tuple[list[tuple[int, int, int, int]], int]:
    """Return packed size, size, events and checksum of each block, and where the first one begins."""
    start = file.read(8)
    size = int.from_bytes(start[4:], "little")
    if start[:4] != _SKIPPABLE or size > _INDEX_MOST:
        raise BadInputError("it does not begin with an index")
    index = file.read(size)
    if len(index) < size or size < 28:
        raise BadInputError("it is cut short in its index")
    if zlib.crc32(index[:-4]) != int.from_bytes(index[-4:], "big"):
        raise BadInputError("the checksum of its index does not hold")
    named, whole, count = (int.from_bytes(index[a:b], "big") for a, b in ((4, 12), (12, 20), (20, 24)))
    if index[:4] != b"ORP1" or named != first:
        raise BadInputError("its index is of another segment" if index[:4] == b"ORP1" else "its index is of no pack")
    rows = list(struct.iter_unpack(">4I", index[24:-4])) if (size - 28) % 16 == 0 else []
    if len(rows) != count or not rows:
        raise BadInputError("its index does not hold as many blocks as it says")
    for packed, raw, events, _ in rows:
        if not (0 < packed <= 2 * _BLOCK_MOST and 0 < raw <= _BLOCK_MOST and 0 < events * 28 < raw):
            raise BadInputError("its index names a block of a size that none has")
    if sum(row[1] for row in rows) != whole or whole > _SEGMENT_MOST:
        raise BadInputError("the blocks of its index do not add up to the segment")
    return rows, 8 + size


def _unpacked(data: bytes, packed: int, size: int, crc: int) -> tuple[bytes | None, str]:
    if len(data) < packed:
        return None, "the pack is cut short"
    if zlib.crc32(data) != crc:
        return None, "its checksum does not hold"
    try:
        if zstandard.frame_content_size(data) != size:  # What it says bounds what one call of zstd makes of it.
            return None, "it unpacks to another size than the index says"
        made = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MOST).decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        return None, f"zstd refuses it: {error}"
    return (made, "") if len(made) == size else (None, "it unpacks to another size than it says")
