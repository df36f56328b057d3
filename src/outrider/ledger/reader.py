"""A read-only follower of the journal, for processes other than the writer's. Modifies nothing, ever."""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from outrider.errors import BadInputError, RecordError, TamperedError, UnavailableError
from outrider.ledger.frame import Frame, Walk, hop
from outrider.ledger.journal import DURABLE, HEAD, head, list_segments
from outrider.ledger.packs import SUFFIX, Packs, packed_instead


class ReadEntry(NamedTuple):
    """One event as it stands in the journal."""

    n: int
    leaf: bytes
    beside: bytes


class Reader:
    """Reads the durable events of the record under ``directory``, while its writer is at work or gone."""

    def __init__(self, directory: Path) -> None:
        """Follow the record under ``directory``.

        Raises:
            UnavailableError: There is no record.
        """
        self._directory = directory
        self._journal = directory / "journal"
        if not self._journal.is_dir():
            raise UnavailableError(f"there is no record at {directory}", fix="Start the daemon once: outrider up.")
        self._segments: list[tuple[int, Path]] = []
        self._packs = Packs()
        self._at = (0, -1, HEAD)  # The last event that was read up to: index, its segment, offset there.

    def size(self) -> int:
        """Return the number of durable events, as the writer says; without its word, of all that are whole.

        Raises:
            RecordError: The record cannot be read.
        """
        try:
            with (self._directory / DURABLE).open("rb") as file:
                said = file.read(8)
        except FileNotFoundError:
            return self._count()
        except OSError as error:
            raise RecordError(f"the record at {self._directory} cannot be read: {error.strerror}") from error
        return int(struct.unpack("=Q", said)[0]) if len(said) == 8 else self._count()

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[ReadEntry]:
        """Yield events from ``start`` up to ``stop``, or up to what is durable when the iteration begins.

        Reading on from where the last iteration ended costs nothing extra.

        Raises:
            BadInputError: ``start`` is negative, or ``stop`` is beyond what is durable.
            TamperedError: A durable event is damaged or gone.
            RecordError: The record cannot be read.
        """
        size = self.size()
        until = size if stop is None else stop
        if start < 0 or until > size:
            raise BadInputError(f"the record holds {size} durable events; {start} to {until} were asked for")
        try:
            while start < until:
                for frame in self._frames(start):
                    yield ReadEntry(frame.n, frame.leaf, frame.beside)
                    start = frame.n + 1
                    if start == until:
                        return
        except OSError as error:
            raise RecordError(f"the record at {self._directory} cannot be read: {error.strerror}") from error

    def _frames(self, start: int) -> Iterator[Frame]:
        """Yield the frames from ``start`` to the end of its segment; at least one."""
        place = bisect_right(self._segments, start, key=lambda s: s[0])
        if place == len(self._segments):  # In the last one that we know, or in one that is newer.
            self._segments = list_segments(self._journal)
            place = bisect_right(self._segments, start, key=lambda s: s[0])
        if not place:
            raise TamperedError(f"the journal does not hold event {start}")
        first, path = self._segments[place - 1]
        fd = self._open(place - 1)
        if fd < 0:
            yield from self._packed(first, self._segments[place - 1][1], start)
            return
        index, offset = (self._at[0], self._at[2]) if self._at[:2] == (start, first) else (first, HEAD)
        try:
            if os.pread(fd, HEAD, 0) != head(first):
                raise TamperedError(f"{path} does not begin as a segment of the journal does")
            if start > index:
                # Where the lengths lead nowhere, the walk from the segment's head finds out what is wrong, and where.
                there = hop(fd, offset, start - index + 1)
                index, offset = (start, there[-1]) if len(there) > start - index else (index, offset)
            found = False
            for frame in Walk(fd, offset):
                if frame.n != index:
                    break
                index += 1
                self._at = (index, first, frame.end)
                if frame.n >= start:
                    found = True
                    yield frame
        finally:
            os.close(fd)
        if not found:
            raise _gone(start)

    def _open(self, place: int) -> int:
        """Open a segment that is known; -1 where a pack has taken its place."""
        first, path = self._segments[place]
        if not path.name.endswith(SUFFIX):
            try:
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._segments[place] = first, packed_instead(path)
        return -1

    def _packed(self, first: int, path: Path, start: int) -> Iterator[Frame]:
        if start >= first + self._packs.count(path, first):
            raise _gone(start)
        yield from self._packs.frames(path, first, start)

    def _count(self) -> int:
        try:
            self._segments = list_segments(self._journal)
            if not self._segments:
                return 0
            first, _ = self._segments[-1]
            fd = self._open(-1)
            if fd < 0:
                return first + self._packs.count(self._segments[-1][1], first)
            try:
                return first + sum(1 for _ in Walk(fd, HEAD))
            finally:
                os.close(fd)
        except OSError as error:
            raise RecordError(f"the record at {self._directory} cannot be read: {error.strerror}") from error


def _gone(index: int) -> TamperedError:
    return TamperedError(f"event {index} is damaged or gone", fix="Run `outrider verify`; do not delete anything.")
