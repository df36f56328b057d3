"""The single writer's lock on a record."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

from outrider.errors import UnavailableError


class Lock:
    """The single writer's lock on a record: ``flock`` on its directory, gone with the process that holds it."""

    def __init__(self, directory: Path) -> None:
        """Take the lock.

        Raises:
            UnavailableError: Another process holds it, or the directory cannot be opened.
        """
        try:
            self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UnavailableError(f"the record at {directory} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise UnavailableError(
                f"the record at {directory} is being written by another process",
                fix="Stop the other daemon, or read the record instead.",
            ) from error
        # A forked child shares the lock and would hold it on after the writer's death: it lets go at once.
        _held.add(self)

    def release(self) -> None:
        """Let the next writer in."""
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        self.forget()

    def forget(self) -> None:
        """Close this process's handle without unlocking the record for the process that it was forked from."""
        _held.discard(self)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)
