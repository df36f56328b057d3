"""Has checkpoints stamped by a timestamp authority (RFC 3161) now and then, beside everything else."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.errors import OutriderError, UnavailableError
from outrider.ledger.disk import flush_directory, refusal
from outrider.ledger.stamping import STAMPED, TOKEN, stamp
from outrider.ledger.tiles import write_atomically

if TYPE_CHECKING:
    from outrider.config import Timestamps as Settings
    from outrider.ledger.ledger import Ledger

log = logging.getLogger("outrider.daemon")


class Timestamps:
    """The stamps of one record."""

    def __init__(self, ledger: Ledger, record: Path, settings: Settings) -> None:
        """Take the record, its directory, and whom to ask."""
        self.problem = ""
        self._ledger = ledger
        self._record = record
        self._settings = settings
        self._size = self._seconds = 0

    async def run(self) -> None:
        """Have the newest checkpoint stamped every so often until cancelled; return at once if nobody is named."""
        while self._settings.url:
            try:
                await self.round()
                self.problem = ""
            except OutriderError as error:
                if not self.problem:
                    log.warning("no timestamp: %s", error)
                self.problem = str(error)
            await asyncio.sleep(self._settings.every)

    async def round(self) -> None:
        """Have the newest checkpoint stamped, if it is not the one that was.

        Raises:
            UnavailableError: The authority does not answer, or what makes and checks stamps is not installed.
            BadInputError: What it answers does not hold.
            RecordError: It cannot be kept.
        """
        await asyncio.to_thread(self._ledger.seal_if_due)
        checkpoint = self._ledger.checkpoint
        if not checkpoint.text or checkpoint.size == self._size:
            return
        self._seconds = await asyncio.to_thread(self._stamp, checkpoint.text.encode())
        self._size = checkpoint.size

    def _stamp(self, text: bytes) -> int:
        try:
            roots = Path(self._settings.roots).read_bytes()
        except OSError as error:
            raise UnavailableError(f"{self._settings.roots} cannot be read: {error.strerror}") from error
        made = stamp(self._settings.url, text, roots)
        try:
            write_atomically(self._record / TOKEN, made.token, durable=True)
            write_atomically(self._record / STAMPED, text, durable=True)
            flush_directory(self._record)
        except OSError as error:
            raise refusal(self._record, error) from error
        return made.seconds

    def told(self) -> dict[str, Any]:
        """Return how it goes, for ``status``."""
        return {
            "url": self._settings.url, "problem": self.problem, "size": self._size, "seconds": self._seconds,
            "late": bool(self._seconds) and time.time() - self._seconds > 3 * self._settings.every,
        }  # fmt: skip
