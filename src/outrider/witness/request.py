"""The body of ``add-checkpoint``, read strictly. Source: c2sp.org/tlog-witness."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from outrider.errors import BadInputError
from outrider.ledger.verify.formats import Head
from outrider.ledger.verify.notes import Note, head_of, parse_note, parse_size

MOST = 256 * 1024
"""Longest body that is read, in bytes: 64 signatures of 2.4 kB have room."""

_MOST_HASHES = 63
_HASH = 32


@dataclass(frozen=True)
class Request:
    """What a log asks for.

    Attributes:
        old: Size of the tree that it believes was cosigned last.
        proof: Hashes of the proof that the new tree extends that one.
        note: The new checkpoint.
        head: What it says.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note
    head: Head


def parse(body: bytes) -> Request:
    """Return the request in ``body``.

    Raises:
        BadInputError: It is not the old size, hashes, an empty line and a checkpoint.
    """
    top, blank, rest = body.partition(b"\n\n")
    if not blank:
        raise BadInputError("there is no empty line before the checkpoint")
    try:
        first, *lines = top.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInputError("the lines before the checkpoint are not ASCII") from error
    if not first.startswith("old "):
        raise BadInputError("the first line is not `old` and a size")
    if len(lines) > _MOST_HASHES:
        raise BadInputError(f"a proof has at most {_MOST_HASHES} hashes")
    note = parse_note(rest)
    return Request(
        old=parse_size(first.removeprefix("old ")),
        proof=tuple(_hash(line) for line in lines),
        note=note,
        head=head_of(note),
    )


def render(old: int, proof: tuple[bytes, ...], checkpoint: str) -> bytes:
    """Return the body that asks for a cosignature on the text of a checkpoint."""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"old {old}\n{hashes}\n{checkpoint}".encode()


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("a line of the proof is not base64") from error
    if len(raw) != _HASH or base64.b64encode(raw).decode() != line:
        raise BadInputError("a line of the proof is not the base64 of 32 bytes")
    return raw
