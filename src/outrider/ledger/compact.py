"""Compaction: closed segments of the journal become packs, whether the record's writer is at work or gone.

For each segment, in this order, so that its events are on disk at any moment:

1. the pack is written as ``N.seg.zst.new`` and flushed,
2. read back, unpacked by the verifier's code, and compared with the segment byte for byte,
3. renamed to ``N.seg.zst``, and its directory flushed: from here on there are both, and the segment counts,
4. the segment is unlinked, and its directory flushed.

What a compaction that was cut off leaves is settled by the next: a ``.new`` file is removed; where both are there the
pack is compared again, and made anew if it differs. Only a segment that is followed by another, with an event of its
own in it, is closed: no writer looks at such a one again but to read it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from outrider.errors import BadInputError, RecordError, UnavailableError
from outrider.ledger.disk import flush, flush_directory, make_directory, refusal
from outrider.ledger.frame import Walk
from outrider.ledger.journal import HEAD, SUFFIX, list_packs, list_segments
from outrider.ledger.lock import Lock
from outrider.ledger.packs import FOLDER, pack_path, pack_segment, read_index
from outrider.ledger.verify.packs import blocks


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A closed segment that was not packed: its first event, and why."""

    first: int
    why: str


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What a compaction did, or would do.

    Attributes:
        segments: Segments that were packed.
        events: Events in them.
        before: Their bytes.
        after: Bytes of their packs; 0 where nothing was done.
        already: Packs that were there before.
        left: What was left as it is.
        dry: Whether it only looked.
    """

    segments: int
    events: int
    before: int
    after: int
    already: int
    left: tuple[Left, ...] = ()
    dry: bool = False


class Closed(NamedTuple):
    """A closed segment: its path, its first event, and how many it should hold."""

    path: Path
    first: int
    events: int


def closed(directory: Path) -> Iterator[Closed]:
    """Yield the segments of a record that are closed and not packed, in order.

    Raises:
        TamperedError: A file has a name that no segment or pack has.
        OSError: The record cannot be read.
    """
    for (first, path), (following, behind) in pairwise(list_segments(directory / "journal")):
        if path.suffix == SUFFIX and (behind.suffix != SUFFIX or _begun(behind, following)):
            yield Closed(path, first, following - first)


def _begun(path: Path, first: int) -> bool:
    """Return whether the first event of a segment stands in it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # Its writer had no room for it.
        return False
    try:
        return next((frame.n == first for frame in Walk(fd, HEAD)), False)
    finally:
        os.close(fd)


def look(directory: Path) -> Compacted:
    """Return what :func:`compact` would pack. Reads no segment, so it does not know of those that it would leave.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    _there(directory)
    try:
        found = list(closed(directory))
        before = sum(one.path.stat().st_size for one in found)
        already = len(list_packs(directory))
    except OSError as error:
        raise RecordError(f"the record at {directory} cannot be read: {error.strerror}") from error
    events = sum(one.events for one in found)
    return Compacted(segments=len(found), events=events, before=before, after=0, already=already, dry=True)


def compact(directory: Path, *, progress: Callable[[int, int], None]) -> Compacted:
    """Pack every closed segment of the record under ``directory``, and return what was done.

    Args:
        directory: The record.
        progress: Told how many segments are done, of how many.

    Raises:
        UnavailableError: There is no record, or another compaction of it is at work.
        TamperedError: A file has a name that no segment or pack has.
        RecordError: The disk refuses. Every event is where it was, or in a pack.
    """
    _there(directory)
    folder = directory / FOLDER
    try:
        make_directory(folder)
        lock = _locked(folder)
        try:
            for unfinished in folder.glob("*.new"):
                unfinished.unlink()
            return _all(directory, list(closed(directory)), progress)
        finally:
            lock.release()
    except OSError as error:
        raise refusal(directory, error) from error


def _there(directory: Path) -> None:
    if not (directory / "journal").is_dir():
        raise UnavailableError(f"there is no record at {directory}")


def _locked(folder: Path) -> Lock:
    try:
        return Lock(folder)
    except UnavailableError as error:
        raise UnavailableError("the record is being compacted by another process", fix="Wait for it.") from error


def _all(directory: Path, found: list[Closed], progress: Callable[[int, int], None]) -> Compacted:
    already = len(list_packs(directory))
    done, events, before, after, left = 0, 0, 0, 0, []
    for at, one in enumerate(found):
        progress(at, len(found))
        data = one.path.read_bytes()
        path = pack_path(directory, one.first)
        there = path.exists()
        try:
            _pack(one, data, path)
        except BadInputError as error:
            left.append(Left(first=one.first, why=str(error)))
            continue
        already -= there
        done, events, before, after = done + 1, events + one.events, before + len(data), after + path.stat().st_size
    progress(len(found), len(found))
    return Compacted(segments=done, events=events, before=before, after=after, already=already, left=tuple(left))


def _pack(one: Closed, data: bytes, path: Path) -> None:
    """Put a segment's pack in its place.

    Raises:
        BadInputError: The segment is not whole; it stays.
        OSError: The disk refuses; the segment stays, or its pack is whole.
    """
    if path.exists() and _same(path, one, data):  # Left by a compaction that was cut off; it may not be on disk yet.
        _flushed(path)
    else:
        _write(path, pack_segment(data, one.first, one.events), one, data)
    flush_directory(path.parent)
    one.path.unlink()
    flush_directory(one.path.parent)


def _write(path: Path, packed: bytes, one: Closed, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            rest = memoryview(packed)
            while rest:
                rest = rest[os.write(fd, rest) :]
            flush(fd)
            _forget(fd)
        finally:
            os.close(fd)
        whole = _same(new, one, data)
        if whole:
            new.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    if not whole:
        new.unlink()
        raise BadInputError("its pack did not unpack to it again; is the disk or the memory sound?")


def _flushed(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        flush(fd)
    finally:
        os.close(fd)


def _forget(fd: int) -> None:
    """Have what was flushed read from the disk the next time, where the system can be told so."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _same(path: Path, one: Closed, data: bytes) -> bool:
    """Return whether a pack unpacks to exactly ``data``, as the verifier and as readers of the record see it."""
    at = 0
    try:
        for block in blocks(path, one.first):
            if block.data is None or data[at : at + len(block.data)] != block.data:
                return False
            at += len(block.data)
        return at == len(data) and read_index(path, one.first).events == one.events
    except (BadInputError, RecordError):
        return False
