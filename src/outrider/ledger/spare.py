"""Files of zeros, made ahead of use.

Flushing into blocks that were written before needs no change to the file system's own tables: it takes two thirds of
the time, and waits for nobody else's files.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from threading import Thread

from outrider.ledger.disk import flush

_ZEROS = bytes(1 << 20)


class Spare:
    """The next segment, filled with zeros on a thread of its own while the current one is in use."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self._thread: Thread | None = None

    def prepare(self) -> None:
        """Start to fill a spare, if that has not been done."""
        if self._thread is None:
            self._thread = Thread(target=self._fill, name="outrider-spare", daemon=True)
            self._thread.start()

    def _fill(self) -> None:
        with contextlib.suppress(OSError):  # Then there is none, and whoever needs one says why.
            make_filled(self._path, self._size)

    def become(self, path: Path, least: int) -> bool:
        """Put the spare at ``path`` if there is one that holds at least ``least`` bytes; return whether."""
        if self._thread is None:
            return False
        self._thread.join()
        self._thread = None
        try:
            if self._path.stat().st_size < least:
                return False
            self._path.rename(path)
        except OSError:
            return False
        return True

    def discard(self) -> None:
        """Take the spare away."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._path.unlink(missing_ok=True)


def make_filled(path: Path, *sizes: int) -> None:
    """Make a file of zeros at ``path``, of the first of ``sizes`` for which there is space.

    Raises:
        OSError: There is space for none of them; nothing is left at ``path``.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        for at, size in enumerate(sizes):
            try:
                fill(fd, 0, size)
            except OSError:
                if at + 1 == len(sizes):
                    path.unlink()
                    raise
            else:
                return
    finally:
        os.close(fd)


def fill(fd: int, start: int, stop: int) -> None:
    """Cut the file at ``start``, fill it with zeros up to ``stop``, and flush them.

    A piece at a time, so that another file's flush never waits for all of it.

    Raises:
        OSError: There is no space.
    """
    os.ftruncate(fd, start)
    while start < stop:
        start += os.pwrite(fd, memoryview(_ZEROS)[: stop - start], start)
        flush(fd)
