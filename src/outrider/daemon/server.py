"""The socket: one connection, one request, one answer. Knows frames and peers; decides nothing."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from outrider.confine import told
from outrider.daemon import control
from outrider.doors import token_http, wire
from outrider.errors import BadInputError
from outrider.events.message import Peer, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Asked = Callable[[str, str, bytes | None, Peer], Awaitable[Wire]]
    """Door, event, payload (None: larger than is judged), sender."""

    Controlled = Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]]

    Launched = Callable[[dict[str, list[str]], Peer], Awaitable[tuple[bytes, asyncio.Protocol | None]]]
    """What a launcher asks, and who: the answer, and what listens to it afterwards."""

    Fetched = Callable[[token_http.Request, Peer], Awaitable[token_http.Response]]

log = logging.getLogger("outrider.daemon")
_CRED = struct.Struct("3i")

READ_SECONDS = 10.0
"""How long a client may take to send its request; the clients' own deadlines are far shorter."""

MOST_WAITING = 256
"""Connections that have not sent a whole request: honest clients send theirs at once, so the oldest is hung up on."""

MOST_BYTES = 128 << 20
"""Bytes of unfinished requests that are held together."""


class Waiting:
    """The connections whose requests are not whole yet, oldest first, and how much they hold."""

    def __init__(self) -> None:
        self._held: dict[Connection, int] = {}
        self._bytes = 0
        self._told = False

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, one: Connection, size: int) -> None:
        """Take note of what a connection holds; make room if it is too much."""
        self._bytes += size - self._held.get(one, 0)
        self._held[one] = size
        while self._held and (len(self._held) > MOST_WAITING or self._bytes > MOST_BYTES):
            chosen = next((other for other, held in self._held.items() if not held), None)
            if chosen is None or self._bytes > MOST_BYTES:
                chosen = max(self._held, key=self._held.__getitem__)
            if not self._told:  # Once: whoever floods us must not fill the disk with it.
                log.warning("too many unfinished requests; the oldest silent or the largest are dropped from now on")
                self._told = True
            chosen.hang_up()

    def drop(self, one: Connection) -> None:
        """Forget a connection that is gone, or whose request is whole."""
        self._bytes -= self._held.pop(one, 0)


class Connection(asyncio.Protocol):
    """One client. Bytes are collected until a frame is whole; a frame that cannot become one ends the connection."""

    def __init__(
        self,
        asked: Asked,
        controlled: Controlled,
        launched: Launched,
        uid: int,
        tasks: set[asyncio.Task[None]],
        waiting: Waiting,
        fetched: Fetched | None = None,
        users: frozenset[int] = frozenset(),
    ) -> None:
        self._users = users
        self._waiting = waiting
        self._fetched = fetched
        self._http: token_http.Exchange | None = None
        self._asked = asked
        self._controlled = controlled
        self._launched = launched
        self._uid = uid
        self._tasks = tasks
        self._parts: list[bytes] = []
        self._size = 0
        self._need = 0
        self._done = False
        self._peer = Peer(pid=0, uid=-1)
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn from the kernel who is there; another user is hung up on."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class does not inherit from it.
        self._peer = peer_of(transport.get_extra_info("socket"))
        if self._peer.uid not in {self._uid, 0} | self._users:
            log.warning("refused a connection of uid %d", self._peer.uid)
            self._done = True
            self._transport.abort()
            return
        self._late = asyncio.get_running_loop().call_later(READ_SECONDS, self.hang_up)
        self._waiting.hold(self, 0)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Forget a client that is gone."""
        self._waiting.drop(self)
        if self._late is not None:
            self._late.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect, and start the work once the request is whole."""
        if self._done:
            return
        if not self._size and self._fetched is not None and token_http.speaks(data):
            self._http = token_http.Exchange()
        if self._http is not None:
            self._hear(self._http, data)
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size < self._need:
            self._waiting.hold(self, self._size)
            return
        try:
            self._try()
        except BadInputError as error:
            log.warning("a malformed request: %s", error)
            self.hang_up()

    def _try(self) -> None:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = [data]
        if data[:4] == control.MAGIC[: len(data[:4])]:
            if control.complete(data):
                self._start(self._control(control.unpack(data)))
            return
        if data[:4] == told.ASKED[: len(data[:4])]:
            self._need = told.length(data) or len(data) + 1
            self._waiting.hold(self, len(data))
            if len(data) >= self._need:
                self._start(self._launch(told.unpack(data)))
            return
        head = wire.read_head(data)
        self._need = head.end if head is not None else len(data) + 1
        self._waiting.hold(self, len(data))
        if head is not None and len(data) >= head.end and not self._done:
            self._start(self._ask(head, data))

    def _hear(self, http: token_http.Exchange, data: bytes) -> None:
        """Take what came over HTTP; the exchange itself bounds how much it keeps."""
        self._size += len(data)
        self._waiting.hold(self, self._size)
        asked = http.feed(data)
        if asked is not None:
            self._start(self._fetch(http, asked))

    def _start(self, work: Any) -> None:
        self._done = True
        self._parts = []
        self._waiting.drop(self)
        if self._late is not None:
            self._late.cancel()
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Hang up on a client whose answer could not be made: that is undecided to it, and at once."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a request could not be answered", exc_info=error)
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection without an answer, which to a client is undecided."""
        self._waiting.drop(self)
        self._done = True
        self._parts = []
        if self._transport is not None:
            self._transport.abort()

    async def _ask(self, head: wire.Head, data: bytes) -> None:
        payload = None if head.too_large else wire.decode_request(data).payload
        answer = await self._asked(head.door, head.event, payload, self._peer)
        self._reply(wire.encode_answer(head.nonce, answer))

    async def _control(self, request: Any) -> None:
        answer = await self._controlled(request if isinstance(request, dict) else {}, self._peer)
        self._reply(control.pack(answer))

    async def _fetch(self, http: token_http.Exchange, asked: token_http.Request | bytes) -> None:
        if isinstance(asked, bytes) or self._fetched is None:
            self._reply(asked if isinstance(asked, bytes) else b"")
            return
        self._reply(http.answer(await self._fetched(asked, self._peer)))

    async def _launch(self, fields: dict[str, list[str]]) -> None:
        answer, then = await self._launched(fields, self._peer)
        if then is None or self._transport is None or self._transport.is_closing():
            self._reply(answer)
            if then is not None:  # The launcher is gone: what it started never will be.
                then.connection_lost(None)
            return
        self._transport.set_protocol(then)
        then.connection_made(self._transport)
        self._transport.write(answer)

    def _reply(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._transport.close()


def peer_of(sock: Any) -> Peer:
    """Return the process at the other end as the kernel names it; pid 0 where the system cannot say."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None or sock is None:
        return Peer(pid=0, uid=-1)
    pid, uid, _ = _CRED.unpack(sock.getsockopt(socket.SOL_SOCKET, option, _CRED.size))
    return Peer(pid=pid, uid=uid)
