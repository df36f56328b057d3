"""ES256 in its compact form (RFC 7515, RFC 7518): tokens signed and read, keys as JWKs. Nothing else of JOSE.

One algorithm, so that no token can choose another: a header that names anything but ``ES256``, or that says what is
not known here, is refused before its signature is looked at. The cryptography is the library's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from outrider.errors import BadInputError, RefusedError

ALGORITHM = "ES256"
MAX_TOKEN = 16 * 1024
"""Longest token in characters."""

_HALF = 32
_SIGN = ec.ECDSA(SHA256())
_BASE64 = re.compile(r"[A-Za-z0-9_-]*")
_RULE = "identity.credential"


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before the claims.

    Attributes:
        alg: Always ``ES256``.
        kid: Thumbprint of the key that signed.
        typ: ``JWT``.
    """

    alg: str
    kid: str
    typ: str = "JWT"


class Jwk(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of a key (RFC 7517); ``kid`` is its thumbprint (RFC 7638).

    Attributes:
        x: First coordinate, base64url.
        y: Second coordinate, base64url.
        kid: Thumbprint.
    """

    x: str
    y: str
    kid: str

    def public(self) -> ec.EllipticCurvePublicKey:
        """Return the key.

        Raises:
            BadInputError: It is no point of the curve.
        """
        try:
            x, y = (int.from_bytes(unbase64(half)) for half in (self.x, self.y))
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError as error:
            raise BadInputError(f"key {self.kid[:12]!r} is no point of P-256") from error

    def document(self) -> dict[str, str]:
        """Return the key as a JWKS holds it."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


def jwk_of(key: ec.EllipticCurvePublicKey) -> Jwk:
    """Return a public key as a JWK."""
    numbers = key.public_numbers()
    x, y = (base64url(half.to_bytes(_HALF)) for half in (numbers.x, numbers.y))
    print_of = hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest()
    return Jwk(x=x, y=y, kid=base64url(print_of))


def sign(key: ec.EllipticCurvePrivateKey, kid: str, claims: dict[str, Any]) -> str:
    """Return the token of some claims."""
    head = base64url(msgspec.json.encode(Header(alg=ALGORITHM, kid=kid)))
    text = f"{head}.{base64url(msgspec.json.encode(claims))}"
    r, s = decode_dss_signature(key.sign(text.encode(), _SIGN))
    return f"{text}.{base64url(r.to_bytes(_HALF) + s.to_bytes(_HALF))}"


def read_header(text: str) -> Header:
    """Return the header of a token, which nothing vouches for yet.

    Raises:
        BadInputError: It is no such token.
    """
    try:
        header = msgspec.json.decode(read_head(text), type=Header)
    except (ValueError, msgspec.DecodeError) as error:
        raise BadInputError(f"not a credential: its header cannot be read: {error}") from error
    if header.alg != ALGORITHM or header.typ != "JWT":
        raise BadInputError(f"not a credential: it says {header.alg[:20]!r}, and only {ALGORITHM} is known")
    return header


def read_head(text: str) -> bytes:
    """Return the bytes of a token's header.

    Raises:
        BadInputError: It has no three parts.
        ValueError: Its first part is no base64url.
    """
    parts = text.split(".")
    if len(text) > MAX_TOKEN or len(parts) != 3:
        raise BadInputError("not a credential: a token has three parts", fix="`outrider credential token` makes one.")
    return unbase64(parts[0])


def verified(text: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """Return the claims that a key vouches for.

    Raises:
        BadInputError: It is no such token.
        RefusedError: The key does not vouch for it.
    """
    read_header(text)
    return claims_under(text, key)


def claims_under(text: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """Return the claims that a key vouches for, whatever stands in the header, which the caller has read.

    Raises:
        BadInputError: It cannot be read.
        RefusedError: The key does not vouch for it.
    """
    signed, _, last = text.rpartition(".")
    try:
        signature = unbase64(last)
        if len(signature) != 2 * _HALF:
            raise RefusedError("this credential was cut: its signature has another length", rule=_RULE)
        halves = (int.from_bytes(half) for half in (signature[:_HALF], signature[_HALF:]))
        key.verify(encode_dss_signature(*halves), signed.encode(), _SIGN)
        claims = msgspec.json.decode(unbase64(signed.partition(".")[2]))
    except InvalidSignature as error:
        raise RefusedError("this credential was not issued under that key, or was changed since", rule=_RULE) from error
    except (ValueError, msgspec.DecodeError) as error:
        raise BadInputError(f"not a credential: it cannot be read: {error}") from error
    if not isinstance(claims, dict):
        raise BadInputError("not a credential: its claims are no object")
    return claims


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64(text: str) -> bytes:
    """Return the bytes of base64url without padding, written the one way that they can be.

    Raises:
        ValueError: It is not that.
    """
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64url(data) != text:
        raise ValueError("base64url with bits to spare")
    return data
