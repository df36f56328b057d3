"""Credentials over HTTP: ``GET /token`` for agents on their own socket; on loopback, for those who check credentials.

On loopback nobody is known by their process tree. Whoever comes there reads what anybody may read, or shows a token.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from outrider.daemon import lent
from outrider.daemon.exchanging import JWT, PATH, Exchanging, RefusedExchangeError
from outrider.doors.token_http import Exchange, Request, Response, error
from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.events.message import Peer

if TYPE_CHECKING:
    from outrider.daemon.brokering import Brokering
    from outrider.daemon.wiring import Parts

log = logging.getLogger("outrider.daemon")

DOCUMENTS = {
    "/.well-known/openid-configuration": "discovery",
    "/.well-known/oauth-authorization-server": "discovery",
    "/jwks.json": "jwks",
    "/history.json": "history",
}
"""What anybody may fetch. The history holds every key there ever was, with the time that it signed in."""

KEEP = 60
"""Seconds that those who fetch a document may keep it: the next key is published when it begins to sign."""

NOBODY = Peer(pid=0, uid=-1)
READ_SECONDS = 5.0
_HOST = "127.0.0.1"


class Served:
    """Answers requests over HTTP."""

    def __init__(self, parts: Parts, broker: Brokering) -> None:
        self._parts = parts
        self._broker = broker
        self._exchanging = Exchanging(parts, broker)

    async def fetched(self, request: Request, peer: Peer) -> Response:
        """Return the answer to a request. ``peer`` is :data:`NOBODY` where its process cannot be named."""
        try:
            return await self._fetched(request, peer)
        except RefusedExchangeError as refused:
            return error(400, refused.name, str(refused), refused.fix)
        except RefusedError as refused:
            return error(403, "access_denied", str(refused), refused.fix)
        except BadInputError as refused:
            return error(400, "invalid_request", str(refused), refused.fix)
        except OutriderError as refused:
            return error(503, "temporarily_unavailable", str(refused), refused.fix)

    async def _fetched(self, request: Request, peer: Peer) -> Response:
        if request.path in DOCUMENTS and request.method == "GET":
            told = await self._broker.issuing.published({}, peer)
            return Response(status=200, body=told[DOCUMENTS[request.path]], keep=KEEP)
        if request.path != PATH or (request.method == "GET" and not peer.pid):
            return error(404, "invalid_request", "there is nothing here")
        if request.is_page:
            return error(403, "access_denied", "web pages may not ask")
        if request.method == "POST":
            return Response(status=200, body=_token(await self._exchanging.exchange(request, peer), self._parts))
        unknown = sorted(request.said.keys() - {"audience"})
        if unknown:
            raise BadInputError(f"{unknown[0][:40]!r} is not known here", fix="GET /token?audience=AUDIENCE")
        here = lent.load(self._parts.home.root)
        agent = self._broker.caller(peer)
        jkt = await self._exchanging.proved(request, here)
        got = await self._broker.granted(agent, here, request.said.get("audience", ""), jkt=jkt)
        return Response(status=200, body=_token(got, self._parts))


def _token(got: dict[str, Any], parts: Parts) -> dict[str, Any]:
    """Return a token as OAuth has it (RFC 8693, 2.2.1), and what we say beside it."""
    return {
        "access_token": got["token"],
        "issued_token_type": JWT,
        "token_type": "DPoP" if got["jkt"] else "Bearer",
        "expires_in": max(0, got["expires"] - parts.scribe.now() // 1_000_000),
        "subject": got["subject"],
        "event": got["event"],
    }


async def listen(parts: Parts, served: Served) -> asyncio.Server | None:
    """Listen on loopback if ``serve`` names a port; None if not, or if it cannot be done (``issuer_problem``).

    A port that is taken does not end the daemon: agents ask on their own sockets.
    """
    port = 0
    try:
        here = lent.load(parts.home.root)
        port = here.serve
        if not port:
            return None
        hosts = {f"{_HOST}:{port}", f"localhost:{port}", lent.host_of(here.issuer)}

        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _speak(reader, writer, served, hosts)

        return await asyncio.start_server(speak, _HOST, port)
    except (BadInputError, OSError) as problem:
        parts.issuer_problem = f"port {port}: {problem}" if port else str(problem)
        log.error("credentials are not served: %s", parts.issuer_problem)  # noqa: TRY400 - the sentence says it all
        return None


async def _speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, served: Served, hosts: set[str]) -> None:
    """Serve one connection: read, answer, close."""
    exchange = Exchange()
    try:
        asked: Request | bytes | None = None
        async with asyncio.timeout(READ_SECONDS):
            while asked is None:
                asked = exchange.feed(await reader.read(1 << 16))
        if isinstance(asked, Request):
            known = asked.host in hosts
            answer = await served.fetched(asked, NOBODY) if known else error(421, "invalid_request", "another server")
            asked = exchange.answer(answer)
        writer.write(asked)
        await writer.drain()
    except (TimeoutError, ConnectionError):
        pass  # It is gone, or too slow.
    finally:
        writer.close()
