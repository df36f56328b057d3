"""One daemon a home: a lock that the kernel lets go of when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from outrider.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path


def take(path: Path) -> int:
    """Take the lock at ``path`` for the life of this process and return its descriptor, our pid written in it.

    Raises:
        UnavailableError: Another daemon holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise UnavailableError(
            f"another daemon (pid {holder(path) or 'unknown'}) already serves {path.parent.parent}",
            fix="Use that one, or end it with `outrider down`.",
        ) from error
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return fd


def holder(path: Path) -> int:
    """Return the pid written in the lock file, 0 if there is none. It may be of a daemon that is gone."""
    try:
        return int(path.read_text().strip() or 0)
    except (OSError, ValueError):
        return 0
