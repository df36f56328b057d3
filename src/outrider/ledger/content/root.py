"""The key at the root of all content keys: one small file, replaced whole whenever something is erased.

Everything wrapped by a root key that is no longer in the file is noise, also where a disk, a write-ahead log or a copy
of the database still holds it. So destroying a wrapped key means: leave it out, wrap the rest anew, drop the old root.
While that is done the file holds both generations, so that a crash at any point loses nothing that should stay.
"""

from __future__ import annotations

import os
import secrets
import struct
from pathlib import Path

from outrider.errors import RecordError
from outrider.ledger.disk import flush_directory, refusal
from outrider.ledger.keys import private

KEY = 32
_ONE = struct.Struct(">Q32s")


class Root:
    """The root keys of one home, by generation.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        """Read the keys at ``path``; make the first one if there is no file.

        Raises:
            RefusedError: Others than its owner could read the file, or it is not this user's.
            RecordError: The file holds no such keys, or cannot be read or made.
        """
        self.path = path
        self._keys = self._read()

    def _read(self) -> dict[int, bytes]:
        data = private(self.path, lambda: _ONE.pack(1, secrets.token_bytes(KEY)))
        if not data or len(data) % _ONE.size:
            raise RecordError(
                f"{self.path} holds {len(data)} bytes, which are no root keys",
                fix=f"Restore {self.path} from a backup; without it no kept content can be read.",
            )
        return dict(_ONE.iter_unpack(data))

    @property
    def generation(self) -> int:
        """The newest generation, which everything new is wrapped by."""
        return max(self._keys)

    def key(self, generation: int) -> bytes | None:
        """Return the key of a generation, None if it was destroyed. Looks again where another process moved on."""
        if generation not in self._keys:
            self._keys = self._read()
        return self._keys.get(generation)

    def advance(self) -> int:
        """Add a new generation beside those that are there, durably, and return its number.

        Raises:
            RecordError: The disk refuses.
        """
        made = self.generation + 1
        self._write({**self._keys, made: secrets.token_bytes(KEY)})
        return made

    def drop_older(self) -> None:
        """Destroy every generation but the newest: the old bytes are overwritten where they lay.

        A file system that writes elsewhere (copy on write, a flash disk) may keep them until it reuses the place.

        Raises:
            RecordError: The disk refuses.
        """
        if len(self._keys) > 1:
            self._write({self.generation: self._keys[self.generation]})

    def _write(self, keys: dict[int, bytes]) -> None:
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            old = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(b"".join(_ONE.pack(generation, key) for generation, key in sorted(keys.items())))
                    file.flush()
                    os.fsync(fd)
                new.replace(self.path)
                flush_directory(self.path.parent)
                os.pwrite(old, bytes(os.fstat(old).st_size), 0)
                os.fsync(old)
            finally:
                os.close(old)
        except OSError as error:
            raise refusal(self.path, error) from error
        self._keys = keys
