"""The way out of a held process tree: a proxy that asks before it connects, and connects to what it looked up itself.

CONNECT and plain HTTP, both by HTTP/1.1 (RFC 9110, 9112). Invariants:

- Nothing is looked up or connected to before the host and port were permitted.
- The address that is connected to is the one that was looked at: a name that leads inside (loopback, private, link
  local) is refused, whatever it led to a moment ago and however it is spelt. Only an address that was permitted as an
  address is connected to wherever it lies; and a name that a person lends may lead to a private network.
- What a client says after the head goes to that address and nowhere else; another host is another connection, and asked
  about anew. A redirect is one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from outrider.confine.reaches import private
from outrider.errors import BadInputError, RefusedError

MAX_HEAD = 32 * 1024
_HEAD_S = 30.0
_CONNECT_S = 20.0
_CHUNK = 64 * 1024
_NAME = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.?){1,32}")
_REQUEST = re.compile(r"([A-Z]{1,16}) (\S+) HTTP/1\.[01]")
_ABSOLUTE = re.compile(r"(?i)http://([^/?#@\s]+)([/?][^#\s]*)?")
_HOP = frozenset({"proxy-connection", "proxy-authorization", "connection", "keep-alive", "host"})

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Asking(Protocol):
    """Who decides about one agent's connections."""

    async def ask(self, host: str, port: int, *, tls: bool) -> str:
        """Return the id of the call that was permitted, empty for a host that is lent and not judged.

        Raises:
            RefusedError: It was not.
        """

    async def over(self, call: str, *, ok: bool) -> None:
        """Take note that a permitted connection is over, or never came to be."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def target(text: str, default: int) -> tuple[str, int]:
    """Return host and port of an authority, in lower case, an IPv6 address without its brackets.

    Raises:
        BadInputError: It is none.
    """
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default)
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise BadInputError("the port makes no sense")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if literal(bare) is None and (_NAME.fullmatch(bare) is None or ":" in bare):
        raise BadInputError("the host makes no sense")
    return bare.lower().rstrip("."), int(port)


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, if it is one as it is written; ``0x7f.1`` and ``127.1`` are names."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def outside(address: str) -> bool:
    """Return whether an address is one of the public network's."""
    found = literal(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found is not None and found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)


class Egress:
    """The proxy of one agent."""

    def __init__(self, asking: Asking, resolve: Resolve = look_up, *, word: str = "") -> None:
        """Make it.

        Args:
            asking: Who decides.
            resolve: Looks names up.
            word: What a client must say to be answered (Basic, RFC 7617, as the user's name), where others can reach
                the proxy as well: on a loopback that the agent shares with the whole machine. Empty for nothing.
        """
        self._asking = asking
        self._resolve = resolve
        self._word = word

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection from inside."""
        try:
            await self._serve(reader, writer)
        except _StrangerError:
            why = "this way out belongs to an agent, and whoever asks did not say its word"
            await _say(writer, "407 Proxy Authentication Required", why, 'Proxy-Authenticate: Basic realm="outrider"')
        except BadInputError as error:
            await _say(writer, "400 Bad Request", str(error))
        except RefusedError as error:
            await _say(writer, "403 Forbidden", str(error))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await _say(writer, "502 Bad Gateway", f"it could not be reached: {type(error).__name__}")
        finally:
            with contextlib.suppress(OSError):
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S)
        first, *lines = head.decode("latin-1")[:-4].split("\r\n")
        request = _REQUEST.fullmatch(first)
        if request is None:
            raise BadInputError("this is a proxy: it takes CONNECT and plain HTTP")
        if self._word and not any(_says(line, self._word) for line in lines):
            raise _StrangerError
        tls = request[1] == "CONNECT"
        absolute = None if tls else _ABSOLUTE.fullmatch(request[2])
        if not tls and absolute is None:
            raise BadInputError("this is a proxy: name a whole http:// address")
        authority = request[2] if absolute is None else absolute[1]
        host, port = target(authority, 443 if tls else 80)
        call = await self._asking.ask(host, port, tls=tls)
        ok = False
        try:
            there, out = await self._connect(host, port, lent=not call)
            ok = True
            if absolute is None:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                out.write(_forwarded(request[1], absolute[2] or "/", authority, lines))
            await _join((reader, out), (there, writer))
        finally:
            await self._asking.over(call, ok=ok)

    async def _connect(self, host: str, port: int, *, lent: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses: Sequence[str] = (host,)
        if literal(host) is None:
            found = await asyncio.wait_for(self._resolve(host, port), _CONNECT_S)
            addresses = [one for one in found if outside(one) or (lent and private(one))]
            if not addresses and host != "localhost":
                raise RefusedError(f"{host} leads to no address of the public network", rule="egress.inside")
            addresses = addresses or found
        wrong: OSError = OSError("it has no address")
        for one in addresses[:4]:
            try:
                return await asyncio.wait_for(asyncio.open_connection(one, port, limit=_CHUNK), _CONNECT_S)
            except OSError as error:
                wrong = error
        raise wrong


class Through:
    """A port inside that leads to one lent port of this machine's own loopback, and nowhere else."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection from inside."""
        try:
            there, out = await asyncio.wait_for(
                asyncio.open_connection(self._host, self._port, limit=_CHUNK), _CONNECT_S
            )
            await _join((reader, out), (there, writer))
        except (OSError, TimeoutError):
            pass
        finally:
            with contextlib.suppress(OSError):
                writer.close()


class _StrangerError(Exception):
    """Somebody asks who did not say the agent's word."""


def _says(line: str, word: str) -> bool:
    """Return whether a line of a head carries the word, as the user's name."""
    name, _, value = line.partition(":")
    scheme, _, coded = value.strip().partition(" ")
    if name.strip().lower() != "proxy-authorization" or scheme.lower() != "basic":
        return False
    try:
        said = base64.b64decode(coded.strip(), validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(said.partition(b":")[0], word.encode())


def _forwarded(method: str, path: str, authority: str, lines: Sequence[str]) -> bytes:
    """Return the head as the server gets it: the host is the one that was permitted, whatever the client wrote."""
    kept = [line for line in lines if line.partition(":")[0].strip().lower() not in _HOP and line[:1] not in " \t"]
    path = path if path.startswith("/") else f"/{path}"
    whole = [f"{method} {path} HTTP/1.1", f"Host: {authority}", *kept, "Connection: close"]
    return ("\r\n".join(whole) + "\r\n\r\n").encode("latin-1")


async def _join(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Carry both ways until both ended."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    try:
        await asyncio.gather(*(carry(*way) for way in ways))
    finally:
        for _, writer in ways:
            writer.close()


async def _say(writer: asyncio.StreamWriter, status: str, why: str, *more: str) -> None:
    text = f"outrider: {why}\n".encode("ascii", "replace")
    about = (*more, "Content-Type: text/plain", f"Content-Length: {len(text)}", "Connection: close")
    with contextlib.suppress(OSError):
        writer.write("\r\n".join((f"HTTP/1.1 {status}", *about, "", "")).encode() + text)
        await writer.drain()
