"""Tiles made from the journal's bytes: entry bundles, and hash tiles that were lost or damaged."""

from __future__ import annotations

from contextlib import suppress

from outrider.ledger.journal import Journal
from outrider.ledger.tiles import TileStore
from outrider.ledger.tree import WIDTH, leaf_hash, subtree


class JournalTiles:
    """Where the tree finds full tiles: on disk, or once more from the journal."""

    def __init__(self, store: TileStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    def full(self, level: int, index: int) -> bytes | None:
        """Return the tile on disk, or None."""
        return self._store.full(level, index)

    def again(self, level: int, index: int) -> bytes:
        """Return the tile made again from the journal's bytes, and put it on disk.

        Raises:
            TamperedError: The journal is damaged.
        """
        first = index * WIDTH
        if level == 0:
            frames = self._journal.entries(first, first + WIDTH)
            data = b"".join(leaf_hash(frame.leaf) for frame in frames)
        else:
            below = (self.full(level - 1, at) or self.again(level - 1, at) for at in range(first, first + WIDTH))
            data = b"".join(map(subtree, below))
        with suppress(OSError):  # A tile that cannot be kept is made again the next time.
            self._store.put(level, index, data)
        return data


def put_bundles(store: TileStore, journal: Journal, size: int) -> None:
    """Write the entry bundles of the first ``size`` events that are not there yet, the partial one at the end too.

    Raises:
        OSError: The disk refuses.
        TamperedError: The journal is damaged.
    """
    first = size // WIDTH
    while first and not store.has_bundle(first - 1):
        first -= 1
    for bundle in range(first, -(-size // WIDTH)):
        start = bundle * WIDTH
        frames = journal.entries(start, min(start + WIDTH, size))
        store.put_bundle(bundle, [frame.leaf for frame in frames])
