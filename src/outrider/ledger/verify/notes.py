"""Signed notes with several signatures, and timestamped cosignatures, read strictly and for checking only.

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature (Ed25519, and ML-DSA-44 of FIPS 204).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from outrider.errors import BadInputError, UnavailableError
from outrider.ledger.verify.formats import Head

LOG, WITNESS, LATTICE = 1, 4, 6
"""Signature types of a verifier key: one that signs notes, one that cosigns checkpoints with Ed25519, one that cosigns
them with ML-DSA-44, which no quantum computer forges."""

MOST_SIGNATURES = 64
LARGEST = (1 << 63) - 1
_DASH = "\u2014 "
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HASH = 32
_LENGTH = {LOG: 32, WITNESS: 32, LATTICE: 1312}
"""Bytes of a public key of each type."""

_Parts = Callable[[bytes], tuple[bytes, bytes]]


@dataclass(frozen=True)
class Verifier:
    """A key that a signature is checked with.

    Attributes:
        name: Its name in notes; of a log's key, the log's origin.
        kind: :data:`LOG`, :data:`WITNESS` or :data:`LATTICE`.
        raw: The bytes of its public key: 32 of Ed25519, 1,312 of ML-DSA-44.
    """

    name: str
    kind: int
    raw: bytes

    @property
    def hint(self) -> bytes:
        """The four bytes that a note names it by."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.raw).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as ``name+hash+base64``."""
        return f"{self.name}+{self.hint.hex()}+{base64.b64encode(bytes([self.kind]) + self.raw).decode()}"


@dataclass(frozen=True)
class Signature:
    """One signature line: the key's name, the four bytes that name it, what was signed, and the line itself."""

    name: str
    hint: bytes
    raw: bytes
    line: str


@dataclass(frozen=True)
class Note:
    """A signed note, not checked yet. ``body`` ends in a newline; the blank line behind it belongs to neither part."""

    body: str
    signatures: tuple[Signature, ...]


def parse_verifier(text: str, *, kind: int) -> Verifier:
    """Return the key in ``name+hash+base64``.

    Where a witness's key is wanted, one of :data:`LATTICE` is as good as one of :data:`WITNESS`.

    Raises:
        BadInputError: It is none, or not one of that ``kind``.
    """
    try:
        name, hint, encoded = text.strip().split("+", 2)
        raw, named = base64.b64decode(encoded, validate=True), bytes.fromhex(hint)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("a verifier key reads name+hash+base64") from error
    if not raw or len(raw) != 1 + _LENGTH.get(raw[0], -1):
        raise BadInputError(f"the verifier key of {name} is not one of Ed25519, nor of ML-DSA-44 for a witness")
    if raw[0] != kind and (kind, raw[0]) != (WITNESS, LATTICE):
        is_for = {LOG: "a log's own key (type 01)", WITNESS: "a witness's key (type 04 or 06)"}
        is_for[LATTICE] = is_for[WITNESS]
        raise BadInputError(f"the verifier key of {name} is {is_for[raw[0]]}, and {is_for[kind]} is wanted")
    key = Verifier(name, raw[0], raw[1:])
    if not _is_name(name) or key.hint != named:
        raise BadInputError(f"the hash in the verifier key of {name} is not that of its name and key")
    return key


def parse_note(data: bytes) -> Note:
    """Return the parts of a signed note.

    Raises:
        BadInputError: It is not UTF-8, holds control characters, or is not text, a blank line and signature lines.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadInputError("a note is UTF-8") from error
    if any(char < " " and char != "\n" for char in text):
        raise BadInputError("a note holds no control characters but newlines")
    body, blank, rest = text.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise BadInputError("a note is text, a blank line, and lines of signatures")
    lines = rest[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadInputError(f"a note of more than {MOST_SIGNATURES} signatures is not read")
    return Note(body + "\n", tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """Return the parts of one signature line, given without its newline.

    Raises:
        BadInputError: It is none.
    """
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("a line of the note's signatures is malformed") from error
    one_way = base64.b64encode(raw).decode() == encoded
    if not line.startswith(_DASH) or not space or not _is_name(name) or len(raw) <= 4 or not one_way:
        raise BadInputError("a line of the note's signatures is malformed")
    return Signature(name, raw[:4], raw[4:], line)


def head_of(note: Note) -> Head:
    """Return what a checkpoint says, whoever signed it.

    Raises:
        BadInputError: Its text is not origin, size and root.
    """
    lines = note.body[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadInputError("a checkpoint says origin, size and root, each on a line")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("the checkpoint's root is not base64") from error
    size = parse_size(lines[1])
    if len(root) != _HASH or base64.b64encode(root).decode() != lines[2]:
        raise BadInputError("the checkpoint's root is not the base64 of 32 bytes")
    return Head(lines[0], size, root)


def parse_size(text: str) -> int:
    """Return a tree's size: decimal, without leading zeros, below 2**63.

    Raises:
        BadInputError: It is written otherwise.
    """
    if not _NUMBER.fullmatch(text) or int(text) > LARGEST:
        raise BadInputError("a tree's size is a decimal number below 2**63, without leading zeros")
    return int(text)


def signed_by(note: Note, key: Verifier) -> Signature | None:
    """Return the line by which a log's ``key`` signed ``note``, None if it did not.

    Raises:
        BadInputError: A line names that key and its signature does not hold: the whole note is malformed.
    """
    return _found(note, key, lambda raw: (raw, note.body.encode()))


def cosigned_by(note: Note, key: Verifier) -> tuple[Signature, int] | None:
    """Return the line by which a witness's ``key`` cosigned ``note`` and when (seconds since 1970 UTC), or None.

    Raises:
        BadInputError: A line names that key and its signature does not hold: the whole note is malformed.
    """
    line = _found(note, key, lambda raw: (raw[8:], cosigned_text(note, key, int.from_bytes(raw[:8], "big"))))
    return (line, int.from_bytes(line.raw[:8], "big")) if line is not None else None


def cosigned_text(note: Note, key: Verifier, seconds: int) -> bytes:
    """Return what a witness with that key signs to cosign a checkpoint.

    With Ed25519 it is the note's text behind the time; with ML-DSA-44 the structure ``cosigned_message``, in which the
    cosigner's name stands and extension lines do not.

    Raises:
        BadInputError: The note is no checkpoint, or a name does not fit the structure.
    """
    if key.kind == WITNESS:
        return f"cosignature/v1\ntime {seconds}\n{note.body}".encode()
    head = head_of(note)
    names = [name.encode() for name in (key.name, head.origin)]
    if any(not 0 < len(name) < 256 for name in names):
        raise BadInputError("names of logs and cosigners have at most 255 bytes")
    own, origin = [bytes([len(name)]) + name for name in names]
    when, start, end = [number.to_bytes(8, "big") for number in (seconds, 0, head.size)]
    return b"subtree/v1\n\0" + own + when + origin + start + end + head.root


def _found(note: Note, key: Verifier, parts: _Parts) -> Signature | None:
    found = [one for one in note.signatures if one.name == key.name and one.hint == key.hint]
    for one in found:
        raw, text = parts(one.raw)
        when = int.from_bytes(one.raw[:8], "big") if key.kind != LOG else 1
        try:
            _public(key).verify(raw, text)
        except InvalidSignature as error:
            raise BadInputError(f"the signature of {key.name} does not hold") from error
        if not 0 < when <= LARGEST:
            raise BadInputError(f"the cosignature of {key.name} has no time")
    return found[-1] if found else None


def _public(key: Verifier) -> Ed25519PublicKey | MLDSA44PublicKey:
    try:
        return _KEYS[key.kind](key.raw)
    except UnsupportedAlgorithm as error:
        fix = "Update the package cryptography, and the OpenSSL that it uses."
        raise UnavailableError(f"the key of {key.name} is of ML-DSA-44, which is not known here", fix=fix) from error


_KEYS: dict[int, Callable[[bytes], Ed25519PublicKey | MLDSA44PublicKey]] = {
    LOG: Ed25519PublicKey.from_public_bytes,
    WITNESS: Ed25519PublicKey.from_public_bytes,
    LATTICE: MLDSA44PublicKey.from_public_bytes,
}


def _is_name(name: str) -> bool:
    return "+" not in name and name.split() == [name]
