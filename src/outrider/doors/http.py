"""Hooks over HTTP: one request, one answer, end. Opt-in, and weaker than the command (docs/hooks.md says in what).

The protocol is h11's; this module has no I/O but :func:`speak`. Whoever reaches the port must know this installation's
token, must have meant this server (``Host``), and must not be a web page (``Origin``). What can not be judged is
answered with an error status, never with an empty 200, which a host takes for "no objection".
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

import h11
import msgspec

from outrider.doors.registry import DOORS
from outrider.doors.show import show
from outrider.doors.wire import MAX_NAME, MAX_PAYLOAD
from outrider.events.message import Wire

PATH = "/v1/hook/"
READ_SECONDS = 2.0
"""How long a client may take to send its request."""

_MAX_HEAD = 16 * 1024
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One event from one host, believed to come from where it says."""

    door: str
    event: str
    payload: bytes


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """Who may ask.

    Attributes:
        token: This installation's bearer token, at least 32 characters.
        hosts: The ``Host`` headers that mean us, such as ``127.0.0.1:8765``. Anything else is a page in somebody's
            browser whose name was pointed at this machine.
    """

    token: str
    hosts: frozenset[str]

    def objection(self, request: h11.Request) -> tuple[int, str] | None:
        """Return status and reason why this request is not judged; None if it is in order."""
        headers: dict[bytes, bytes] = {}
        for name, value in request.headers:
            if name in headers:
                return 400, f"the header {show(name.decode('latin-1'))} is given twice"
            headers[name] = value
        size = headers.get(b"content-length", b"0")
        checks = (
            (headers.get(b"host", b"").decode("latin-1").lower() in self.hosts, 421, "this server has another name"),
            (not headers.keys() & {b"origin", b"sec-fetch-site"}, 403, "web pages may not ask"),
            (self._knows(headers.get(b"authorization", b"")), 401, "the bearer token is missing or wrong"),
            (request.method == b"POST", 405, "only POST is answered"),
            (headers.get(b"content-type", b"").split(b";")[0].strip().lower() == b"application/json", 415, "not JSON"),
            (not size.isdigit() or int(size) <= MAX_PAYLOAD, 413, f"the event is larger than {MAX_PAYLOAD} bytes"),
        )
        return next(((status, reason) for good, status, reason in checks if not good), None)

    def _knows(self, offered: bytes) -> bool:
        return len(self.token) >= 32 and hmac.compare_digest(offered, b"Bearer " + self.token.encode())


def _names(target: bytes) -> tuple[str, str] | None:
    path = target.decode("latin-1")
    if not path.startswith(PATH):
        return None
    door, _, event = path.removeprefix(PATH).partition("/")
    if door not in DOORS or not 0 < len(event) <= MAX_NAME or not _NAME.issuperset(event):
        return None
    return door, event


class Exchange:
    """One request and its answer, without I/O."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._names = ("", "")
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Asked | bytes | None:
        """Take bytes from the client (none: it hung up).

        Returns:
            What is asked, to be judged and answered by :meth:`answer` or :meth:`failure`; or the bytes of a refusal,
            to be sent before the connection is closed (none: just close it); or None while there is more to come.
        """
        try:
            self._http.receive_data(data)
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    return None
                if isinstance(event, h11.Request):
                    objection = self._guard.objection(event)
                    names = _names(event.target)
                    if objection is not None or names is None:
                        return self._respond(*(objection or (404, "there is nothing here")))
                    self._names = names
                elif isinstance(event, h11.Data):
                    self._size += len(event.data)
                    if self._size > MAX_PAYLOAD:
                        return self._respond(413, f"the event is larger than {MAX_PAYLOAD} bytes")
                    self._body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    return Asked(door=self._names[0], event=self._names[1], payload=b"".join(self._body))
                else:
                    return b""
        except h11.RemoteProtocolError as error:
            return self._respond(error.error_status_hint, f"not HTTP as we speak it: {show(str(error))}")

    def answer(self, wire: Wire) -> bytes:
        """Return the response that says what ``wire`` says.

        HTTP has no exit status: what the wire says only by its status is an error here, and silence is ``{}``.
        """
        if wire.stdout and wire.code in (0, 2):
            return self._send(200, wire.stdout)
        if wire.code == 0:
            return self._send(200, b"{}")
        return self.failure(wire.stderr.decode("utf-8", "replace").strip() or f"exit status {wire.code}")

    def failure(self, reason: str) -> bytes:
        """Return the response for an event that could not be judged."""
        return self._respond(503, reason)

    def _respond(self, status: int, reason: str) -> bytes:
        return self._send(status, msgspec.json.encode({"error": reason}))

    def _send(self, status: int, body: bytes) -> bytes:
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return b""
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        parts = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        return b"".join(self._http.send(part) or b"" for part in parts)


async def speak(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, guard: Guard, judge: Callable[[Asked], Awaitable[Wire]]
) -> None:
    """Serve one connection: read, judge, answer, close. For ``asyncio.start_server``.

    ``judge`` has its own deadline, shorter than the host's, and raises nothing; if it does, the connection is closed
    without an answer, which a host takes for a failed hook.
    """
    exchange = Exchange(guard)
    try:
        asked: Asked | bytes | None = None
        async with asyncio.timeout(READ_SECONDS):
            while asked is None:
                asked = exchange.feed(await reader.read(1 << 16))
        writer.write(exchange.answer(await judge(asked)) if isinstance(asked, Asked) else asked)
        await writer.drain()
    except (TimeoutError, ConnectionError):
        pass  # It is gone, or too slow to be a host.
    finally:
        writer.close()
