"""Amazon's token service as its own documentation has it: a token in, the short-lived keys of a role out.

``AssumeRoleWithWebIdentity``, version 2011-06-15. Nothing of it is signed with a key of ours: the token is what counts.
"""

from __future__ import annotations

import datetime as dt
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec

from outrider.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from http.client import HTTPMessage

SECONDS = 10.0
"""How long an answer may take."""

MOST = 64 * 1024
_SPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"


class Assumed(msgspec.Struct, frozen=True, kw_only=True):
    """A role that was taken on. Its keys are secret and go to the agent alone.

    Attributes:
        key_id: Access key id.
        secret: Secret access key.
        token: Session token.
        expires: When they end, microseconds since 1970 UTC.
        arn: The session's name in the cloud's own logs.
    """

    key_id: str
    secret: str
    token: str
    expires: int
    arn: str


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for one place."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return nothing, so that a redirect is an error."""


def assume(endpoint: str, role: str, *, session: str, token: str, seconds: int) -> Assumed:
    """Take on a role; blocks for :data:`SECONDS` at most.

    Args:
        endpoint: Address of the service, ``https`` or on this host.
        role: ARN of the role.
        session: Name of the session, 2 to 64 of ``[A-Za-z0-9_=,.@-]``.
        token: The agent's token.
        seconds: How long the keys hold; the service's least is 900.

    Raises:
        RefusedError: The service says no.
        UnavailableError: It does not answer, or not as documented.
    """
    asked = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": session,
        "WebIdentityToken": token,
        "DurationSeconds": str(seconds),
    }
    opener = urllib.request.build_opener(_Stays())
    request = urllib.request.Request(endpoint, urllib.parse.urlencode(asked).encode())  # noqa: S310 - read from lent
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return _read(answer.read(MOST + 1))
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(MOST)
        if 400 <= error.code < 500:
            raise RefusedError(f"the token service refuses role {role}: {_why(said) or error.code}") from error
        raise UnavailableError(f"the token service answers with {error.code}") from error
    except OSError as error:
        raise UnavailableError(f"the token service does not answer: {error}") from error


def _read(body: bytes) -> Assumed:
    tree = _tree(body)
    found = {
        name: ("" if tree is None else tree.findtext(f".//{_SPACE}{name}")) or ""
        for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "Arn")
    }
    lacks = [name for name, text in found.items() if not text]
    if lacks:
        raise UnavailableError(f"what the token service answers lacks {', '.join(lacks)}")
    try:
        ends = dt.datetime.fromisoformat(found["Expiration"])
    except ValueError as error:
        raise UnavailableError("what the token service answers does not say until when it holds") from error
    ends = ends if ends.tzinfo else ends.replace(tzinfo=dt.UTC)
    return Assumed(
        key_id=found["AccessKeyId"],
        secret=found["SecretAccessKey"],
        token=found["SessionToken"],
        expires=int(ends.timestamp() * 1_000_000),
        arn=found["Arn"],
    )


def _tree(body: bytes) -> ET.Element | None:
    """Return an answer; None for what is no XML, is too long, or declares things of its own that would be expanded."""
    if len(body) > MOST or b"<!" in body:
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 - without declarations there is nothing to expand
    except (ValueError, ET.ParseError):
        return None


def _why(body: bytes) -> str:
    """Return the code of an error, which is a word; its sentence may repeat the token."""
    tree = _tree(body)
    found = "" if tree is None else tree.findtext(f".//{_SPACE}Code") or tree.findtext(".//Code") or ""
    return found[:80] if found.isalnum() else ""
