"""RFC 3161 timestamps over checkpoints: somebody else's clock says that the log had come so far by then.

What is stamped is a checkpoint as a file, signatures and all, so that ``openssl ts -verify`` takes it as it is.
A token beside it proves the moment to whoever trusts the authority's root, and no more: who holds the log's key can
still show another history with a later stamp, or none.
"""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple

from outrider.errors import BadInputError, UnavailableError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

STAMPED = "timestamped"
"""The checkpoint that was stamped last, in a record; the token lies beside it with ``.tsr`` behind the name."""

TOKEN = f"{STAMPED}.tsr"
MOST = 64 * 1024
"""Bytes of a token."""

_SECONDS = 10.0
_FIX = "pip install 'outrider[timestamps]'"


class Stamp(NamedTuple):
    """A token (DER), and the moment that it says, seconds since 1970 UTC."""

    token: bytes
    seconds: int


def stamp(url: str, text: bytes, roots: bytes) -> Stamp:
    """Have ``text`` stamped by the authority at ``url``; blocks. SHA-256, with a nonce.

    Args:
        url: Where it answers (RFC 3161, section 3.4: HTTP).
        text: What is stamped.
        roots: Certificates to trust, PEM.

    Raises:
        UnavailableError: It does not answer, or the package that makes and checks stamps is not installed.
        BadInputError: What it answers does not hold.
    """
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - optional
    except ImportError as error:
        raise UnavailableError("rfc3161-client makes timestamps, and is not installed", fix=_FIX) from error
    asked = TimestampRequestBuilder(text, HashAlgorithm.SHA256).build()
    token = _post(url, asked.as_bytes())
    return Stamp(token, stamped(token, text, roots, asked))


def stamped(token: bytes, text: bytes, roots: bytes, asked: TimeStampRequest | None = None) -> int:
    """Return when an authority stamped ``text``, seconds since 1970 UTC.

    Args:
        token: Its answer, DER.
        text: What was stamped.
        roots: Certificates to trust, PEM.
        asked: The request, whose nonce the answer must bear; None for a token that is kept.

    Raises:
        BadInputError: It is no token, of something else, or not of an authority below one of the roots.
        UnavailableError: The package that checks it is not installed.
    """
    try:
        from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - loaded where a stamp is checked
        from rfc3161_client import VerificationError, VerifierBuilder  # noqa: PLC0415 - optional
    except ImportError as error:
        raise UnavailableError("rfc3161-client checks timestamps, and is not installed", fix=_FIX) from error
    try:
        trusted = load_pem_x509_certificates(roots)
    except ValueError as error:
        raise BadInputError(f"the roots of timestamps are no certificates in PEM: {error}") from error
    builder = VerifierBuilder.from_request(asked) if asked is not None else VerifierBuilder()
    for one in dict.fromkeys(trusted):
        builder = builder.add_root_certificate(one)
    read = _read(token)
    try:
        builder.build().verify_message(read, text)
    except (VerificationError, ValueError) as error:
        raise BadInputError(f"the timestamp does not hold: {error}") from error
    return int(read.tst_info.gen_time.timestamp())


def _post(url: str, body: bytes) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise UnavailableError(f"{url!r} is not an address that begins with https:// or http://")
    try:
        asks = urllib.request.Request(url, body, {"Content-Type": "application/timestamp-query"})  # noqa: S310 - checked above
        with urllib.request.urlopen(asks, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            found: bytes = answer.read(MOST + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise UnavailableError(f"{url} does not answer: {error}") from error
    if len(found) > MOST:
        raise BadInputError(f"{url} answers with more than {MOST} bytes")
    return found


def _read(token: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - optional

    try:
        return decode_timestamp_response(token)
    except ValueError as error:
        raise BadInputError(f"this is no timestamp (RFC 3161): {error}") from error
