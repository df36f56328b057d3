"""The socket: one connection, one request, one answer. Knows frames and peers; decides nothing."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from outrider.daemon import control
from outrider.doors import wire
from outrider.errors import BadInputError
from outrider.events.message import Peer, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Asked = Callable[[str, str, bytes | None, Peer], Awaitable[Wire]]
    """Door, event, payload (None: larger than is judged), sender."""

    Controlled = Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]]

log = logging.getLogger("outrider.daemon")
_CRED = struct.Struct("3i")

READ_SECONDS = 30.0
"""How long a client may take to send its request; the clients' own deadlines are far shorter."""


class Connection(asyncio.Protocol):
    """One client. Bytes are collected until a frame is whole; a frame that cannot become one ends the connection."""

    def __init__(self, asked: Asked, controlled: Controlled, uid: int, tasks: set[asyncio.Task[None]]) -> None:
        self._asked = asked
        self._controlled = controlled
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
        if self._peer.uid not in {self._uid, 0}:
            log.warning("refused a connection of uid %d", self._peer.uid)
            self._done = True
            self._transport.abort()
            return
        self._late = asyncio.get_running_loop().call_later(READ_SECONDS, self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Forget a client that is gone."""
        if self._late is not None:
            self._late.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect, and start the work once the request is whole."""
        if self._done:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size < self._need:
            return
        try:
            self._try()
        except BadInputError as error:
            log.warning("a malformed request: %s", error)
            self._hang_up()

    def _try(self) -> None:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = [data]
        if data[:4] == control.MAGIC[: len(data[:4])]:
            if control.complete(data):
                self._start(self._control(control.unpack(data)))
            return
        head = wire.read_head(data)
        self._need = head.end if head is not None else len(data) + 1
        if head is not None and len(data) >= head.end:
            self._start(self._ask(head, data))

    def _start(self, work: Any) -> None:
        self._done = True
        self._parts = []
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
            self._hang_up()

    def _hang_up(self) -> None:
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
