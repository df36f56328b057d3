"""Signed statements about files: an in-toto Statement in a DSSE envelope.

Sources: DSSE 1.0 (secure-systems-lab/dsse), in-toto Statement 1.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.ledger.note import key_id

_TYPE = "application/vnd.in-toto+json"


def statement(digests: Mapping[str, str], kind: str, predicate: Any) -> bytes:
    """Return an in-toto Statement about files.

    Args:
        digests: SHA-256 (hex) of each file, by name.
        kind: URI of the predicate's type.
        predicate: What is said of them.
    """
    subject = [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()]
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": kind,
        "predicate": predicate,
    }
    return msgspec.json.encode(body, order="sorted")


def envelope(payload: bytes, name: str, key: Ed25519PrivateKey) -> bytes:
    """Return the DSSE envelope of a statement, signed with the key that notes know as ``name``.

    What is signed begins with ``DSSEv1``, a checkpoint with the name of its log: neither can be taken for the other.
    """
    text = b"DSSEv1 %d %s %d %s" % (len(_TYPE), _TYPE.encode(), len(payload), payload)
    hint = key_id(name, key.public_key().public_bytes_raw()).hex()
    signature = {"keyid": f"{name}+{hint}", "sig": b64encode(key.sign(text)).decode()}
    whole = {"payloadType": _TYPE, "payload": b64encode(payload).decode(), "signatures": [signature]}
    return msgspec.json.encode(whole)
