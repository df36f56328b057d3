"""The keys that sign credentials, one after the other: private halves of those in use, public halves of all.

``keys/issuer/<thumbprint>.key`` is the private half and is removed when its time is over; ``keys/issuer/history.json``
holds every public half with the time that it signed in. The next key is made, and published, a while before it signs,
so that those who check credentials know it by then. One process writes here: the daemon, which holds the lock.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from outrider.errors import RecordError
from outrider.identity.issuer import Signing
from outrider.identity.jose import jwk_of
from outrider.ledger.keys import issuing_key

HISTORY = "history.json"
AHEAD = 7 * 24 * 3600 * 1_000_000
"""How long before it signs a key is published, microseconds; at most half the time that a key signs."""

_NEW = "next.key"


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer signs with.

    Attributes:
        key: The private half that signs now.
        history: Every public half, oldest first; those after that of ``key`` are published and sign later.
        fresh: Whether nobody said yet that it was written down who signs (:func:`told`).
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
    with _failing(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        history = past(directory)
        signs, follows = _used(directory, history)
        if follows is not None and now >= follows.since:
            return _signing(directory, history, follows)
        if signs is None or (follows is None and now >= signs.since + lasts):
            made = _made(directory, now)
            return _signing(directory, (*history, made), made)
        if follows is None and now >= signs.since + lasts - min(AHEAD, lasts // 2):
            history = (*history, _made(directory, signs.since + lasts))
            _write(directory / HISTORY, history)
        return Keyring(key=issuing_key(_private(directory, signs)), history=history, fresh=not signs.told)


def turn(directory: Path, *, now: int) -> Keyring:
    """Let another key sign from now on, and none of those before, one that is only published included.

    Raises:
        RefusedError: Others than its owner could read a key, or it is not this user's.
        RecordError: A key or the history cannot be read or written.
    """
    with _failing(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _made(directory, now)
        return _signing(directory, (*past(directory), made), made)


def told(directory: Path, kid: str) -> None:
    """Note that it is written down that this key signs.

    Raises:
        RecordError: The history cannot be read or written.
    """
    with _failing(directory):
        history = past(directory)
        noted = (msgspec.structs.replace(one, told=True) if one.jwk.kid == kid else one for one in history)
        _write(directory / HISTORY, tuple(noted))


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


@contextlib.contextmanager
def _failing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(f"the keys in {directory} cannot be read or written: {error.strerror}") from error


def _used(directory: Path, history: tuple[Signing, ...]) -> tuple[Signing | None, Signing | None]:
    """Return the key that signs and the one that follows it; a key whose private half is lost is neither.

    The clock does not say which it is, so one that jumps back makes no new key.
    """
    there = [one for one in history if not one.until and _private(directory, one).exists()]
    return (there[0] if there else None), (there[1] if len(there) > 1 else None)


def _made(directory: Path, since: int) -> Signing:
    """Make a key. The history names it before it signs anything."""
    new = directory / _NEW
    key = issuing_key(new)  # One that a crash left here has signed nothing.
    signing = Signing(jwk=jwk_of(key.public_key()), since=since)
    new.rename(_private(directory, signing))
    return signing


def _signing(directory: Path, history: tuple[Signing, ...], signing: Signing) -> Keyring:
    """Let a key of the history sign, and end all others; their private halves go last."""
    signed = next((one for one in history if not one.until and one != signing), None)
    kept = []
    for one in history:
        # One that was only published ends before it begins; one that signed, not before: clocks may jump back.
        until = max(signing.since, one.since) if one == signed else signing.since
        kept.append(one if one.until or one == signing else msgspec.structs.replace(one, until=until))
    _write(directory / HISTORY, tuple(kept))
    for one in kept:
        if one.until:
            _private(directory, one).unlink(missing_ok=True)
    return Keyring(key=issuing_key(_private(directory, signing)), history=tuple(kept), fresh=not signing.told)


def _private(directory: Path, signing: Signing) -> Path:
    return directory / f"{signing.jwk.kid}.key"


def _write(path: Path, history: tuple[Signing, ...]) -> None:
    """Write the history whole or not at all, 0600."""
    fd, name = tempfile.mkstemp(prefix=".history-", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(msgspec.json.encode(history))
            file.flush()
            os.fsync(fd)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
