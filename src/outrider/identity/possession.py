"""Proof that whoever asks holds a key: a DPoP proof (RFC 9449), made for one request, read without I/O.

A proof is an ES256 token that brings its own public key. It vouches for nothing but itself, so the key counts only by
its thumbprint: that of the key that a credential is bound to, or is to be bound to from now on.
"""

from __future__ import annotations

import hashlib

import msgspec

from outrider.errors import BadInputError, RefusedError
from outrider.identity.jose import ALGORITHM, Jwk, base64url, claims_under, jwk_of, read_head

TYPE = "dpop+jwt"
LASTS = 60
"""Seconds by which the time of a proof may be off."""

MOST_ID = 128
_US = 1_000_000
_RULE = "identity.possession"


class _Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key as a proof brings it. Private halves and keys by reference are not known fields."""

    kty: str
    crv: str
    x: str
    y: str


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alg: str
    typ: str
    jwk: _Key


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    jti: str
    htm: str
    htu: str
    iat: int
    ath: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A proof that held.

    Attributes:
        jkt: Thumbprint of its key (RFC 7638).
        id: Its own id; whoever takes it twice within :data:`LASTS` has been shown a copy.
    """

    jkt: str
    id: str


def prove(text: str, *, method: str, addresses: tuple[str, ...], now: int, token: str = "") -> Proof:
    """Return what a proof shows, if it was made for this request, at this time, with this token.

    1. it is a proof, ES256, and brings the public half of a key on P-256; 2. that key signed it; 3. it was made for
    this method and address; 4. just now; 5. for the token that it is shown with.

    Args:
        text: The proof.
        method: The request's method.
        addresses: The names that the address goes by, without a query.
        now: Microseconds since 1970 UTC.
        token: The token that it is shown with, or empty.

    Raises:
        BadInputError: It is no proof.
        RefusedError: It does not hold for this request.
    """
    try:
        head = msgspec.json.decode(read_head(text), type=_Head)
    except (ValueError, msgspec.DecodeError) as error:
        raise BadInputError(f"not a proof: its header cannot be read: {error}") from error
    if (head.alg, head.typ, head.jwk.kty, head.jwk.crv) != (ALGORITHM, TYPE, "EC", "P-256"):
        raise BadInputError(f"not a proof: it is {TYPE}, {ALGORITHM}, with a key on P-256")
    key = Jwk(x=head.jwk.x, y=head.jwk.y, kid="").public()
    try:
        said = msgspec.convert(claims_under(text, key), _Claims)
    except msgspec.ValidationError as error:
        raise BadInputError(f"not a proof: {error}") from error
    if said.htm != method or said.htu.partition("?")[0].partition("#")[0] not in addresses:
        raise RefusedError("this proof was made for another request", rule=_RULE)
    if abs(said.iat - now // _US) > LASTS:
        raise RefusedError("this proof was not made just now", fix="Make one for each request.", rule=_RULE)
    if said.ath != (hash_of(token) if token else ""):
        raise RefusedError("this proof was made for another token", rule=_RULE)
    if not 0 < len(said.jti) <= MOST_ID:
        raise BadInputError(f"not a proof: its id has between 1 and {MOST_ID} characters")
    return Proof(jkt=jwk_of(key).kid, id=said.jti)


def hash_of(token: str) -> str:
    """Return the hash by which a proof names the token that it is shown with (``ath``)."""
    return base64url(hashlib.sha256(token.encode()).digest())


class Shown:
    """The proofs that were shown within the last minutes, so that none is taken twice."""

    def __init__(self, most: int = 65_536) -> None:
        self._most = most
        self._until: dict[tuple[str, str], int] = {}

    def take(self, proof: Proof, now: int) -> None:
        """Take note of a proof at ``now`` (microseconds since 1970 UTC).

        Raises:
            RefusedError: It was shown before, or so many are shown that this could not be told.
        """
        key = (proof.jkt, proof.id)
        while self._until and (oldest := next(iter(self._until.items())))[1] < now:
            del self._until[oldest[0]]
        if key in self._until:
            raise RefusedError("this proof was shown before", fix="Make one for each request.", rule=_RULE)
        if len(self._until) >= self._most:
            raise RefusedError("more proofs are shown than can be remembered", rule=_RULE)
        self._until[key] = now + 2 * LASTS * _US
