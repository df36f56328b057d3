"""Private keys on disk: made once, private to the user, refused when others could read them."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from outrider.errors import RecordError, RefusedError

PRINT_KEY = 32
"""Size of a print key in bytes."""


def log_key(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key that signs checkpoints, made at ``path`` (PKCS #8, PEM) if there is none.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: The file is no such key, or cannot be read or made.
    """
    key = _signing(path, _restore(path), _new_log_key)
    if not isinstance(key, Ed25519PrivateKey):
        raise RecordError(f"{path} holds a key that is not Ed25519", fix=_restore(path))
    return key


WitnessKey = Ed25519PrivateKey | MLDSA44PrivateKey


def witness_key(path: Path, *, lattice: bool = False) -> WitnessKey:
    """Return the key that a witness cosigns with, made at ``path`` (PKCS #8, PEM) if there is none.

    Args:
        path: Its file.
        lattice: Whether one that is made is of ML-DSA-44 rather than Ed25519.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: The file is no such key, or cannot be read or made.
    """
    fix = f"Restore {path} from a backup; with a new key it is another witness."
    key = _signing(path, fix, _new_lattice_key if lattice else _new_log_key)
    if not isinstance(key, Ed25519PrivateKey | MLDSA44PrivateKey):
        raise RecordError(f"{path} holds a key that is neither of Ed25519 nor of ML-DSA-44", fix=fix)
    return key


def _signing(path: Path, fix: str, make: Callable[[], bytes]) -> object:
    data = _load_or_create(path, make)
    try:
        return load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RecordError(f"{path} holds no private key", fix=fix) from error


def print_key(path: Path) -> bytes:
    """Return the 32 bytes that key the fingerprints, made at ``path`` if there are none.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: The file has another size, or cannot be read or made.
    """
    return _secret(path, _restore(path))


def token_key(path: Path) -> bytes:
    """Return the 32 bytes of the Ed25519 key that mints delegation tokens, made at ``path`` if there are none.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: The file has another size, or cannot be read or made.
    """
    return _secret(path, f"Remove {path}: a new key is made, and every token of before is void.")


def issuing_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key that signs credentials, made at ``path`` (PKCS #8, PEM) if there is none.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: The file is no such key, or cannot be read or made.
    """
    fix = f"Remove {path}: a new key is made, and the public half of the old one stays known."
    data = _load_or_create(path, _new_issuing_key)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RecordError(f"{path} holds no private key", fix=fix) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RecordError(f"{path} holds a key that is not of P-256", fix=fix)
    return key


def _secret(path: Path, fix: str) -> bytes:
    data = _load_or_create(path, lambda: secrets.token_bytes(PRINT_KEY))
    if len(data) != PRINT_KEY:
        raise RecordError(f"{path} holds {len(data)} bytes instead of {PRINT_KEY}", fix=fix)
    return data


def _restore(path: Path) -> str:
    return f"Restore {path} from a backup; a new key makes a new record."


def _new_log_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_lattice_key() -> bytes:
    return MLDSA44PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_issuing_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the bytes of a private file, made at ``path`` from ``make`` if there is none.

    Raises:
        RefusedError: Others than its owner could read the file, or it is not this user's.
        RecordError: It cannot be read or made.
    """
    return _load_or_create(path, make)


def _load_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        if not path.exists():
            _create(path, make())
        return _load(path)
    except OSError as error:
        raise RecordError(f"the key {path} cannot be read or made: {error.strerror}") from error


def _load(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        facts = os.fstat(fd)
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise RefusedError(f"the key {path} can be read by others than its owner", fix=f"Run: chmod 600 {path}")
        if facts.st_uid != os.geteuid():
            raise RefusedError(f"the key {path} belongs to another user", fix="Run as the user who owns the record.")
        return file.read()


def _create(path: Path, data: bytes) -> None:
    """Make the file whole or not at all; where another process was faster, its file stands."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
