"""The daemon's log: for people, on disk, and therefore without secrets, whatever a message or an exception says."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from outrider.detect.redact import redact
from outrider.errors import OutriderError
from outrider.ledger.keys import print_key

if TYPE_CHECKING:
    from outrider.config import Home


class Clean(logging.Formatter):
    """Formats a line, traceback included, and takes secrets out."""

    def __init__(self, key: bytes) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._key = key

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of one entry."""
        return redact(super().format(record), self._key)


def keep_log(home: Home) -> None:
    """Log to the terminal if there is one, else to the home's file (0600).

    Raises:
        OSError: The file cannot be written.
    """
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = logging.StreamHandler()
    else:
        path = home.run / "daemon.log"
        path.touch(mode=0o600)
        handler = logging.FileHandler(path)
    try:
        key = print_key(home.keys / "print.key")
    except OutriderError:
        key = b""  # What is wrong with the keys is told by whoever needs them; a log line needs none to be clean.
    handler.setFormatter(Clean(key))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
