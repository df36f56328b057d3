"""Besides as they lie in the journal: what names somebody, or opens a commitment, is sealed in them.

A frame of the journal is never changed, and its leaf carries the digest of the sealed bytes. So every check of the
record holds after an erasure as before, and what was sealed is noise.
"""

from __future__ import annotations

import msgspec

from outrider.events.content import Sealed
from outrider.events.record import Beside
from outrider.ledger.content.keyring import Keyring

_ABOUT = b"outrider/v1/beside"


class _Within(msgspec.Struct, frozen=True, omit_defaults=True):
    private: dict[str, str] = {}
    salt: bytes = b""


def seal(beside: Beside, keyring: Keyring, subject: str, slot: int) -> Beside:
    """Return a beside whose ``private`` and ``salt`` stand sealed in it too; :func:`closed` is what is written.

    Raises:
        RecordError: The subject's key cannot be made, or the agent's is gone.
    """
    if not beside.private and not beside.salt:
        return beside
    plain = msgspec.msgpack.encode(_Within(beside.private, beside.salt))
    return msgspec.structs.replace(beside, sealed=Sealed(subject, slot, keyring.seal(subject, slot, plain, _ABOUT)))


def closed(beside: Beside) -> Beside:
    """Return a beside as it may be written: nothing of what is sealed stands in it in clear."""
    if beside.sealed is None:
        return beside
    # outrider: allow code.python-fixed-salt -- none stays in clear: it is sealed
    return msgspec.structs.replace(beside, private={}, salt=b"")


def unsealed(beside: Beside, keyring: Keyring | None) -> Beside:
    """Return a beside with what is sealed in it opened; as it is where that was erased, or without keys.

    Raises:
        TamperedError: The keys are there, and the bytes were changed.
    """
    sealed = beside.sealed
    if sealed is None or keyring is None:
        return beside
    plain = keyring.open(sealed.subject, sealed.slot, sealed.data, _ABOUT)
    if plain is None:
        return beside
    within = msgspec.msgpack.decode(plain, type=_Within)
    return msgspec.structs.replace(beside, private=within.private, salt=within.salt)
