"""Where content waits, encrypted, until somebody has time for it: one append before the answer, nothing else.

A segment has a key of its own, which lies wrapped in the database and is destroyed with the segment: what was staged
is readable while it waits and never again. A segment is written by one process and never appended to by another, so a
running number is its nonce. What a crash of the process leaves is read at the next start; what a power cut takes had
not been promised to anybody, and the record says which contents were kept.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outrider.ledger.content.database import Database
from outrider.ledger.content.keyring import Keyring
from outrider.ledger.content.root import KEY
from outrider.ledger.disk import refusal

SUFFIX = ".staged"
_LENGTH = 4
_TAG = 16
_ABOUT = b"outrider/v1/staged"


class Staged(msgspec.Struct, frozen=True, array_like=True):
    """The content of one event, as it waits.

    Attributes:
        n: Index of the event.
        ts: Its time, microseconds since 1970 UTC.
        agent: Its agent.
        subject: Whom it is about.
        slot: Number of the agent's key.
        salt: Of the event's own commitment.
        media: Media type.
        text: The content, or its first part where all of it would be too long.
        tail: Its last part, or empty.
        size: Length of the whole in bytes.
        most: How much of it is kept at most, in bytes; 0 for nothing but the salt.
        until: When it is erased by the charter's age, microseconds since 1970 UTC, or 0.
        left: Why nothing of it is kept, or empty.
    """

    n: int
    ts: int
    agent: str
    subject: str
    slot: int
    salt: bytes
    media: str
    text: bytes = b""
    tail: bytes = b""
    size: int = 0
    most: int = 0
    until: int = 0
    left: str = ""


class Staging:
    """The staging segments of one home, held by the one process that writes them.

    Attributes:
        failed: Contents that the disk did not take since this was last looked at.
    """

    def __init__(self, directory: Path, database: Database, keyring: Keyring) -> None:
        """Use ``directory``, which is made if it is not there.

        Raises:
            RecordError: The disk refuses.
        """
        self._directory = directory
        self._database = database
        self._keyring = keyring
        self._encoder = msgspec.msgpack.Encoder()
        self._fd = -1
        self._count = 0
        self._at = 0
        self._path = Path()
        self._cipher: AESGCM | None = None
        self._spare: tuple[Path, int, AESGCM] | None = None
        self.failed = 0
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise refusal(directory, error) from error

    def prepare(self) -> None:
        """Have the next segment ready, its key durable. Costs a flush; for whoever has time.

        Raises:
            RecordError: The disk refuses.
        """
        if self._spare is not None:
            return
        path, key = self._directory / f"{time.time_ns():020d}-{secrets.token_hex(4)}{SUFFIX}", secrets.token_bytes(KEY)
        generation, wrapped = self._keyring.wrap(key, path.name)
        with self._database.transaction() as db:
            db.execute("INSERT INTO staged VALUES (?, ?, ?)", (path.name, generation, wrapped))
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refusal(path, error) from error
        self._spare = (path, fd, AESGCM(key))

    def append(self, staged: Staged) -> bool:
        """Append one content, encrypted; False where that failed, and nothing of it is kept then.

        Never raises for the disk: an answer does not wait for content, and does not fail for it.
        """
        if self._cipher is None and not self._begin():
            self.failed += 1
            return False
        assert self._cipher is not None
        sealed = self._cipher.encrypt(self._count.to_bytes(12, "big"), self._encoder.encode(staged), _ABOUT)
        self._count += 1  # Also where the write fails: a number is never used twice.
        frame = len(sealed).to_bytes(_LENGTH, "big") + sealed
        try:
            whole = os.write(self._fd, frame) == len(frame)
        except OSError:
            whole = False
        if whole:
            self._at += len(frame)
        else:
            self.failed += 1
            self._end()  # What stands behind a torn frame could not be found again.
        return whole

    def _begin(self) -> bool:
        if self._spare is None:
            return False
        self._path, self._fd, self._cipher = self._spare
        self._spare, self._count, self._at = None, 0, 0
        return True

    def _end(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._cipher = -1, None

    def roll(self) -> None:
        """End the segment that is written, if anything is in it, so that :meth:`waiting` gives it."""
        if self._count:
            self._end()

    def waiting(self) -> list[Path]:
        """Return the segments that nobody writes any more.

        Raises:
            RecordError: The disk refuses.
        """
        busy = {self._path if self._cipher is not None else None, self._spare[0] if self._spare else None}
        try:
            return sorted(path for path in self._directory.glob(f"*{SUFFIX}") if path not in busy)
        except OSError as error:
            raise refusal(self._directory, error) from error

    def read(self, path: Path) -> Iterator[Staged]:
        """Yield what was staged in a segment, as far as it is whole.

        Raises:
            RecordError: It cannot be read.
            TamperedError: Its key was changed.
        """
        row = self._database.one("SELECT generation, key FROM staged WHERE segment = ?", path.name)
        key = self._keyring.unwrap(row[0], row[1], path.name) if row is not None else None
        if key is None:
            return
        cipher, count = AESGCM(key), 0
        try:
            data = path.read_bytes()
        except OSError as error:
            raise refusal(path, error) from error
        at = 0
        while at + _LENGTH + _TAG <= len(data):
            end = at + _LENGTH + int.from_bytes(data[at : at + _LENGTH], "big")
            try:
                plain = cipher.decrypt(count.to_bytes(12, "big"), data[at + _LENGTH : end], _ABOUT)
                yield msgspec.msgpack.decode(plain, type=Staged)
            except (InvalidTag, ValueError, msgspec.DecodeError):
                return
            at, count = end, count + 1

    def drop(self, path: Path) -> None:
        """Destroy a segment's key, then the segment. Inside a transaction the key goes with that.

        Raises:
            RecordError: The disk refuses.
        """
        with self._database.transaction() as db:
            db.execute("DELETE FROM staged WHERE segment = ?", (path.name,))
        with contextlib.suppress(OSError):  # Without its key it is noise; it is looked at again at the next start.
            path.unlink()

    def close(self) -> None:
        """Close the files; what is in them waits for the next start."""
        self._end()
        if self._spare is not None:
            os.close(self._spare[1])
            self._spare = None
