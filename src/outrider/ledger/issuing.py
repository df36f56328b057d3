"""The keys that sign credentials, one after the other: the private half of the newest, the public halves of all.

``keys/issuer/<thumbprint>.key`` is the private half and is removed when its time is over; ``keys/issuer/history.json``
holds every public half with the time that it signed in. One process writes here: the daemon, which holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from outrider.errors import RecordError
from outrider.identity.issuer import Signing
from outrider.identity.jose import jwk_of
from outrider.ledger.keys import issuing_key

HISTORY = "history.json"
_NEW = "next.key"


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer signs with.

    Attributes:
        key: The private half that signs now.
        history: Every public half, oldest first; the last is that of ``key``.
        fresh: Whether the key was made just now.
    """

    key: ec.EllipticCurvePrivateKey
    history: tuple[Signing, ...]
    fresh: bool = False


def keyring(directory: Path, *, now: int, lasts: int) -> Keyring:
    """Return the keys in ``directory``, with a new one if there is none or the newest has signed for long enough.

    Args:
        directory: Where they lie; made if it is missing.
        now: Microseconds since 1970 UTC.
        lasts: How long a key signs, microseconds.

    Raises:
        RefusedError: Others than its owner could read a key, or it is not this user's.
        RecordError: A key or the history cannot be read or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        history = past(directory)
        last = history[-1] if history else None
        if last is not None and now < last.since + lasts and _private(directory, last).exists():
            return Keyring(key=issuing_key(_private(directory, last)), history=history)
        return _turned(directory, history, now)
    except OSError as error:
        raise RecordError(f"the keys in {directory} cannot be read or written: {error.strerror}") from error


def past(directory: Path) -> tuple[Signing, ...]:
    """Return every public half in ``directory``, oldest first; none if there is no issuer yet.

    Raises:
        RecordError: The history is damaged.
        OSError: It cannot be read.
    """
    path = directory / HISTORY
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Signing, ...])
    except FileNotFoundError:
        return ()
    except msgspec.DecodeError as error:
        raise RecordError(
            f"{path} holds no history of keys: {error}",
            fix="Restore it from a backup, or from the record, which holds every key as it was made.",
        ) from error


def _turned(directory: Path, history: tuple[Signing, ...], now: int) -> Keyring:
    """Make the next key. The history names it before it signs anything, and the old private half goes last."""
    new = directory / _NEW
    key = issuing_key(new)  # One that a crash left here has signed nothing.
    signing = Signing(jwk=jwk_of(key.public_key()), since=now)
    new.rename(_private(directory, signing))
    ended = tuple(one if one.until else msgspec.structs.replace(one, until=max(now, one.since)) for one in history)
    _write(directory / HISTORY, msgspec.json.encode((*ended, signing)))
    for one in ended:
        _private(directory, one).unlink(missing_ok=True)
    return Keyring(key=key, history=(*ended, signing), fresh=True)


def _private(directory: Path, signing: Signing) -> Path:
    return directory / f"{signing.jwk.kid}.key"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, 0600."""
    fd, name = tempfile.mkstemp(prefix=".history-", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
