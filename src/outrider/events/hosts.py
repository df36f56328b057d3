"""Hosts and URLs in one spelling each, so that every way of writing the same place meets.

Sources: the ``inet_aton`` rules for IPv4 (1 to 4 parts, each decimal, ``0`` octal or ``0x`` hexadecimal), RFC 5952 for
IPv6, RFC 3490 for names that are not ASCII, RFC 3986 section 6 for URLs.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from urllib.parse import SplitResult, unquote, urlsplit

MAX_HOST = 253
MAX_URL = 8192
"""Characters of a URL that are looked at; a longer one is cut before it is normalised."""

DEFAULT_PORTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "ftps": 990, "ssh": 22, "git+ssh": 22, "sftp": 22,
    "git": 9418, "ldap": 389, "ldaps": 636, "redis": 6379, "postgres": 5432, "postgresql": 5432, "mysql": 3306,
    "mongodb": 27017, "amqp": 5672, "smtp": 25, "imap": 143,
}  # fmt: skip
"""Port that goes without saying, by URL scheme."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)\Z")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_MAX_PORT = 65535


def normal_ip(text: str) -> str:
    """Return the canonical spelling of an IP address, or empty if ``text`` is none.

    An IPv4 address inside IPv6 (``::ffff:127.0.0.1``) is written as IPv4; a zone id is dropped.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in bare:
        try:
            six = ipaddress.IPv6Address(bare.split("%", 1)[0])
        except ValueError:
            return ""
        return str(six.ipv4_mapped or six)
    return _aton(bare)


def _aton(text: str) -> str:
    parts = text.removesuffix(".").split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.match(part) and len(part) <= 12 for part in parts):
        return ""
    numbers: list[int] = []
    for part in parts:
        try:
            base = 16 if part[:2] in ("0x", "0X") else 8 if part[0] == "0" and len(part) > 1 else 10
            numbers.append(int(part[2:] or "0", 16) if base == 16 else int(part, base))
        except ValueError:
            return ""
    *heads, last = numbers
    if any(head > 255 for head in heads) or last >= 1 << (8 * (5 - len(numbers))):
        return ""
    value = last
    for place, head in enumerate(heads):
        value |= head << (24 - 8 * place)
    return str(ipaddress.IPv4Address(value))


def normal_name(text: str) -> str:
    """Return a host name in lower-case ASCII (punycode) without its trailing dot, or empty if it is none."""
    name = text.rstrip(".")
    if not name or len(name) > MAX_HOST:
        return ""
    if not name.isascii():
        # The stdlib codec knows every dot that a browser takes for one (U+3002 and its kin).
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    name = name.lower()
    return name if all(_LABEL.match(label) for label in name.split(".")) else ""


def split_port(text: str) -> tuple[str, int]:
    """Return host text and port of ``host``, ``host:port`` or ``[v6]:port``; port 0 where none is given or readable."""
    if text.startswith("["):
        host, _, rest = text.partition("]")
        host, port = host + "]", rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        return text, 0
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    return host, number if number <= _MAX_PORT else 0


def normal_host(text: str, scheme: str = "") -> tuple[str, str]:
    """Return ``(kind, value)`` of a host with or without a port; kind is ``host`` or ``ip``, or both are empty.

    A port that goes without saying (80 and 443, or the scheme's own) is dropped; any other stays: ``name:8443``,
    ``[::1]:8443``.
    """
    host, port = split_port(unquote(text.strip()) if "%" in text and "[" not in text else text.strip())
    if port and port in ((DEFAULT_PORTS[scheme],) if scheme in DEFAULT_PORTS else (80, 443)):
        port = 0
    if not host.isascii():
        # Full-width and circled digits are digits to IDNA: what they spell may be an address.
        host = normal_name(host)
    address = normal_ip(host)
    if address:
        shown = f"[{address}]" if port and ":" in address else address
        return "ip", f"{shown}:{port}" if port else shown
    name = normal_name(host)
    if not name:
        return "", ""
    return "host", f"{name}:{port}" if port else name


def split_url(text: str) -> SplitResult | None:
    """Return the parts of a URL that names a host, or None; never raises."""
    try:
        parts = urlsplit(text.strip()[:MAX_URL])
    except ValueError:
        return None
    return parts if parts.scheme and parts.netloc else None


def host_of_url(text: str) -> tuple[str, str]:
    """Return ``(kind, value)`` of a URL's host as :func:`normal_host` does; user and password are dropped."""
    parts = split_url(text)
    if parts is None:
        return "", ""
    return normal_host(parts.netloc.rpartition("@")[2], parts.scheme.lower())


def normal_url(text: str) -> str:
    """Return the normal form of a URL, or empty: lower-case scheme and host, no user, no fragment, no dot segments."""
    parts = split_url(text)
    kind, host = host_of_url(text)
    if parts is None or not kind:
        return ""
    path = _plain(parts.path) or "/"
    if "/." in path or "//" in path:
        tail = "/" if path.endswith(("/", "/.", "/..")) else ""
        path = (posixpath.normpath("/" + path.lstrip("/")).rstrip("/") + tail) or "/"
    query = f"?{_plain(parts.query)}" if parts.query else ""
    return f"{parts.scheme.lower()}://{host}{path}{query}"


def _plain(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()

    return _ESCAPE.sub(one, text)
