"""``credentials.toml`` in Outrider's home: what may be lent to agents here, written by a person.

Which agent may have which of it is for charters to say (``use_credential``); this file says only what there is.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from outrider.errors import BadInputError

FILE = "credentials.toml"
MOST = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}(:[0-9]{1,5})?")
_ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}")


class Aws(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that agents can be lent.

    Attributes:
        role: ARN of the role.
        endpoint: Address of the token service.
        audience: Whom the token that is shown there is for.
        seconds: How long its keys hold, 900 to 43,200.
    """

    role: str
    endpoint: str
    audience: str = "sts.amazonaws.com"
    seconds: int = 900


class Git(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host of repositories that takes our token as a password.

    Attributes:
        username: The name that goes with it.
        audience: Whom the token is for; empty for the host's address, ``https://`` and its name.
    """

    username: str = "outrider"
    audience: str = ""


class Lent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says. Without one there are tokens and nothing else.

    Attributes:
        trust_domain: Trust domain of agents' SPIFFE ids; empty for one of this record's own.
        issuer: Address that our discovery document is served at; empty for ``https://`` and the trust domain.
        serve: Port on loopback that discovery, keys and token exchange are served at; 0 for none.
        rotate_days: Days that a key signs for.
        aws: Roles by name.
        git: Hosts of repositories, with their port where it is not the usual one.
    """

    trust_domain: str = ""
    issuer: str = ""
    serve: int = 0
    rotate_days: int = 90
    aws: dict[str, Aws] = {}
    git: dict[str, Git] = {}


def load(root: Path) -> Lent:
    """Return what may be lent, from the home at ``root``.

    Raises:
        BadInputError: The file cannot be read or makes no sense. Nothing is lent then.
    """
    path = root / FILE
    try:
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
    except FileNotFoundError:
        return Lent()
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(raw, source=str(path))


def parse(raw: bytes, *, source: str = FILE) -> Lent:
    """Return what ``raw`` says may be lent.

    Raises:
        BadInputError: It is too large, not TOML, or says something that is not known or makes no sense.
    """
    if len(raw) > MOST:
        raise BadInputError(f"{source}: is larger than {MOST} bytes")
    try:
        lent = msgspec.convert(tomllib.loads(raw.decode()), Lent)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, msgspec.ValidationError) as error:
        raise BadInputError(f"{source}: {error}") from error
    wrong = _wrong(lent)
    if wrong:
        raise BadInputError(f"{source}: {wrong}")
    return lent


def _wrong(lent: Lent) -> str:
    """Return what makes no sense, empty if all does."""
    if not 1 <= lent.rotate_days <= 3650:
        return f"rotate_days = {lent.rotate_days} is not between 1 and 3650"
    if lent.serve and not 1024 <= lent.serve <= 65_535:
        return f"serve = {lent.serve} is not a port between 1024 and 65535"
    if lent.issuer and (not is_safe(lent.issuer) or lent.issuer.endswith("/")):
        return f"issuer = {lent.issuer!r} is no https address without a slash at its end"
    for name, role in lent.aws.items():
        if not _NAME.fullmatch(name) or not _ROLE.fullmatch(role.role):
            return f"aws.{name}: its name or the ARN of its role is none"
        if not is_safe(role.endpoint):
            return f"aws.{name}: endpoint {role.endpoint!r} is neither https nor on this host"
        if not 900 <= role.seconds <= 43_200:
            return f"aws.{name}: seconds = {role.seconds} is not between 900 and 43200"
    for host, one in lent.git.items():
        if not _HOST.fullmatch(host) or not one.username.isprintable():
            return f"git.{host!r}: it is no host, or its username is no line"
    return ""


def host_of(url: str) -> str:
    """Return host and port of an address that was read, as a ``Host`` header has them."""
    return urlsplit(url).netloc.lower()


def is_safe(url: str) -> bool:
    """Whether an address is https, or on this host, where nobody between can read along."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return (
        url.isascii()
        and url.isprintable()
        and bool(host)
        and (parts.scheme == "https" or (parts.scheme == "http" and local))
    )
