"""Tiles on disk. Source: c2sp.org/tlog-tiles.

Everything here is derived from the journal: a lost or damaged tile is made again, and nothing waits for one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from outrider.ledger.disk import flush
from outrider.ledger.tree import HASH, WIDTH


def number(index: int) -> str:
    """Return a tile's number as a path: ``1234067`` is ``x001/x234/067``."""
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def _make(directory: Path) -> None:
    """Make a directory and its parents, all private; ``Path.mkdir`` gives its mode to the last one only."""
    if not directory.is_dir():
        _make(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the new one, whole.

    Args:
        path: Where to; its directory must exist.
        data: The content.
        durable: Whether the content is flushed to disk before the name points at it.

    Raises:
        OSError: The disk refuses; the old file still stands.
    """
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if durable:
            flush(fd)
    finally:
        os.close(fd)
    new.replace(path)


class TileStore:
    """The tiles of one record, under ``<record>/tile``."""

    def __init__(self, directory: Path) -> None:
        self._where = directory / "tile"

    def full(self, level: int, index: int) -> bytes | None:
        """Return the 8,192 bytes of a full hash tile, or None if it is not there whole."""
        try:
            data = (self._where / str(level) / number(index)).read_bytes()
        except OSError:
            return None
        return data if len(data) == WIDTH * HASH else None

    def put(self, level: int, index: int, data: bytes) -> None:
        """Write a full hash tile.

        Raises:
            OSError: The disk refuses.
        """
        self._put(self._where / str(level) / number(index), data)

    def put_partial(self, level: int, index: int, data: bytes) -> None:
        """Write the partial hash tile at the right edge of ``level``, in place of the partial ones before it.

        Raises:
            OSError: The disk refuses.
        """
        self._put_partial(self._where / str(level) / number(index), len(data) // HASH, data)

    def has_bundle(self, index: int) -> bool:
        """Return whether full entry bundle ``index`` is there."""
        return (self._where / "entries" / number(index)).is_file()

    def put_bundle(self, index: int, leaves: Iterable[bytes]) -> None:
        """Write entry bundle ``index``: up to 256 leaves, each behind its length as two bytes.

        Raises:
            OSError: The disk refuses.
        """
        packed = [len(leaf).to_bytes(2, "big") + leaf for leaf in leaves]
        path = self._where / "entries" / number(index)
        if len(packed) == WIDTH:
            self._put(path, b"".join(packed))
        else:
            self._put_partial(path, len(packed), b"".join(packed))

    def _put(self, path: Path, data: bytes) -> None:
        _make(path.parent)
        write_atomically(path, data)
        shutil.rmtree(f"{path}.p", ignore_errors=True)

    def _put_partial(self, path: Path, width: int, data: bytes) -> None:
        partial = path.with_name(path.name + ".p")
        _make(partial)
        write_atomically(partial / str(width), data)
        for older in partial.iterdir():
            if older.name != str(width):
                older.unlink(missing_ok=True)
