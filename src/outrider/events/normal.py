"""One normal form for every spelling of a thing, by kind of thing.

What must not be readable (secrets, URLs with their paths) has a keyed print for its normal form.
"""

from __future__ import annotations

import hmac
import posixpath
import re
from collections.abc import Callable

from outrider.events.hosts import host_of_url, normal_host, normal_url, split_url

KINDS = (
    "path", "digest", "host", "ip", "email", "url", "commit", "branch", "repo", "package", "secret", "session", "pid",
    "tool", "credential",
)  # fmt: skip
MIN_COMMIT = 7
"""Fewest hex digits of a commit id that are matched as a prefix; git's own default for short ids."""

ECOSYSTEMS = {
    "pypi": "pypi", "pip": "pypi", "uv": "pypi", "npm": "npm", "yarn": "npm", "pnpm": "npm", "cargo": "cargo",
    "crates": "cargo", "gem": "gem", "rubygems": "gem", "go": "golang", "golang": "golang", "maven": "maven",
    "nuget": "nuget", "composer": "composer", "packagist": "composer", "apt": "deb", "deb": "deb", "apk": "apk",
    "brew": "brew", "docker": "docker", "oci": "oci", "conda": "conda", "hex": "hex", "pub": "pub", "rpm": "rpm",
    "github": "github",
}  # fmt: skip
"""Names of package ecosystems, to the one we use (the types of the package-url specification where it has one)."""

_HEX = re.compile(r"[0-9a-f]+\Z")
_EMAIL = re.compile(r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([^\s@<>]{3,253})\Z")
_PEP503 = re.compile(r"[-_.]+")
_VERSION = re.compile(r"(?:[=<>!~;\[\s].*|@[^/]*)\Z", re.DOTALL)
_PID = re.compile(r"[0-9]{1,7}\Z")
_DIGESTS = {64: "sha256", 96: "sha384", 128: "sha512"}


def keyed_print(value: str, key: bytes, *, domain: str = "secret", chars: int = 8) -> str:
    """Return the print of ``value``: HMAC-SHA256 under ``key``, the first ``chars`` hex digits.

    Args:
        value: What must not be shown.
        key: Key of this host's prints, at least 16 random bytes.
        domain: What sort of thing it is; the same text in two domains has two prints.
        chars: Length of the print, 8 (32 bits) unless told.
    """
    message = domain.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256").hex()[:chars]


def printed_mail(value: str, key: bytes) -> str:
    """Return an e-mail address as the record holds it beside a leaf: a keyed print of it, at its domain."""
    name, at, domain = value.rpartition("@")
    if not at or name.startswith("[print:"):
        return value
    return f"[print:{keyed_print(value, key, domain='email', chars=12)}]@{domain}"


def normalise(kind: str, value: str, *, key: bytes = b"", home: str = "") -> str:
    """Return the normal form of ``value`` as a ``kind``, or empty if it can not be one.

    Args:
        kind: One of :data:`KINDS`.
        value: Any spelling.
        key: Key of the prints; needed for ``url`` and ``secret``, whose normal form is a print.
        home: Absolute home folder that a leading ``~`` stands for.

    Raises:
        ValueError: ``url`` or ``secret`` without a key, or an unknown kind.
    """
    text = value.strip()
    if kind in ("url", "secret") and not key:
        raise ValueError(f"a {kind} is kept as a keyed print: its normal form needs the key")
    if kind == "path":
        return normal_path(text, home)
    if kind in ("host", "ip"):
        return _host_as(kind, text)
    if kind == "url":
        url = normal_url(text)
        return keyed_print(url, key, domain="url", chars=16) if url else ""
    if kind == "secret":
        return keyed_print(text, key) if text else ""
    if kind in _PLAIN:
        return _PLAIN[kind](text)
    if kind in KINDS:
        return text
    raise ValueError(f"there is no kind of entity called {kind!r}")


def _host_as(kind: str, text: str) -> str:
    found, host = host_of_url(text) if "://" in text else normal_host(text)
    return host if found == kind else ""


def normal_path(text: str, home: str = "") -> str:
    """Return an absolute path without ``.``, ``..`` and doubled slashes, or empty for one that is not absolute."""
    path = text.removeprefix("file://")
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    if not path.startswith("/") or "\0" in path:
        return ""
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path


def normal_email(text: str) -> str:
    """Return an e-mail address with its domain in normal form, or empty. The local part keeps its case (RFC 5321)."""
    match = _EMAIL.match(text.removeprefix("mailto:"))
    if match is None:
        return ""
    kind, host = normal_host(match[2])
    return f"{match[1]}@{host}" if kind == "host" and "." in host else ""


def normal_commit(text: str) -> str:
    """Return a commit id, or a prefix of at least :data:`MIN_COMMIT` digits, in lower case; else empty."""
    low = text.lower()
    return low if MIN_COMMIT <= len(low) <= 64 and _HEX.match(low) else ""


def same_commit(one: str, other: str) -> bool:
    """Tell whether two commit ids in normal form name the same commit: equal, or one a prefix of the other."""
    short, long = sorted((one, other), key=len)
    return len(short) >= MIN_COMMIT and long.startswith(short)


def normal_digest(text: str) -> str:
    """Return ``algorithm:hex`` of a digest; bare hex of 64, 96 or 128 digits is SHA-2. Empty if it is none."""
    name, colon, digest = text.lower().rpartition(":")
    if not _HEX.match(digest) or len(digest) < 32:
        return ""
    name = name.replace("-", "") if colon else _DIGESTS.get(len(digest), "")
    return f"{name}:{digest}" if name.isalnum() else ""


def normal_package(text: str) -> str:
    """Return ``ecosystem:name`` of a package, its version dropped, or empty.

    Takes ``pypi:Foo_Bar``, ``npm:@scope/name@1.2`` and package URLs (``pkg:pypi/foo@1.0``). Python names are as
    PEP 503 has them, npm's and Debian's in lower case, all others as written.
    """
    body = text
    if body.startswith("pkg:"):
        body = body[4:].split("?", 1)[0].split("#", 1)[0].lstrip("/").replace("/", ":", 1).replace("%40", "@")
    ecosystem, colon, name = body.partition(":")
    system = ECOSYSTEMS.get(ecosystem.lower(), "")
    if not colon or not system:
        return ""
    scope = "@" if name.startswith("@") else ""
    name = scope + _VERSION.sub("", name.removeprefix("@"))
    if system == "pypi":
        name = _PEP503.sub("-", name).lower()
    elif system in ("npm", "deb", "rpm", "apk", "brew", "conda", "github", "composer"):
        name = name.lower()
    return f"{system}:{name}" if name.removeprefix("@") else ""


def normal_repo(text: str) -> str:
    """Return a repository: an absolute path, ``host/owner/name`` of any remote's address, else the text as it is."""
    path = normal_path(text)
    if path:
        return path
    parts = split_url(text)
    if parts is not None:
        _, host = host_of_url(text)
        return f"{host}/{parts.path.strip('/').removesuffix('.git')}" if host else ""
    user_host, colon, rest = text.partition(":")
    if colon and "@" in user_host and not rest.startswith("/"):
        _, host = normal_host(user_host.rpartition("@")[2])
        return f"{host}/{rest.strip('/').removesuffix('.git')}" if host else ""
    return text


def normal_pid(text: str) -> str:
    """Return a process id without leading zeros, or empty."""
    return str(int(text)) if _PID.match(text) else ""


_PLAIN: dict[str, Callable[[str], str]] = {
    "email": normal_email,
    "commit": normal_commit,
    "digest": normal_digest,
    "package": normal_package,
    "repo": normal_repo,
    "pid": normal_pid,
    "branch": lambda text: text.removeprefix("refs/heads/"),
    "session": lambda text: text.lower() if "-" in text else text,
}


def host_entities(text: str, key: bytes = b"") -> list[tuple[str, str]]:
    """Return a host or URL as the entities that it is found by: with its port, without it, and as a URL's print."""
    is_url = "://" in text
    kind, host = host_of_url(text) if is_url else normal_host(text)
    if not kind:
        return []
    out = [(kind, host)]
    bare = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    if bare != host:
        out.append((kind, bare))
    if is_url and key:
        out.append(("url", normalise("url", text, key=key)))
    return out
