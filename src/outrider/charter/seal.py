"""Signed charters: an Ed25519 signature over the canonical form, in a DSSE envelope.

Source: DSSE 1.0 (secure-systems-lab/dsse), pre-authentication encoding and JSON envelope. A key's id is the SHA-256 of
its raw public key, hex.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from outrider.charter.model import Charter, from_canonical
from outrider.errors import CharterError

PAYLOAD_TYPE = "application/vnd.outrider.charter.v1+json"


class _Signature(msgspec.Struct, frozen=True, kw_only=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id of a public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


PREFIX = "ed25519:"


def written(key: Ed25519PublicKey) -> str:
    """Return a public key as a configuration has it: ``ed25519:`` and base64."""
    return PREFIX + base64.b64encode(key.public_bytes_raw()).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """Return the public key in its written form or in PEM.

    Raises:
        CharterError: It is neither.
    """
    try:
        if text.startswith(PREFIX):
            return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix(PREFIX), validate=True))
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CharterError("not a public key", fix=_KEY) from error
    if not isinstance(key, Ed25519PublicKey):
        raise CharterError("a public key, but not of Ed25519", fix=_KEY)
    return key


_KEY = 'Give "ed25519:..." as `outrider charter trust` prints it, or a file that holds that or the key in PEM.'


def _encoding(payload: bytes) -> bytes:
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(charter: Charter, private_key: Ed25519PrivateKey) -> bytes:
    """Return the envelope of a charter, JSON."""
    payload = charter.canonical()
    signature = _Signature(
        keyid=key_id(private_key.public_key()),
        sig=base64.b64encode(private_key.sign(_encoding(payload))).decode(),
    )
    envelope = _Envelope(payload=base64.b64encode(payload).decode(), payload_type=PAYLOAD_TYPE, signatures=(signature,))
    return msgspec.json.encode(envelope)


def _open(envelope: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    try:
        read = msgspec.json.decode(envelope, type=_Envelope)
        payload = base64.b64decode(read.payload, validate=True)
        signatures = [(one.keyid, base64.b64decode(one.sig, validate=True)) for one in read.signatures]
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise CharterError(f"not a signed charter: {error}") from error
    if read.payload_type != PAYLOAD_TYPE:
        raise CharterError(f'a signed "{read.payload_type}", not a charter')
    return payload, signatures


def verify_signature(envelope: bytes, trusted_keys: Iterable[Ed25519PublicKey]) -> str:
    """Return the id of a trusted key that signed the envelope.

    A signature's own ``keyid`` is a hint and is not believed: every signature is tried with every trusted key.

    Raises:
        CharterError: The envelope cannot be read, or no trusted key signed it.
    """
    payload, signatures = _open(envelope)
    told = _encoding(payload)
    for key in trusted_keys:
        for _, signature in signatures:
            try:
                key.verify(signature, told)
            except InvalidSignature:
                continue
            from_canonical(payload)
            return key_id(key)
    raise CharterError("no trusted key signed this charter", fix="`outrider charter trust` lists the keys that count.")


def charter_in(envelope: bytes, trusted_keys: Iterable[Ed25519PublicKey]) -> tuple[Charter, str]:
    """Return the charter in an envelope and the id of the trusted key that signed it.

    Raises:
        CharterError: As :func:`verify_signature`.
    """
    signer = verify_signature(envelope, trusted_keys)
    return from_canonical(_open(envelope)[0]), signer
