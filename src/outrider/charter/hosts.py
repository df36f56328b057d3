"""The host matcher: exact names, ``*.example.com``, ``host:port``, addresses and networks, in every spelling.

``127.1``, ``0x7f000001``, ``2130706433``, ``0177.0.0.1`` and ``[::ffff:127.0.0.1]`` are all 127.0.0.1, because that
is where the C library's resolver takes them (``inet_aton``).
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from outrider.errors import CharterError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_LABELS = re.compile(
    r"(?=.{1,253}$)[a-z0-9_*](?:[a-z0-9_*-]{0,61}[a-z0-9_*])?(?:\.[a-z0-9_*](?:[a-z0-9_*-]{0,61}[a-z0-9_*])?)*"
)


class Host(NamedTuple):
    """A host in normal form.

    Attributes:
        name: Lower-case name in ASCII (IDNA) without a last dot, or the address as text.
        port: 0 where none was said.
        address: The address, if it is one.
    """

    name: str
    port: int
    address: Address | None


def _number(text: str) -> int:
    if text[:2] in {"0x", "0X"}:
        return int(text, 16)
    return int(text, 8) if text.startswith("0") and len(text) > 1 else int(text)


def _inet_aton(name: str) -> ipaddress.IPv4Address | None:
    parts = name.split(".")
    if len(parts) > 4 or not all(len(part) <= 12 and _NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [_number(part) for part in parts]
    last = 256 ** (5 - len(parts))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= last:
        return None
    whole = numbers[-1]
    for at, number in enumerate(numbers[:-1]):
        whole += number << (8 * (3 - at))
    return ipaddress.IPv4Address(whole)


def address(name: str) -> Address | None:
    """Return the address that ``name`` spells, an IPv4 address mapped into IPv6 as IPv4, or None for a name."""
    if ":" in name:
        try:
            six = ipaddress.IPv6Address(name.partition("%")[0])
        except ValueError:
            return None
        return six.ipv4_mapped or six
    return _inet_aton(name)


def host(value: str) -> Host:
    """Return the normal form of ``name``, ``name:port``, ``[v6]:port`` or a bare IPv6 address."""
    text = value.strip().lower()
    port = 0
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        port = _port(rest.removeprefix(":"))
    elif text.count(":") == 1:
        name, _, digits = text.partition(":")
        port = _port(digits)
    else:
        name = text
    name = name.removesuffix(".")
    found = address(name) if name and (name[0].isdigit() or ":" in name) else None
    if found is not None:
        return Host(str(found), port, found)
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = "\0" + name
    return Host(name, port, None)


def _port(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 5 else 0


class HostGlob(NamedTuple):
    """A host pattern.

    Attributes:
        regex: For a name, fullmatched, or None.
        network: For addresses, or None.
        port: The only port, or 0 for every port.
        name: The exact name, or empty where it is none.
    """

    regex: re.Pattern[str] | None
    network: Network | None
    port: int
    name: str = ""

    def matches(self, value: Host) -> bool:
        """Return whether the host falls in this pattern."""
        if self.port and value.port != self.port:
            return False
        if self.name:
            return value.name == self.name
        if self.network is not None:
            return value.address is not None and value.address in self.network
        return self.regex is not None and self.regex.fullmatch(value.name) is not None


def parse_host(text: str) -> HostGlob:
    """Return the pattern that ``text`` says. A leading ``*.`` is one or more labels, another ``*`` stays in its label.

    Raises:
        CharterError: It is not a host pattern.
    """
    if text == "*":
        return HostGlob(re.compile(r"(?s).*"), None, 0)
    if "://" in text or ("/" in text and not _is_network(text)):
        raise CharterError(f'"{text}" is not a host', fix="Write the name only, without scheme and path.")
    if _is_network(text):
        return HostGlob(None, ipaddress.ip_network(text, strict=False), 0)
    value = host(text)
    tail = text.rpartition(":")[2] if text.startswith("[") or text.count(":") == 1 else ""
    if tail and not tail.endswith("]") and not 0 < value.port < 65_536:
        raise CharterError(f'"{text}": "{tail}" is not a port')
    if value.address is not None:
        return HostGlob(None, ipaddress.ip_network(value.address), value.port)
    if not _LABELS.fullmatch(value.name):
        raise CharterError(f'"{text}" is not a host', fix='Write "example.com", "*.example.com" or "example.com:8080".')
    if "*" not in value.name:
        return HostGlob(None, None, value.port, value.name)
    if value.name.count("*") > 4:
        raise CharterError(f'"{text}" holds more than 4 "*"')
    lead, rest = (r"(?:[^.]+\.)+", value.name[2:]) if value.name.startswith("*.") else ("", value.name)
    body = "".join("[^.]*" if char == "*" else re.escape(char) for char in rest)
    return HostGlob(re.compile(lead + body), None, value.port)


def _is_network(text: str) -> bool:
    if "/" not in text:
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
