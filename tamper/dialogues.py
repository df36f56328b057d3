"""What a log's keeper, honest or not, sends to a witness, and the status that it must be answered with.

The witness cosigned the honest record's first events before. Source of the statuses: c2sp.org/tlog-witness.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from tamper.folders import LOG, ORIGIN, STRANGER, WITNESSES
from tamper.formats import Signer, note_body

SEEN, SIZE, OLDER = 8, 10, 6
SECONDS = 1_790_000_000


@dataclass(frozen=True)
class Dialogue:
    """One request.

    Attributes:
        name: Its name.
        what: What the sender is up to, one sentence.
        body: The body of the request to ``add-checkpoint``.
        status: What must come back.
        says: The body that must come back, where the protocol fixes it.
    """

    name: str
    what: str
    body: bytes
    status: int
    says: str = ""


def leaves(salt: str, size: int, differs: int) -> list[bytes]:
    """Return leaf hashes; those from ``differs`` on depend on ``salt``."""
    return [hashlib.sha256(f"\0{salt if n >= differs else ''}{n}".encode()).digest() for n in range(size)]


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes. Source: RFC 6962, 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(hashes[:half]) + root(hashes[half:])).digest()


def proof(old: int, hashes: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """Return the proof that the tree over ``hashes`` extends that of its first ``old``. Source: RFC 6962, 2.1.2."""
    if old == len(hashes):
        return [] if known else [root(hashes)]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if old <= half:
        return [*proof(old, hashes[:half], known=known), root(hashes[half:])]
    return [*proof(old - half, hashes[half:], known=False), root(hashes[:half])]


def checkpoint(hashes: Sequence[bytes], signer: Signer = LOG, origin: str = ORIGIN) -> str:
    """Return the signed checkpoint over leaf hashes."""
    body = note_body(origin, len(hashes), root(hashes))
    return f"{body}\n{signer.signs(body)}"


def request(old: int, hashes: Sequence[bytes], path: Sequence[bytes] | None = None, text: str = "") -> bytes:
    """Return the body that asks for a cosignature."""
    path = proof(old, hashes) if path is None else path
    lines = "".join(f"{b64encode(one).decode()}\n" for one in path)
    return f"old {old}\n{lines}\n{text or checkpoint(hashes)}".encode()


def state() -> str:
    """Return the note that the witness remembers: the honest log's first events, cosigned by it."""
    text = checkpoint(_honest(SEEN))
    return text + WITNESSES[0].cosigns(text.partition("\n\n")[0] + "\n", SECONDS)


def _honest(size: int) -> list[bytes]:
    return leaves("", size, size)


def dialogues() -> list[Dialogue]:
    """Return all of them; each is said to the same witness in the same state."""
    honest, forked = _honest(SIZE), leaves("other", SIZE, 4)
    signed = checkpoint(honest)
    broken = signed[:-8] + ("A" if signed[-8] != "A" else "B") + signed[-7:]
    ahead = signed + WITNESSES[0].cosigns(note_body(ORIGIN, SIZE, root(honest)), SECONDS)
    other = Signer("tamper.example/other")
    return [
        Dialogue("extend", "The honest log grew.", request(SEEN, honest), 200),
        Dialogue("again", "The same checkpoint once more.", request(SEEN, _honest(SEEN)), 200),
        Dialogue("fork", "Another history, with a proof of its own.", request(SEEN, forked), 422),
        Dialogue("rewritten", "Another history of the same size.", request(SEEN, forked[:SEEN], []), 422),
        Dialogue("no proof", "The honest log grew, and does not show it.", request(SEEN, honest, []), 422),
        Dialogue("cut proof", "A hash of the proof is missing.", request(SEEN, honest, proof(SEEN, honest)[:-1]), 422),
        Dialogue("rolled back", "An older tree is to follow a newer one.", request(SEEN, honest[:OLDER], []), 400),
        Dialogue(
            "replayed", "As if the newest had never been cosigned.", request(OLDER, honest[:SEEN]), 409, f"{SEEN}\n"
        ),
        Dialogue("anew", "As if nothing had ever been cosigned.", request(0, forked, []), 409, f"{SEEN}\n"),
        Dialogue("stranger", "Signed with another key of the same name.", _by(STRANGER, honest), 403),
        Dialogue("broken", "The log's signature does not hold.", request(SEEN, honest, None, broken), 403),
        Dialogue("unknown", "A log that the witness does not know.", _of(other, honest), 404),
        Dialogue("other log", "Signed with the log's key for another log.", _of(other, honest, LOG), 404),
        Dialogue(
            "forgotten",
            "It bears a cosignature that the witness does not remember.",
            request(SEEN, honest, None, ahead),
            500,
        ),
        Dialogue("no note", "There is no checkpoint.", b"old 8\n\n", 400),
        Dialogue(
            "bad size", "The old size has a leading zero.", request(SEEN, honest).replace(b"old 8", b"old 08"), 400
        ),
    ]


def _by(signer: Signer, hashes: Sequence[bytes]) -> bytes:
    return request(SEEN, hashes, None, checkpoint(hashes, signer))


def _of(log: Signer, hashes: Sequence[bytes], signer: Signer | None = None) -> bytes:
    return request(0, hashes, [], checkpoint(hashes, signer or log, log.name))
