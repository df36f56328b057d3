"""SHA-256 of a process's executable, without ever keeping a caller waiting for a large one.

Cached by (device, inode, mtime, size), which changes when the file is written.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable
from io import FileIO

from outrider.identity.process import PROC

HOT_LIMIT = 8 * 1024 * 1024
"""Executables up to this many bytes are hashed at once (about 10 ms); larger ones in a thread."""

MAX_SIZE = 2 * 1024 * 1024 * 1024
MAX_KNOWN = 512

_Key = tuple[int, int, int, int]
_known: OrderedDict[_Key, str] = OrderedDict()
_busy: set[_Key] = set()
_lock = threading.Lock()


def exe_digest(pid: int, limit_bytes: int = HOT_LIMIT) -> str:
    """Return the digest of the executable that ``pid`` runs, hex.

    Empty if it cannot be read, or if it is not known yet and larger than ``limit_bytes``: :func:`digest_later` makes
    it known.
    """
    return _digest(f"{PROC}/{pid}/exe", limit_bytes)


def file_digest(path: str, limit_bytes: int = HOT_LIMIT) -> str:
    """Return the digest of a file, hex, as :func:`exe_digest` does for a process's executable."""
    return _digest(path, limit_bytes)


def digest_later(pid: int, done: Callable[[str], None] | None = None) -> threading.Thread | None:
    """Hash the executable of ``pid`` in a thread, so that the next :func:`exe_digest` knows it.

    The file is opened before returning, so the process may end meanwhile. Returns None if there is nothing to do:
    the digest is known, is being made, or the executable cannot be read. ``done`` is called in the thread.
    """
    return digest_file_later(f"{PROC}/{pid}/exe", done)


def digest_file_later(path: str, done: Callable[[str], None] | None = None) -> threading.Thread | None:
    """Do what :func:`digest_later` does for a file: a daemon calls it at start for the hosts that it knows of."""
    opened = _open(path)
    if opened is None:
        return None
    file, key = opened
    with _lock:
        idle = key not in _known and key not in _busy and key[3] <= MAX_SIZE
        if idle:
            _busy.add(key)
    if not idle:
        file.close()
        return None

    def work() -> None:
        value = _hash(file, key)
        with _lock:
            _busy.discard(key)
        if done is not None:
            done(value)

    thread = threading.Thread(target=work, name="exe-digest", daemon=True)
    thread.start()
    return thread


def _digest(path: str, limit: int) -> str:
    opened = _open(path)
    if opened is None:
        return ""
    file, key = opened
    with _lock:
        value = _known.get(key, "")
        if value:
            _known.move_to_end(key)
    if value or key[3] > limit:
        file.close()
        return value
    return _hash(file, key)


def _open(path: str) -> tuple[FileIO, _Key] | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode):
        os.close(fd)
        return None
    return FileIO(fd), (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_size)


def _hash(file: FileIO, key: _Key) -> str:
    try:
        with file:
            value = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    with _lock:
        _known[key] = value
        while len(_known) > MAX_KNOWN:
            _known.popitem(last=False)
    return value
