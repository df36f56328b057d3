"""When a checkpoint is due, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.errors import TamperedError
from outrider.ledger.disk import refusal
from outrider.ledger.note import Checkpoint, open_checkpoint, sign, vkey
from outrider.ledger.tiles import write_atomically
from outrider.ledger.tree import EMPTY, fold

CHECKPOINT = "checkpoint"
VKEY = "log.vkey"

SEAL_EVENTS = 256
SEAL_US = 1_000_000
SEAL_LEAST_US = 20_000
"""A checkpoint is made over the first commit, for 256 events, after a second, or when asked for, but at most 50 times
a second."""


class Sealer:
    """Signs the heads of one log and keeps the last one on disk. Its caller sees to it that one thread seals at a time.

    Attributes:
        vkey: The verifier key that goes with the signing key.
        last: The last checkpoint; of size 0 and without text while there is none.
        problem: Why the last one could not be written, or empty.
    """

    def __init__(self, directory: Path, origin: str, key: Ed25519PrivateKey, clock: Callable[[], int]) -> None:
        """Read the last checkpoint.

        Raises:
            TamperedError: It is malformed, of another log, or not signed by ``key``.
            RecordError: It cannot be read.
        """
        self.vkey = vkey(origin, key.public_key().public_bytes_raw())
        self.problem = ""
        self._directory = directory
        self._origin = origin
        self._key = key
        self._clock = clock
        self.last = self._read()
        self._wanted = 0
        self._tried_at = clock()

    def _read(self) -> Checkpoint:
        try:
            text = (self._directory / CHECKPOINT).read_text(encoding="utf-8")
        except FileNotFoundError:
            return Checkpoint(self._origin, 0, EMPTY, "")
        except UnicodeDecodeError as error:
            raise TamperedError("the record's checkpoint is not text") from error
        except OSError as error:
            raise refusal(self._directory, error) from error
        return open_checkpoint(text, self._origin, self._key.public_key())

    def put_vkey(self) -> None:
        """Put the verifier key where others find it.

        Raises:
            RecordError: The disk refuses.
        """
        path, line = self._directory / VKEY, f"{self.vkey}\n".encode()
        try:
            if not path.exists() or path.read_bytes() != line:
                write_atomically(path, line)
        except OSError as error:
            raise refusal(self._directory, error) from error

    def want(self, size: int) -> None:
        """Ask for a checkpoint over the first ``size`` events as soon as may be."""
        self._wanted = size

    def due_in(self, durable: int) -> float | None:
        """Return in how many seconds a checkpoint is due when ``durable`` events are (0 or less: now), or None."""
        ahead = durable - self.last.size
        if not ahead:
            return None
        if not self.last.size and not self.problem:
            return 0.0  # A record is vouched for from its first event on.
        passed = self._clock() - self._tried_at
        if passed < 0:  # The clock jumped back.
            return 0.0
        soon = ahead >= SEAL_EVENTS or self._wanted > self.last.size
        return ((SEAL_LEAST_US if soon else SEAL_US) - passed) / 1e6

    def seal(self, size: int, peaks: Sequence[bytes]) -> None:
        """Sign the tree of ``size`` events with these peaks. A disk that refuses is told in :attr:`problem`."""
        self._tried_at = self._clock()
        if size == self.last.size:
            return
        made = sign(self._origin, size, fold(peaks), self._key)
        try:
            write_atomically(self._directory / CHECKPOINT, made.text.encode(), durable=True)
        except OSError as error:
            self.failed(error)
        else:
            self.problem, self.last = "", made

    def failed(self, error: OSError) -> None:
        """Note that sealing failed; it is tried again when the next checkpoint is due."""
        self._tried_at = self._clock()
        self.problem = str(refusal(self._directory, error))
