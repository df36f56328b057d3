"""Makes proofs of possession (RFC 9449), good and bad ones."""

from __future__ import annotations

import json
import secrets

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from outrider.identity import jose
from outrider.identity.possession import hash_of


def proof(key, *, method, address, at, token="", head=None, claims=None, signer=None):
    """A proof by ``key`` for one request; ``head`` and ``claims`` change what it says, ``signer`` who signs it."""
    known = {name: jose.jwk_of(key.public_key()).document()[name] for name in ("kty", "crv", "x", "y")}
    said = {
        "jti": secrets.token_hex(8),
        "htm": method,
        "htu": address,
        "iat": at,
        **({"ath": hash_of(token)} if token else {}),
    }
    top = {"alg": "ES256", "typ": "dpop+jwt", "jwk": known, **(head or {})}
    text = ".".join(jose.base64url(json.dumps(part).encode()) for part in (top, {**said, **(claims or {})}))
    r, s = decode_dss_signature((signer or key).sign(text.encode(), jose._SIGN))
    return f"{text}.{jose.base64url(r.to_bytes(32) + s.to_bytes(32))}"
