"""What a witness remembers, on disk before any cosignature leaves.

Of each log it keeps the checkpoint that it cosigned last, as the note that it serves to others, and beside it a mark:
size and root of that checkpoint alone. The mark is made before the first note and written behind each later one, so
that a note that is older than its mark, or gone, was put back or lost; the witness then does not start. Somebody who
puts back both is not noticed here: marks may lie on another disk, which is not restored with the first.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from outrider.errors import BadInputError, RecordError, TamperedError, UnavailableError
from outrider.ledger.disk import flush_directory
from outrider.ledger.tiles import write_atomically
from outrider.ledger.verify.formats import Head
from outrider.ledger.verify.notes import Verifier, cosigned_by, head_of, parse_note, parse_size, signed_by
from outrider.witness.proof import EMPTY

_FIX = (
    "Do not go on with it: it could cosign a second history. Find out what happened; if this state cannot be had back, "
    "start a new witness under another name and key."
)


class Seen(NamedTuple):
    """The checkpoint of one log that was cosigned last: what it says, the note, and when (seconds since 1970 UTC)."""

    head: Head
    text: str
    seconds: int


def origin_hash(origin: str) -> str:
    """Return the name under which a log is kept and served: the SHA-256 of its origin in hex."""
    return sha256(origin.encode()).hexdigest()


class State:
    """The state of one witness, held by one process. Its caller sees to it that one thread at a time works on a log.

    Attributes:
        seen: The last checkpoint of each log, by origin.
    """

    def __init__(self, directory: Path, marks: Path, seen: dict[str, Seen], fd: int) -> None:
        """Use :meth:`open`."""
        self.seen = seen
        self._directory = directory
        self._marks = marks
        self._fd = fd

    @classmethod
    def open(cls, directory: Path, marks: Path, own: Verifier, logs: Mapping[str, Sequence[Verifier]]) -> Self:
        """Open or create the state under ``directory``, and take it for this process.

        Args:
            directory: Of the notes; made (0700) if it is not there.
            marks: Of the marks; the same.
            own: The key that this witness cosigns with.
            logs: The keys of each log, by origin.

        Raises:
            UnavailableError: Another process holds it.
            TamperedError: A note is damaged, gone, or older than its mark.
            RecordError: The disk refuses.
        """
        try:
            for one in (directory, marks):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(directory, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise UnavailableError(f"another process works on the witness's state at {directory}") from error
        try:
            found = {origin: read(directory, marks, own, origin, keys) for origin, keys in logs.items()}
        except (RecordError, OSError):
            os.close(fd)
            raise
        return cls(directory, marks, {origin: one for origin, one in found.items() if one is not None}, fd)

    def put(self, seen: Seen) -> None:
        """Remember a checkpoint; it is on disk when this returns.

        Raises:
            RecordError: The disk refuses. What was remembered before still is.
        """
        origin = seen.head.origin
        name = origin_hash(origin)
        try:
            if origin not in self.seen:
                self._put(self._marks / name, _mark(0, EMPTY))
            self._put(self._directory / name, seen.text.encode())
            self.seen[origin] = seen  # From here on nothing older is cosigned, whatever becomes of the mark.
            self._put(self._marks / name, _mark(seen.head.size, seen.head.root))
        except OSError as error:
            raise _refused(self._directory, error) from error

    @staticmethod
    def _put(path: Path, data: bytes) -> None:
        write_atomically(path, data, durable=True)
        flush_directory(path.parent)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._fd)


def read(directory: Path, marks: Path, own: Verifier, origin: str, keys: Sequence[Verifier]) -> Seen | None:
    """Return what is remembered of one log, None if it was never cosigned.

    Raises:
        TamperedError: The note is damaged, gone, or older than its mark.
        RecordError: It cannot be read.
    """
    name = origin_hash(origin)
    note, mark = _bytes(directory / name), _bytes(marks / name)
    if mark is None and note is None:
        return None
    if mark is None:
        raise TamperedError(f"the mark of {origin} is gone from {marks}, and its checkpoint is there", fix=_FIX)
    least, root = _read_mark(mark, origin)
    if note is None:
        if least == 0:
            return None
        raise TamperedError(f"a checkpoint of {origin} over {least} events was cosigned, and it is gone", fix=_FIX)
    seen = _read_note(note, own, origin, keys)
    if seen.head.size < least or (seen.head.size == least and seen.head.root != root):
        raise TamperedError(
            f"the checkpoint of {origin} over {seen.head.size} events was put back: "
            f"one over {least} events was cosigned already",
            fix=_FIX,
        )
    return seen


def _read_note(data: bytes, own: Verifier, origin: str, keys: Sequence[Verifier]) -> Seen:
    try:
        note = parse_note(data)
        head, cosigned = head_of(note), cosigned_by(note, own)
        vouched = any(signed_by(note, key) is not None for key in keys)
    except BadInputError as error:
        raise TamperedError(f"what is remembered of {origin} is damaged: {error}", fix=_FIX) from error
    if head.origin != origin or cosigned is None or not vouched:
        raise TamperedError(f"what is remembered of {origin} was not signed by it and by this witness", fix=_FIX)
    return Seen(head, data.decode(), cosigned[1])


def _mark(size: int, root: bytes) -> bytes:
    return f"{size} {root.hex()}\n".encode()


def _read_mark(data: bytes, origin: str) -> tuple[int, bytes]:
    try:
        size, root = data.decode("ascii").split()
        return parse_size(size), bytes.fromhex(root)
    except (ValueError, BadInputError) as error:
        raise TamperedError(f"the mark of {origin} is damaged", fix=_FIX) from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path.parent, error) from error


def _refused(where: Path, error: OSError) -> RecordError:
    return RecordError(f"the witness's state at {where} cannot be read or written: {error.strerror}")
