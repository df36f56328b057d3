"""The journal: segment files made ahead, of frames, written one commit at a time, recovered after a crash.

Invariants: a segment is named by the index of its first event; a commit is flushed before the next one is written;
a segment is flushed whole before the next one exists. So only the last commit in the last segment can ever be torn.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

from outrider.errors import BadInputError, OutriderError, RecordError, TamperedError
from outrider.ledger import packs
from outrider.ledger.disk import flush, flush_directory, make_directory, refusal, write_at
from outrider.ledger.frame import Frame, Walk, hop, survivors
from outrider.ledger.spare import Spare, fill, make_filled

SEGMENT = 16 << 20
"""Size of a segment in bytes; it is filled with zeros ahead of use."""

MAGIC = b"ORJ1"
"""A segment's first bytes; the index of its first event follows, big-endian, 8 bytes."""

HEAD = len(MAGIC) + 8
SUFFIX = ".seg"
DURABLE = "durable"
"""File with the number of durable events, 8 bytes native order, kept current through a shared mapping."""

_MARK_EVERY = 64
_UNPREPARED = 1 << 20
_SMALLEST = 64 << 10


@dataclass(frozen=True)
class Recovered:
    """What recovery found: ``cut`` bytes of an unfinished commit were cut, ``size`` events remain."""

    cut: int
    size: int


@dataclass
class Segment:
    """One file of the journal, or its pack. ``marks`` are the offsets of every 64th frame from the first on."""

    path: Path
    first: int
    count: int = 0
    marks: list[int] = field(default_factory=list)

    @property
    def packed(self) -> bool:
        """Whether ``path`` is that of the pack."""
        return self.path.name.endswith(packs.SUFFIX)


def head(first: int) -> bytes:
    """Return the head of the segment whose first event is ``first``."""
    return MAGIC + first.to_bytes(8, "big")


def segment_path(directory: Path, first: int) -> Path:
    """Return the path of the segment whose first event is ``first``."""
    return directory / f"{first:020d}{SUFFIX}"


def list_segments(directory: Path) -> list[tuple[int, Path]]:
    """Return ``(first index, path)`` of every segment in order, or of its pack where the segment itself is gone.

    Segments are listed before packs: one that is packed meanwhile is found in either list, or in both.

    Raises:
        TamperedError: A file has a name that no segment or pack has.
        OSError: A directory cannot be listed.
    """
    found: dict[int, Path] = {}
    for path in directory.iterdir():
        if not (path.suffix == SUFFIX and _is_index(path.stem)):
            raise TamperedError(f"{path} is no segment of a journal", fix="Move it away.")
        found[int(path.stem)] = path
    for first, path in list_packs(directory.parent):
        found.setdefault(first, path)
    return sorted(found.items())


def list_packs(directory: Path) -> list[tuple[int, Path]]:
    """Return ``(first index, path)`` of every pack of the record under ``directory``.

    Raises:
        TamperedError: A file has a name that no pack has, and none that is being made.
        OSError: The directory cannot be listed.
    """
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in (directory / packs.FOLDER).iterdir():
            name = path.name.removesuffix(".new")
            if not (name.endswith(packs.SUFFIX) and _is_index(name.removesuffix(packs.SUFFIX))):
                raise TamperedError(f"{path} is no pack of a journal", fix="Move it away.")
            if name == path.name:
                found.append((int(name.removesuffix(packs.SUFFIX)), path))
    return sorted(found)


def _is_index(name: str) -> bool:
    return len(name) == 20 and name.isdecimal()


class Journal:
    """The journal of one record, held by its single writer.

    Attributes:
        size: Number of events on disk and durable.
        recovered: What opening had to cut, or None.
    """

    def __init__(self, directory: Path, *, known: int, segment_bytes: int = SEGMENT) -> None:
        """Open or create the journal under ``directory``, which the caller has locked.

        Args:
            directory: The record's directory.
            known: Number of events that are known to have been durable (the last checkpoint's size).
            segment_bytes: Preallocated size of new segments.

        Raises:
            TamperedError: Something that had been durable is damaged or gone.
            RecordError: The disk refuses.
        """
        self._where = directory / "journal"
        self._segment_bytes = segment_bytes
        self._broken = ""
        self._fd = -1
        self._end = 0
        self._room = 0
        self.size = 0
        self.recovered: Recovered | None = None
        self._segments: list[Segment] = []
        self._packs = packs.Packs()
        self._spare = Spare(directory / "spare", segment_bytes)
        try:
            make_directory(self._where)
            self._spare.discard()
            self._recover(known)
            self._mark = _Mark(directory / DURABLE)
        except OSError as error:
            self._forget()
            raise refusal(self._where, error) from error
        except OutriderError:
            self._forget()
            raise
        self._mark.set(self.size)

    def _recover(self, known: int) -> None:
        segments = [Segment(path, first) for first, path in list_segments(self._where)]
        for before, after in pairwise(segments):
            before.count = after.first - before.first
        self._segments = segments
        cut, unused = 0, []
        while segments:
            last = segments[-1]
            if last.packed:  # A pack is of a segment that was full: what comes next begins a new one.
                last.count = self._packs.count(last.path, last.first)
                self._end = self._room = 0
                break
            self._fd = os.open(last.path, os.O_RDWR | os.O_CLOEXEC)
            cut += self._recover_last(last, known)
            if last.count or len(segments) == 1:
                break
            # It was made for a commit that never became durable, but everything before it had been.
            known = max(known, last.first)
            self._forget()
            unused.append(segments.pop())
        self.size = segments[-1].first + segments[-1].count if segments else 0
        if self.size < known or (segments and segments[0].first):
            raise TamperedError(
                f"the journal holds events {segments[0].first if segments else 0} to {self.size}, "
                f"but events 0 to {known} had been durable",
                fix="Run `outrider verify`; do not delete anything.",
            )
        for segment in unused:
            segment.path.unlink()
        if cut:
            self.recovered = Recovered(cut=cut, size=self.size)

    def _recover_last(self, last: Segment, known: int) -> int:
        size = self._room = os.fstat(self._fd).st_size
        whole = os.pread(self._fd, HEAD, 0) == head(last.first)
        last.count, self._end, last.marks = _measure(self._fd, last.first) if whole else (0, 0, [])
        rest = os.pread(self._fd, size - self._end, self._end)
        garbage = len(rest.rstrip(b"\0"))
        lost = last.first + last.count
        if garbage:
            newer = next((f for f in survivors(rest, lost) if f.group > lost), None)
            if newer or lost < known:
                raise TamperedError(
                    f"event {lost} in {last.path} is damaged, and it had been durable",
                    fix="Run `outrider verify`; do not delete anything.",
                )
            fill(self._fd, self._end, size)
        if last.count == 0 and last.first == 0 and not whole:
            write_at(self._fd, head(0), 0)
            self._end = HEAD
        flush(self._fd)
        return garbage

    def write(self, first: int, frames: Sequence[bytes]) -> None:
        """Write the frames of one commit, the first of which is event ``first``, and flush them.

        After a failure nothing counts as written; the same commit may be written again.

        Raises:
            RecordError: The disk refuses. If a flush failed, every later call fails too: what the disk holds is
                known only after opening again.
        """
        if self._broken:
            raise RecordError(self._broken, fix="Restart the daemon; it recovers the record.")
        if first < self.size:  # Part of the commit went out before a failure later in it.
            first, frames = self.size, frames[self.size - first :]
        try:
            at = 0
            while at < len(frames):
                at += self._write_some(first + at, frames[at:] if at else frames)
        except OSError as error:
            raise refusal(self._where, error) from error

    def _write_some(self, first: int, frames: Sequence[bytes]) -> int:
        if not self._segments or self._end + len(frames[0]) > self._room:
            self._roll(first, len(frames[0]))
        segment, end, marks = self._segments[-1], self._end, []
        count = 0
        for frame in frames:
            if end + len(frame) > self._room:
                break
            if (segment.count + count) % _MARK_EVERY == 0:
                marks.append(end)
            end += len(frame)
            count += 1
        write_at(self._fd, b"".join(frames[:count]), self._end)
        self._flush()
        segment.marks += marks
        segment.count += count
        self._end = end
        self.size = first + count
        self._mark.set(self.size)
        if self._end > self._room // 2:
            self._spare.prepare()
        return count

    def _flush(self) -> None:
        try:
            flush(self._fd)
        except OSError as error:
            # The kernel may have dropped what it could not write and call it clean: trying again would lie.
            self._broken = f"the record could not be flushed to disk: {error.strerror}"
            raise

    def _roll(self, first: int, wants: int) -> None:
        """Begin the segment whose first event is ``first`` and takes ``wants`` bytes."""
        path, least = segment_path(self._where, first), HEAD + wants
        if not self._spare.become(path, least):
            size = max(min(self._segment_bytes, _UNPREPARED), least)
            make_filled(path, size, max(min(_SMALLEST, size), least), least)
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            write_at(fd, head(first), 0)
            os.fsync(fd)
            flush_directory(self._where)
            room = os.fstat(fd).st_size
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._end, self._room = fd, HEAD, room
        self._segments.append(Segment(path, first))

    def read(self, index: int) -> Frame:
        """Return the frame of a durable event.

        Raises:
            TamperedError: What stands on disk is not that frame.
        """
        return next(self.entries(index, index + 1))

    def entries(self, start: int, stop: int) -> Iterator[Frame]:
        """Yield the frames of durable events from ``start`` to ``stop``.

        Raises:
            BadInputError: They do not all exist.
            TamperedError: What stands on disk is not those frames.
        """
        if not 0 <= start <= stop <= self.size:
            raise BadInputError(f"the record holds {self.size} durable events; {start} to {stop} were asked for")
        while start < stop:
            segment = self._segments[bisect_right(self._segments, start, key=lambda s: s.first) - 1]
            until = min(stop, segment.first + segment.count)
            try:
                yield from self._entries_in(segment, start, until)
            except OSError as error:
                raise TamperedError(f"{segment.path} cannot be read: {error.strerror}") from error
            start = until

    def _entries_in(self, segment: Segment, start: int, stop: int) -> Iterator[Frame]:
        fd = self._open(segment)
        if fd < 0:
            yield from self._packed(segment, start, stop)
            return
        try:
            if not segment.marks:
                segment.marks = hop(fd, HEAD, segment.count, _MARK_EVERY)
            mark = (start - segment.first) // _MARK_EVERY
            at, index = HEAD, segment.first
            if mark < len(segment.marks):
                at, index = segment.marks[mark], segment.first + mark * _MARK_EVERY
            for frame in Walk(fd, at):
                if frame.n != index:
                    break
                if index >= start:
                    yield frame
                index += 1
                if index == stop:
                    return
        finally:
            os.close(fd)
        raise TamperedError(
            f"event {index} in {segment.path} is damaged", fix="Run `outrider verify`; do not delete anything."
        )

    @staticmethod
    def _open(segment: Segment) -> int:
        """Open a segment; -1 where it is a pack, or has become one."""
        if not segment.packed:
            try:
                return os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                segment.path = packs.packed_instead(segment.path)
        return -1

    def _packed(self, segment: Segment, start: int, stop: int) -> Iterator[Frame]:
        index = start
        for frame in islice(self._packs.frames(segment.path, segment.first, start), stop - start):
            index += 1
            yield frame
        if index != stop:
            raise packs.damaged(segment.path, f"event {index} is not in it")

    def close(self) -> None:
        """Close the files. What was written is durable already."""
        self._spare.discard()
        self._mark.close()
        self._forget()

    def _forget(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class _Mark:
    """The number of durable events, where readers in other processes see it without a call between them."""

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_size != 8:
                os.ftruncate(fd, 0)
                write_at(fd, bytes(8), 0)
            self._map = mmap.mmap(fd, 8)
        finally:
            os.close(fd)

    def set(self, size: int) -> None:
        struct.pack_into("=Q", self._map, 0, size)

    def close(self) -> None:
        self._map.close()


def _measure(fd: int, first: int) -> tuple[int, int, list[int]]:
    """Walk a segment; return its number of good frames in order, the offset behind them, and its marks."""
    count, end, marks = 0, HEAD, []
    for frame in Walk(fd, HEAD):
        if frame.n != first + count:
            break
        if count % _MARK_EVERY == 0:
            marks.append(end)
        count, end = count + 1, frame.end
    return count, end, marks
