"""The state on disk, so that a start need not read the whole record: believed only if the record says the same.

A snapshot carries the size and the root of the tree that it was taken at. If the record's root at that size is
another one, or the bytes cannot be read, the snapshot is thrown away and the state is folded from the first event on.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Protocol

import msgspec

from outrider.errors import OutriderError
from outrider.events.codec import decode, decode_beside
from outrider.gate.state import State
from outrider.ledger.content.besides import unsealed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outrider.ledger.content.keyring import Keyring

NAME = "state.snapshot"
"""Its file, in the record's directory."""

CHUNK = 2_000
"""Events folded between two looks at the clock while rebuilding."""


class Record(Protocol):
    """What is read of the record at a start."""

    @property
    def size(self) -> int:
        """Number of events."""

    def root(self, size: int | None = None) -> bytes:
        """Root of the tree of the first ``size`` events."""

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield ``(index, leaf, beside)``."""


def save(path: Path, state: State, record: Record) -> None:
    """Write the snapshot of ``state``, which must have folded exactly the whole record.

    Raises:
        OSError: The disk refuses; the snapshot before it is still whole.
    """
    data = state.dump(record.size, record.root(record.size))
    temporary = path.with_suffix(".new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load(path: Path, record: Record) -> tuple[State, int]:
    """Return the state in the snapshot and the size it was taken at; an empty state and 0 if it cannot be believed."""
    try:
        state, size, root = State.load(path.read_bytes())
    except (OSError, msgspec.MsgspecError, ValueError):
        return State(), 0
    try:
        believed = size <= record.size and record.root(size) == root
    except (OutriderError, ValueError, IndexError):
        believed = False
    return (state, size) if believed else (State(), 0)


def replay(state: State, record: Record, start: int, keyring: Keyring | None = None) -> Iterator[int]:
    """Fold the record from event ``start`` on into ``state``; yield how many events were folded, every so often.

    Raises:
        UnknownVersionError: The record holds an event of a version that this program does not know.
        BadInputError: The record holds bytes that are no event.
    """
    done = start
    for n, leaf, beside in record.entries(start):
        opened = unsealed(decode_beside(beside), keyring)
        state.apply(decode(leaf), opened, hashlib.sha256(b"\0" + leaf).hexdigest())
        done = n + 1
        if done % CHUNK == 0:
            yield done
    yield done
