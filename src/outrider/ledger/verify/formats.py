"""The formats of the record, read a second time for the verifier: nothing here is shared with the writer.

A mistake in the writer's own parser, tree or note must not be able to hide in the check of it. Sources: RFC 6962,
c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-tiles, and docs/record.md for the journal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256 as _sha256
from typing import NamedTuple
from zlib import crc32 as _crc32

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from outrider.errors import BadInputError

SEGMENT_HEAD = 12
TILE = 256
"""Hashes in a tile."""

_HEADER = struct.Struct(">IIIQQ")
_HEAD, _unpack = _HEADER.size, _HEADER.unpack_from
_LEAF_MOST, _BESIDE_MOST = 0xFFFF, 0x100000


@dataclass(frozen=True)
class Key:
    """A verifier key: ``name``, the four bytes that notes name it by, and the public key."""

    name: str
    hint: bytes
    public: Ed25519PublicKey


def parse_vkey(text: str) -> Key:
    """Return the key in ``name+hash+base64``.

    Raises:
        BadInputError: It is none, or not Ed25519.
    """
    try:
        name, hint, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        named = bytes.fromhex(hint)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("a verifier key reads name+hash+base64") from error
    if len(raw) != 33 or raw[0] != 1:
        raise BadInputError("the verifier key is not an Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4] != named:
        raise BadInputError("the verifier key's hash is not that of its key")
    return Key(name, named, Ed25519PublicKey.from_public_bytes(raw[1:]))


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: the log, how many leaves, their root."""

    origin: str
    size: int
    root: bytes


def open_note(text: str, key: Key) -> Head:
    """Return what a checkpoint says, if ``key`` signed it.

    Raises:
        BadInputError: It is malformed, or not signed by ``key``. The message says which.
    """
    split = text.rfind("\n\n")
    if split < 0 or not text.endswith("\n"):
        raise BadInputError("it is not a signed note")
    body, signatures = text[: split + 1], text[split + 2 : -1].split("\n")
    _check_signature(body, signatures, key)
    lines = body.split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as error:
        raise BadInputError("it does not say origin, size and root") from error
    if lines[1] != str(size) or size < 0 or len(root) != 32:
        raise BadInputError("its size or root is malformed")
    return Head(origin, size, root)


def _check_signature(body: str, signatures: list[str], key: Key) -> None:
    for line in signatures:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if dash != "\u2014" or name != key.name:
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadInputError("its signature is malformed") from error
        if raw[:4] != key.hint:
            continue
        try:
            key.public.verify(raw[4:], body.encode())
        except InvalidSignature as error:
            raise BadInputError("its signature does not hold") from error
        return
    raise BadInputError("it is not signed by the key that was asked for")


class Roots:
    """The roots of a growing RFC 6962 tree, and its tiles of 256 hashes as they fill.

    Attributes:
        size: Number of leaves so far.
        rows: Of every level the hashes that are in no full tile yet; of the first, those of leaves.
    """

    def __init__(self, filled: Callable[[int, int, list[bytes]], None] | None = None) -> None:
        """Begin an empty tree; ``filled`` is told the level, the number and the hashes of every full tile."""
        self.size = 0
        self.rows: list[list[bytes]] = [[]]
        self._filled = filled

    @staticmethod
    def of_leaf(leaf: bytes) -> bytes:
        """Return the hash of a leaf."""
        return _sha256(b"\x00" + leaf).digest()

    @staticmethod
    def of_pair(left: bytes, right: bytes) -> bytes:
        """Return the hash of an inner node."""
        return _sha256(b"\x01" + left + right).digest()

    def add(self, hashed: bytes) -> None:
        """Take in the hash of the next leaf."""
        row = self.rows[0]
        row.append(hashed)
        self.size += 1
        if len(row) == TILE:
            self._fill()

    def extend(self, hashes: list[bytes]) -> None:
        """Take in the hashes of the next leaves."""
        at = 0
        while at < len(hashes):
            row = self.rows[0]
            some = hashes[at : at + TILE - len(row)]
            row += some
            at += len(some)
            self.size += len(some)
            if len(row) == TILE:
                self._fill()

    def _fill(self) -> None:
        level = 0
        while len(row := self.rows[level]) == TILE:
            if self._filled is not None:
                self._filled(level, (self.size >> (8 * (level + 1))) - 1, row)
            self.rows[level] = []
            level += 1
            if level == len(self.rows):
                self.rows.append([])
            self.rows[level].append(_top(row))

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        trees: list[bytes] = []
        for row in reversed(self.rows):
            at = 0
            for height in range(7, -1, -1):
                if len(row) >> height & 1:
                    trees.append(_top(row[at : at + (1 << height)]))
                    at += 1 << height
        if not trees:
            return _sha256().digest()
        root = trees.pop()
        while trees:
            root = self.of_pair(trees.pop(), root)
        return root


def _top(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    while len(hashes) > 1:
        pairs = iter(hashes)
        hashes = [_sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return hashes[0]


class Piece(NamedTuple):
    """What stands where a frame of event ``n`` should: ``sound`` is whether its checksum holds."""

    n: int
    group: int
    leaf: bytes
    beside: bytes
    end: int
    sound: bool


def piece_at(data: bytes, at: int) -> Piece | None:
    """Return what stands at ``data[at:]``, if it has the shape of a frame, sound or not."""
    begin = at + _HEAD
    if begin > len(data):
        return None
    crc, leaf_size, beside_size, index, group = _unpack(data, at)
    middle = begin + leaf_size
    end = middle + beside_size
    if leaf_size == 0 or leaf_size > _LEAF_MOST or beside_size > _BESIDE_MOST or end > len(data):
        return None
    return Piece(index, group, data[begin:middle], data[middle:end], end, _crc32(data[at + 4 : end]) == crc)


def latest_group(data: bytes, at: int, lost: int) -> int:
    """Return the highest commit group of any sound frame that stands anywhere behind ``data[at:]``, or -1.

    If it is above ``lost``, the index of a damaged event, then the commit of ``lost`` had been flushed before that
    frame was written, and what is wrong there is not the tail of a crash.
    """
    near = lost.to_bytes(8, "big")[:4]
    until = len(data.rstrip(b"\0")) + _HEAD  # A frame may end in zeros itself.
    latest, found = -1, data.find(near, at + 12, until)
    while found >= 0:
        piece = piece_at(data, found - 12)
        if piece is not None and piece.sound:
            latest = max(latest, piece.group)
        found = data.find(near, found + 1, until)
    return latest


def segment_head(data: bytes) -> int | None:
    """Return the index of a segment's first event, or None if its first bytes are not a segment's."""
    if data[:4] != b"ORJ1" or len(data) < SEGMENT_HEAD:
        return None
    return int.from_bytes(data[4:SEGMENT_HEAD], "big")


def tile_path(index: int) -> str:
    """Return a tile's number as a path."""
    text = f"{index:d}"
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[at : at + 3] for at in range(0, len(text), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
