"""What a witness answers, without HTTP. Source: c2sp.org/tlog-witness."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.errors import BadInputError, RecordError
from outrider.ledger.keys import WitnessKey
from outrider.ledger.note import check_name
from outrider.ledger.verify.notes import (
    LATTICE,
    WITNESS,
    Note,
    Signature,
    Verifier,
    cosigned_by,
    cosigned_text,
    signed_by,
)
from outrider.witness.proof import EMPTY, extends
from outrider.witness.request import Request, parse
from outrider.witness.state import Seen, State, origin_hash

PLAIN = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


class Answer(NamedTuple):
    """An HTTP status, a body, and its type."""

    status: int
    body: str
    media: str = PLAIN


def verifier(name: str, key: WitnessKey) -> Verifier:
    """Return the public half of a witness's key.

    Raises:
        BadInputError: ``name`` cannot name a key.
    """
    kind = WITNESS if isinstance(key, Ed25519PrivateKey) else LATTICE
    return Verifier(check_name(name), kind, key.public_key().public_bytes_raw())


def cosign(note: Note, own: Verifier, key: WitnessKey, seconds: int) -> str:
    """Return the line, without its newline, that cosigns a checkpoint. Source: c2sp.org/tlog-cosignature.

    Raises:
        BadInputError: The note is no checkpoint.
    """
    raw = own.hint + seconds.to_bytes(8, "big") + key.sign(cosigned_text(note, own, seconds))
    return f"\u2014 {own.name} {b64encode(raw).decode()}"


class Witness:
    """Cosigns the checkpoints of the logs that it knows. Safe to use from several threads."""

    def __init__(
        self,
        own: Verifier,
        key: WitnessKey,
        logs: Mapping[str, Sequence[Verifier]],
        state: State,
        clock: Callable[[], int],
    ) -> None:
        """Make a witness.

        Args:
            own: The public half of ``key``, with the witness's name.
            key: What it cosigns with; it signs nothing else.
            logs: The keys of each log, by origin.
            state: What it remembers, opened for the same logs.
            clock: Seconds since 1970 UTC.
        """
        self.own = own
        self._key = key
        self._logs = logs
        self._state = state
        self._clock = clock
        self._locks = {origin: Lock() for origin in logs}
        self._by_hash = {origin_hash(origin): origin for origin in logs}

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the answer to a log that asks for a cosignature: 200 and the line, or why not.

        Checking what was cosigned last and remembering what is cosigned now happen under the log's own lock.
        """
        try:
            request = parse(body)
        except BadInputError as error:
            return Answer(400, f"{error}\n")
        keys = self._logs.get(request.head.origin)
        if keys is None:
            return Answer(404, "this log is not known here\n")
        try:
            signatures = [line for key in keys if (line := signed_by(request.note, key)) is not None]
            own = cosigned_by(request.note, self.own)
        except BadInputError as error:
            return Answer(403, f"{error}\n")
        if not signatures:
            return Answer(403, "the checkpoint is not signed by a key of its log that is trusted here\n")
        if request.old > request.head.size:
            return Answer(400, f"the old size {request.old} is larger than the checkpoint's, {request.head.size}\n")
        with self._locks[request.head.origin]:
            if own is not None and self._forgot(request):
                return Answer(500, "this witness cosigned that checkpoint and does not remember: it was put back\n")
            return self._objection(request) or self._cosign(request.note, request, signatures)

    def checkpoint(self, name: str) -> Answer:
        """Return the checkpoint of the log whose origin has that hash, as it was cosigned last."""
        seen = self._state.seen.get(self._by_hash.get(name, ""))
        return Answer(200, seen.text) if seen is not None else Answer(404, "nothing of that log was cosigned here\n")

    def _forgot(self, request: Request) -> bool:
        """Return whether a checkpoint that carries our own cosignature is ahead of what we remember, or beside it."""
        seen = self._state.seen.get(request.head.origin)
        if seen is None or request.head.size > seen.head.size:
            return True
        return request.head.size == seen.head.size and request.head.root != seen.head.root

    def _objection(self, request: Request) -> Answer | None:
        seen = self._state.seen.get(request.head.origin)
        old_size, old_root = (seen.head.size, seen.head.root) if seen is not None else (0, EMPTY)
        if request.old != old_size:
            return Answer(409, f"{old_size}\n", SIZE)
        if request.head.size == 0 and request.head.root != EMPTY:
            return Answer(422, "the root of an empty tree is the hash of nothing\n")
        if not extends((old_size, old_root), (request.head.size, request.head.root), request.proof):
            return Answer(422, f"it is not shown that the tree extends the one of {old_size} that was cosigned\n")
        return None

    def _cosign(self, note: Note, request: Request, signatures: Sequence[Signature]) -> Answer:
        seconds = self._clock()
        line = cosign(note, self.own, self._key, seconds)
        lines = "".join(f"{one}\n" for one in (*(signature.line for signature in signatures), line))
        try:
            self._state.put(Seen(request.head, f"{note.body}\n{lines}", seconds))
        except RecordError as error:
            return Answer(500, f"{error}\n")
        return Answer(200, f"{line}\n")
