"""Asking a witness, from the log's side and the verifier's: two requests over HTTP, each bounded in time and size."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, TYPE_CHECKING, NamedTuple

from outrider.errors import UnavailableError
from outrider.witness.state import origin_hash

if TYPE_CHECKING:
    from http.client import HTTPMessage

SECONDS = 5.0
"""How long a witness may take with any step of an answer."""

MOST = 256 * 1024


class Said(NamedTuple):
    """What a witness answered."""

    status: int
    media: str
    body: bytes


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a policy names where a witness is."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return nothing, so that a redirect is an error."""


def add_checkpoint(url: str, body: bytes) -> Said:
    """Ask the witness at ``url`` for a cosignature; blocks.

    Raises:
        UnavailableError: It does not answer.
    """
    return _asked(url, "add-checkpoint", body)


def last_cosigned(url: str, origin: str) -> Said:
    """Ask the witness at ``url`` which checkpoint of a log it cosigned last; blocks.

    Raises:
        UnavailableError: It does not answer.
    """
    return _asked(url, f"{origin_hash(origin)}/checkpoint", None)


def _asked(url: str, path: str, body: bytes | None) -> Said:
    if not url.startswith(("https://", "http://")):
        raise UnavailableError(f"{url!r} is not an address that begins with https:// or http://")
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/{path}", body)  # noqa: S310 - checked above
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.build_opener(_Stays()).open(request, timeout=SECONDS) as answer:
            return Said(answer.status, answer.headers.get_content_type(), answer.read(MOST))
    except urllib.error.HTTPError as error:
        with error:
            return Said(error.code, error.headers.get_content_type(), error.read(MOST))
    except (OSError, HTTPException, ValueError) as error:
        raise UnavailableError(f"{url} does not answer: {error}") from error
