"""The files of a case: texts of its entries with their salts, and bundles that others made of it.

A text is here before the record promises it, under its commitment; take the file away and the text is gone, and every
proof still holds. Nothing here is believed: a text counts if it opens the commitment in the record, a bundle if it has
the digest that the record names.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.errors import BadInputError, RecordError
from outrider.events.codec import commit

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.events.content import Commitment

MOST_TEXT = 64 * 1024
"""Largest text of one entry in bytes."""


class Text(msgspec.Struct, frozen=True):
    """A text and the salt of its commitment ``c``."""

    c: str
    salt: bytes
    text: str


class CaseFile:
    """The directory of one case; made when something is put there."""

    def __init__(self, home: Home, case: str) -> None:
        self.directory = home.root / "cases" / case

    def put(self, text: str) -> Commitment:
        """Keep a text and return the commitment that the record is to carry.

        Raises:
            BadInputError: It is too long.
            RecordError: The disk refuses.
        """
        data = text.encode("utf-8", "replace")
        if len(data) > MOST_TEXT:
            raise BadInputError(f"a text of a case is at most {MOST_TEXT} bytes, this one has {len(data)}")
        salt = secrets.token_bytes(32)
        promise = commit(data, salt)
        line = msgspec.json.encode(Text(promise.c, salt, data.decode())) + b"\n"
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._texts, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordError(f"{self._texts} cannot be written: {error.strerror}") from error
        return promise

    @property
    def _texts(self) -> Path:
        return self.directory / "texts.jsonl"

    def texts(self) -> dict[str, Text]:
        """Return the texts by their commitments; a line that was cut short or does not open its own is passed over."""
        found: dict[str, Text] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in self._texts.read_bytes().splitlines():
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                    one = msgspec.json.decode(line, type=Text)
                    if commit(one.text.encode(), one.salt).c == one.c:
                        found[one.c] = one
        return found

    def keep(self, bundle: bytes, vkey: str) -> str:
        """Keep a bundle that was found whole under ``vkey``; return its digest.

        Raises:
            RecordError: The disk refuses.
        """
        digest = hashlib.sha256(bundle).hexdigest()
        where = self.directory / "imported"
        try:
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, data in ((f"{digest}.vkey", vkey.encode()), (f"{digest}.zip", bundle)):
                fd = os.open(where / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
        except OSError as error:
            raise RecordError(f"{where} cannot be written: {error.strerror}") from error
        return digest

    def bundle(self, digest: str) -> tuple[Path, str] | None:
        """Return the bundle of a digest and the key that it was found whole under; None if it is not as it was."""
        path = self.directory / "imported" / f"{digest}.zip"
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                return None
            return path, path.with_suffix(".vkey").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
