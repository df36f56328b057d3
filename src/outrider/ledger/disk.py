"""What the record asks of the disk, in one place: whole writes, real flushes, and errors that say what helps."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from outrider.errors import RecordError


def flush(fd: int) -> None:
    """Return once the file's content is on the disk itself. Not tried on macOS.

    Raises:
        OSError: The disk refuses.
    """
    if hasattr(fcntl, "F_FULLFSYNC"):  # There, fsync stops at the drive's cache.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)


def write_at(fd: int, data: bytes, at: int) -> None:
    """Write all of ``data``; the kernel may take it in pieces.

    Raises:
        OSError: The disk refuses.
    """
    rest = memoryview(data)
    while rest:
        wrote = os.pwrite(fd, rest, at)
        rest, at = rest[wrote:], at + wrote


def flush_directory(directory: Path) -> None:
    """Return once the names in ``directory`` are on disk.

    Raises:
        OSError: The disk refuses.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_directory(directory: Path) -> None:
    """Make a private directory, with what is missing above it, and return once their names are on disk.

    A name that was there is flushed again: whoever made it may have been cut off before doing so.

    Raises:
        OSError: The disk refuses.
    """
    missing = [one for one in directory.parents if not one.is_dir()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in (directory, *missing):
        flush_directory(made.parent)


def refusal(where: Path, error: OSError) -> RecordError:
    """Return the error that says why the record could not be written, and what helps."""
    fixes = {
        "ENOSPC": "Free some space on that disk; the record goes on by itself.",
        "EDQUOT": "Free some space within the quota; the record goes on by itself.",
        "EROFS": "The file system is mounted read-only; mount it for writing.",
        "EACCES": f"Make {where} writable for this user.",
        "EPERM": f"Make {where} writable for this user.",
    }
    name = errno.errorcode.get(error.errno or 0, "")
    return RecordError(f"the record at {where} cannot be written: {error.strerror}", fix=fixes.get(name, ""))
