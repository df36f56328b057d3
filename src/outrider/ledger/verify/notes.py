"""Signed notes with several signatures, and timestamped cosignatures, read strictly and for checking only.

Sources: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature (version 1, Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from outrider.errors import BadInputError
from outrider.ledger.verify.formats import Head

LOG, WITNESS = 1, 4
"""Signature types of a verifier key: one that signs notes, and one that cosigns checkpoints."""

MOST_SIGNATURES = 64
LARGEST = (1 << 63) - 1
_DASH = "\u2014 "
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HASH = 32

_Parts = Callable[[bytes], tuple[bytes, bytes]]


@dataclass(frozen=True)
class Verifier:
    """A key that a signature is checked with.

    Attributes:
        name: Its name in notes; of a log's key, the log's origin.
        kind: :data:`LOG` or :data:`WITNESS`.
        raw: The 32 bytes of its Ed25519 public key.
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

    Raises:
        BadInputError: It is none, or not one of that ``kind``.
    """
    try:
        name, hint, encoded = text.strip().split("+", 2)
        raw, named = base64.b64decode(encoded, validate=True), bytes.fromhex(hint)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("a verifier key reads name+hash+base64") from error
    if len(raw) != 1 + _HASH or raw[0] not in (LOG, WITNESS):
        raise BadInputError(f"the verifier key of {name} is not an Ed25519 key")
    if raw[0] != kind:
        is_for = {LOG: "a log's own key (type 01)", WITNESS: "a witness's key (type 04)"}
        raise BadInputError(f"the verifier key of {name} is {is_for[raw[0]]}, and {is_for[kind]} is wanted")
    key = Verifier(name, kind, raw[1:])
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
    line = _found(note, key, lambda raw: (raw[8:], cosigned_text(note.body, int.from_bytes(raw[:8], "big"))))
    return (line, int.from_bytes(line.raw[:8], "big")) if line is not None else None


def cosigned_text(body: str, seconds: int) -> bytes:
    """Return what a witness signs to cosign the note of that text."""
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def _found(note: Note, key: Verifier, parts: _Parts) -> Signature | None:
    found = [one for one in note.signatures if one.name == key.name and one.hint == key.hint]
    public = Ed25519PublicKey.from_public_bytes(key.raw)
    for one in found:
        raw, text = parts(one.raw)
        when = int.from_bytes(one.raw[:8], "big") if key.kind == WITNESS else 1
        try:
            public.verify(raw, text)
        except InvalidSignature as error:
            raise BadInputError(f"the signature of {key.name} does not hold") from error
        if not 0 < when <= LARGEST:
            raise BadInputError(f"the cosignature of {key.name} has no time")
    return found[-1] if found else None


def _is_name(name: str) -> bool:
    return "+" not in name and name.split() == [name]
