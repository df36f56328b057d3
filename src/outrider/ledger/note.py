"""Signed notes and checkpoints, as the writer makes them. Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from outrider.errors import BadInputError, TamperedError

_ED25519 = b"\x01"


class Checkpoint(NamedTuple):
    """A signed statement: the log ``origin`` had ``size`` leaves and this ``root``. ``text`` is the whole note."""

    origin: str
    size: int
    root: bytes
    text: str


def check_name(name: str) -> str:
    """Return ``name`` if it can name a key and a log.

    Raises:
        BadInputError: It is empty, or holds white space or a plus sign.
    """
    if not name or "+" in name or name.split() != [name]:
        raise BadInputError(f"{name!r} cannot name a log", fix="Use a name without white space and plus signs.")
    return name


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes by which a note names a key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """Return the verifier key ``name+hash+base64`` of a raw Ed25519 public key."""
    return f"{name}+{key_id(name, public).hex()}+{b64encode(_ED25519 + public).decode()}"


def sign(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> Checkpoint:
    """Return the checkpoint signed with ``key``, whose name is the origin."""
    body = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
    signature = key_id(origin, key.public_key().public_bytes_raw()) + key.sign(body.encode())
    return Checkpoint(origin, size, root, f"{body}\n\u2014 {origin} {b64encode(signature).decode()}\n")


def open_checkpoint(text: str, origin: str, public: Ed25519PublicKey) -> Checkpoint:
    """Return a checkpoint that ``public`` signed for ``origin``.

    Raises:
        TamperedError: It is malformed, of another log, or not signed by that key.
    """
    body, _, signatures = text.rpartition("\n\n")
    body += "\n"
    mark = f"\u2014 {origin} "
    lines = body.split("\n")
    for line in signatures.splitlines():
        if not line.startswith(mark):
            continue
        try:
            raw = b64decode(line[len(mark) :], validate=True)
            if raw[:4] != key_id(origin, public.public_bytes_raw()):
                continue
            public.verify(raw[4:], body.encode())
            root = b64decode(lines[2], validate=True)
            size = int(lines[1])
        except (InvalidSignature, Base64Error, ValueError, IndexError) as error:
            raise TamperedError("the record's checkpoint is not what was signed") from error
        if lines[0] != origin or len(root) != 32 or str(size) != lines[1]:
            raise TamperedError("the record's checkpoint is of another log or malformed")
        return Checkpoint(origin, size, root, text)
    raise TamperedError(
        "the record's checkpoint is not signed by this log's key",
        fix="If the key was replaced on purpose, move the record away and start a new one.",
    )


def proof_text(index: int, path: Sequence[bytes], checkpoint: Checkpoint) -> str:
    """Return a proof file: the index, the sibling hashes nearest first, the checkpoint. Source: c2sp.org/tlog-proof."""
    hashes = "".join(f"{b64encode(sibling).decode()}\n" for sibling in path)
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{checkpoint.text}"
