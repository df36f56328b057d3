"""A witness over HTTP: ``POST /add-checkpoint`` and ``GET /<origin hash>/checkpoint``. The protocol's bytes are h11's.

Nobody is asked who he is: a checkpoint speaks by its log's signature. Put a proxy in front for TLS.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import h11

from outrider.errors import UnavailableError
from outrider.witness.request import MOST
from outrider.witness.witness import PLAIN, Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.witness.home import WitnessHome
    from outrider.witness.witness import Witness

SECONDS = 10.0
"""How long a client may take with one request, and may rest between two."""

CONNECTIONS = 256
"""Connections at a time; one more is closed at once."""

_MAX_HEAD = 16 * 1024
_GONE = Answer(0, "")


class Server:
    """Serves one witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._open = 0

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, request after request. For ``asyncio.start_server``."""
        if self._open >= CONNECTIONS:
            writer.close()
            return
        self._open += 1
        http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        try:
            while await self._exchange(http, reader, writer):
                http.start_next_cycle()
        except (TimeoutError, ConnectionError):
            pass  # It is gone, or too slow.
        finally:
            self._open -= 1
            writer.close()

    async def _exchange(self, http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; return whether another may follow."""
        async with asyncio.timeout(SECONDS):
            try:
                answer = await self._asked(http, reader)
            except h11.RemoteProtocolError as error:
                answer = Answer(error.error_status_hint, "this is not HTTP\n")
        if answer is _GONE:
            return False
        goes_on = http.their_state is h11.DONE
        writer.write(_said(http, answer, goes_on=goes_on))
        await writer.drain()
        return goes_on and http.our_state is h11.DONE

    async def _asked(self, http: h11.Connection, reader: asyncio.StreamReader) -> Answer:
        method, target, body = b"", b"", bytearray()
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(1 << 16))
            elif isinstance(event, h11.Request):
                method, target = bytes(event.method), bytes(event.target)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MOST:
                    return Answer(413, f"a request is at most {MOST} bytes\n")
            elif isinstance(event, h11.EndOfMessage):
                return await self._answer(method, target, bytes(body))
            else:
                return _GONE

    async def _answer(self, method: bytes, target: bytes, body: bytes) -> Answer:
        path = target.decode("latin-1")
        if path == "/add-checkpoint":
            if method != b"POST":
                return Answer(405, "a checkpoint is posted\n")
            return await asyncio.to_thread(self._witness.add_checkpoint, body)
        name, _, what = path.removeprefix("/").partition("/")
        if what != "checkpoint":
            return Answer(404, "there is nothing here\n")
        return self._witness.checkpoint(name) if method == b"GET" else Answer(405, "a checkpoint is got\n")


def _said(http: h11.Connection, answer: Answer, *, goes_on: bool) -> bytes:
    if http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return b""
    body = answer.body.encode()
    headers = [("Content-Type", answer.media or PLAIN), ("Content-Length", str(len(body)))]
    headers += [] if goes_on else [("Connection", "close")]
    parts = (h11.Response(status_code=answer.status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
    return b"".join(http.send(part) or b"" for part in parts)


async def listen(home: WitnessHome, host: str, port: int, told: Callable[[str], None]) -> None:
    """Serve the witness at ``home`` until it is told to stop.

    Args:
        home: Its home.
        host: Address to listen on.
        port: TCP port; 0 for any.
        told: Called with the address once it listens.

    Raises:
        UnavailableError: There is no witness there, another process is it, or the port cannot be had.
        TamperedError: Its state was put back or is damaged.
        RecordError: The disk refuses.
    """
    witness, state = home.open()
    stop = asyncio.Event()
    try:
        server = await asyncio.start_server(Server(witness).speak, host, port)
        for sig in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sig, stop.set)
        name, number = server.sockets[0].getsockname()[:2]
        told(f"{name}:{number}")
        await stop.wait()
        server.close()
    except OSError as error:
        raise UnavailableError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    finally:
        state.close()
