"""A file that another program appends lines to, read on from where the last look ended."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_READ = 16 * 1024 * 1024
"""Most bytes read at one look; the rest is read at the next."""


class Followed:
    """A file that is read on from where the last look ended. Not to be read by two at once.

    The file is another user's, who could shorten or replace it: one that is shorter than it was is read from its
    beginning, and a link in its place is followed as its owner follows it.

    Attributes:
        path: The file.
        at: How many bytes of it were read; while a line is taken, up to its end.
        denied: Why it could not be read the last time, or empty; a file that is not there yet denies nothing.
    """

    def __init__(self, path: str, take: Callable[[bytes], None], at: int = 0) -> None:
        self.path = path
        self.at = at
        self.denied = ""
        self._take_line = take
        self._within = False

    def behind(self) -> int:
        """Return how many bytes there are to read; 0 where nothing can be."""
        try:
            known = os.stat(self.path)  # noqa: PTH116 - every microsecond is in a call's way
        except (OSError, ValueError):
            return 0
        if not stat.S_ISREG(known.st_mode):
            return 0
        return known.st_size - self.at if known.st_size >= self.at else known.st_size

    def read(self) -> None:
        """Take the whole lines that came since; at most :data:`MOST_READ` bytes of them."""
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            self.denied = ""
            return
        except (OSError, ValueError) as error:
            self.denied = str(getattr(error, "strerror", None) or error)
            return
        self.denied = ""
        try:
            known = os.fstat(handle)
            if stat.S_ISREG(known.st_mode):
                if known.st_size < self.at:
                    self.at, self._within = 0, False
                self._take(os.pread(handle, MOST_READ, self.at))
        except OSError:
            return
        finally:
            os.close(handle)

    def _take(self, data: bytes) -> None:
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) < MOST_READ:
            return
        if not whole:
            self._within = True
            self.at += len(data)
            return
        for line in data[: whole - 1].split(b"\n"):
            self.at += len(line) + 1
            if self._within:
                self._within = False  # The rest of a line that was too long to be read.
            elif line:
                self._take_line(line)
