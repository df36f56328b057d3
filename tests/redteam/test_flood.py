"""One process that opens connections and says nothing must not silence the guard for everybody else."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from outrider.daemon import server
from outrider.daemon.server import Connection, Waiting
from outrider.doors.wire import Request, decode_answer, encode_request
from outrider.events.message import Peer, Wire

_NONCE = b"n" * 16


async def _yes(_door: str, _event: str, _payload: bytes | None, _peer: Peer) -> Wire:
    return Wire(stdout=b"heard")


async def _no(_request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
    return {}


async def _nothing(_fields: dict[str, list[str]], _peer: Peer) -> tuple[bytes, None]:
    return b"", None


async def _ask_after(first: bytes, count: int) -> tuple[Wire, int]:
    """Open ``count`` connections that send ``first`` and no more, then ask; return the answer and how many are left."""
    waiting = Waiting()
    tasks: set[asyncio.Task[None]] = set()
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "s")
        loop = asyncio.get_running_loop()
        listening = await loop.create_unix_server(
            lambda: Connection(_yes, _no, _nothing, os.getuid(), tasks, waiting), path, backlog=1024
        )
        idle = []
        for _ in range(count):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(first)
            idle.append(writer)
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(encode_request(Request(nonce=_NONCE, door="claude_code", event="PreToolUse", payload=b"{}")))
        answer = decode_answer(await asyncio.wait_for(reader.read(), 10), _NONCE)
        left = len(waiting)
        for one in (*idle, writer):
            one.transport.abort()
        listening.close()
        return answer, left


def test_silent_connections_make_room_for_one_that_asks() -> None:
    answer, left = asyncio.run(_ask_after(b"", server.MOST_WAITING + 100))
    assert answer.stdout == b"heard"
    assert left <= server.MOST_WAITING


def test_half_sent_requests_are_held_up_to_a_bound(monkeypatch: Any) -> None:
    monkeypatch.setattr(server, "MOST_BYTES", 1 << 20)
    head = b"ORQ1" + _NONCE + b"\x0bclaude_code\x0aPreToolUse" + (32 << 20).to_bytes(4, "big")
    answer, left = asyncio.run(_ask_after(head + b"a" * (200 << 10), 40))
    assert answer.stdout == b"heard"
    assert left <= 6
