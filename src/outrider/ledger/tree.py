"""The Merkle tree of the record: RFC 6962 over SHA-256, kept as tiles of 256 hashes.

Only what is still growing stays in memory: one partial tile a level and the roots of the complete subtrees on the
right edge. A full tile is handed to the store of tiles and read back when a proof needs it; what comes back is
believed only if it hashes to what the level above says. Ten million events therefore cost some tens of kilobytes of
memory and 32 bytes each on disk, in the layout of c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

from outrider.errors import BadInputError, TamperedError

HASH = 32
WIDTH = 256
"""Hashes in a full tile."""

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""

_SPAN = 8
_CACHED = 64


class TileSource(Protocol):
    """Where full tiles come from once they have left memory."""

    def full(self, level: int, index: int) -> bytes | None:
        """Return the 8,192 bytes of a full tile as it was kept, or None if it is not to be had."""

    def again(self, level: int, index: int) -> bytes:
        """Return the 8,192 bytes of a full tile made anew from the leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf. Source: RFC 6962, 2.1."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node. Source: RFC 6962, 2.1."""
    return sha256(b"\1" + left + right).digest()


def fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root over the complete subtrees of a tree, largest first."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def subtree(hashes: bytes) -> bytes:
    """Return the root over a power of two of concatenated hashes."""
    while len(hashes) > HASH:
        pairs = range(0, len(hashes), 2 * HASH)
        hashes = b"".join([sha256(b"\1" + hashes[at : at + 2 * HASH]).digest() for at in pairs])
    return bytes(hashes)


class Tree:
    """An append-only RFC 6962 tree.

    Attributes:
        size: Number of leaves.
        fresh: Full tiles by ``(level, index)`` that the store of tiles does not have yet; whoever stores one removes
            it here.
    """

    def __init__(self, source: TileSource) -> None:
        self.size = 0
        self.fresh: dict[tuple[int, int], bytes] = {}
        self._source = source
        self._peaks: list[bytes] = []
        self._partial: list[bytearray] = [bytearray()]
        self._cache: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, largest first; :func:`fold` makes the root of them."""
        return tuple(self._peaks)

    def append(self, hashed: bytes) -> None:
        """Append the hash of a leaf."""
        size, peaks, level = self.size, self._peaks, 0
        self._partial[0] += hashed
        while size >> level & 1:
            hashed = sha256(b"\1" + peaks.pop() + hashed).digest()
            level += 1
            if level % _SPAN == 0:
                self._climb(level // _SPAN, hashed)
        peaks.append(hashed)
        self.size = size + 1

    def _climb(self, level: int, hashed: bytes) -> None:
        below = self._partial[level - 1]
        self.fresh[level - 1, (self.size >> (_SPAN * level))] = bytes(below)
        below.clear()
        if level == len(self._partial):
            self._partial.append(bytearray())
        self._partial[level] += hashed

    def restore(self, size: int) -> None:
        """Take over the first ``size`` leaves from the store of tiles; ``size`` is a multiple of 256.

        The caller compares :meth:`root` with one that was signed before it believes the result.

        Raises:
            TamperedError: A tile is gone and can not be made again.
        """
        self.fresh.clear()
        self._cache.clear()
        partials: list[bytearray] = [bytearray()]
        below = size
        for level in range(8):
            below //= WIDTH
            if not below:
                break
            row = bytearray()
            for index in range(below - below % WIDTH, below):
                row += subtree(self._source.full(level, index) or self._source.again(level, index))
            partials.append(row)
        self._partial, self.size = partials, size
        self._peaks = self._edge(size)

    def _edge(self, size: int) -> list[bytes]:
        peaks, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                peaks.append(self.node(level, start >> level))
                start += 1 << level
        return peaks

    def node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree ``index`` of height ``level``.

        Raises:
            TamperedError: A stored tile does not hash to what the level above says, or is gone.
        """
        tier, height = divmod(level, _SPAN)
        tile, at = divmod(index << height, WIDTH)
        if tile == self.size >> (_SPAN * (tier + 1)):
            row = self._partial[tier]
            return subtree(bytes(row[at * HASH : (at + (1 << height)) * HASH]))
        rows = self._rows(tier, tile)
        where = at >> height
        return rows[height][where * HASH : (where + 1) * HASH]

    def _rows(self, tier: int, tile: int) -> list[bytes]:
        rows = self._cache.get((tier, tile))
        if rows is not None:
            self._cache.move_to_end((tier, tile))
            return rows
        expected = self.node(_SPAN * (tier + 1), tile)
        rows = _expand(self.fresh.get((tier, tile)) or self._source.full(tier, tile) or b"")
        if rows[-1] != expected:
            rows = _expand(self._source.again(tier, tile))
        if rows[-1] != expected:
            first, last = tile << (_SPAN * (tier + 1)), ((tile + 1) << (_SPAN * (tier + 1))) - 1
            raise TamperedError(
                f"one of the events {first} to {last} is not what it was",
                fix="Run `outrider verify`; do not delete anything.",
            )
        self._cache[tier, tile] = rows
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return rows

    def partial(self, level: int, size: int) -> bytes:
        """Return the hashes of the last, partial tile of ``level`` in the tree of the first ``size`` leaves."""
        count = size >> (_SPAN * level)
        first = count - count % WIDTH
        return b"".join(self.node(_SPAN * level, index) for index in range(first, count))

    def root(self, size: int) -> bytes:
        """Return the root of the first ``size`` leaves.

        Raises:
            BadInputError: The tree is smaller.
        """
        self._within(size)
        return fold(self._peaks if size == self.size else self._edge(size))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the inclusion proof of leaf ``index`` in the tree of ``size`` leaves. Source: RFC 6962, 2.1.1.

        Raises:
            BadInputError: There is no such leaf or no such tree.
        """
        self._within(size)
        if not 0 <= index < size:
            raise BadInputError(f"there is no event {index} among the first {size}")
        path: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``new`` leaves extends that of ``old``. Source: RFC 6962, 2.1.2.

        Empty for ``old`` 0 or equal to ``new``.

        Raises:
            BadInputError: Not ``0 <= old <= new <= size``.
        """
        self._within(new)
        if not 0 <= old <= new:
            raise BadInputError(f"a tree of {new} events does not extend one of {old}")
        if old in (0, new):
            return ()
        path: list[bytes] = []
        low, high, known = 0, new, True
        while old != high - low:
            half = _split(high - low)
            if old <= half:
                path.append(self._range(low + half, high))
                high = low + half
            else:
                path.append(self._range(low, low + half))
                low, old, known = low + half, old - half, False
        if not known:
            path.append(self._range(low, high))
        return tuple(reversed(path))

    def _range(self, low: int, high: int) -> bytes:
        """Return the root over leaves ``low`` to ``high``, where ``low`` starts a subtree at least that large."""
        peaks = []
        while low < high:
            level = (high - low).bit_length() - 1
            peaks.append(self.node(level, low >> level))
            low += 1 << level
        return fold(peaks)

    def _within(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise BadInputError(f"the record holds {self.size} events, not {size}")


def _expand(tile: bytes) -> list[bytes]:
    """Return every row of subtree roots over a full tile, the tile itself first, its root last."""
    rows = [tile]
    while len(row := rows[-1]) > HASH:
        pairs = range(0, len(row), 2 * HASH)
        rows.append(b"".join([sha256(b"\1" + row[at : at + 2 * HASH]).digest() for at in pairs]))
    return rows


def _split(count: int) -> int:
    """Return the largest power of two smaller than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)
