"""Hooks over HTTP, where they are switched on: weaker than the command, since the sender's process cannot be named."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.doors import http
from outrider.doors.registry import DOORS
from outrider.events.message import Peer, Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from outrider.daemon.wiring import Parts

    Judge = Callable[[str, str, bytes | None, Peer], Awaitable[Wire]]

log = logging.getLogger("outrider.daemon")

NOBODY = Peer(pid=0, uid=-1)
"""The sender of a request over HTTP: only the token speaks for it. A peer of the UNIX socket has a uid at least."""

SECONDS = 2.0
"""Until when a request is answered, as with the hook client."""

_MIN_TOKEN = 32
_HOST = "127.0.0.1"


async def listen(parts: Parts, judge: Judge) -> asyncio.Server | None:
    """Listen on loopback if the configuration says so; None if it does not, or it cannot be done (``http_problem``).

    A port that is taken does not end the daemon: command hooks do not need it.
    """
    settings = parts.config.http
    if not settings.enabled:
        return None
    path = Path(settings.token_file) if settings.token_file else parts.home.http_token
    try:
        token = path.read_text("ascii").strip()
        if len(token) < _MIN_TOKEN:
            parts.http_problem = f"the token in {path} is shorter than {_MIN_TOKEN} characters"
            log.error("HTTP hooks are not served: %s", parts.http_problem)
            return None
        hosts = frozenset({f"{_HOST}:{settings.port}", f"localhost:{settings.port}"})
        guard = http.Guard(token=token, hosts=hosts)
        serve = partial(http.speak, guard=guard, judge=partial(_in_time, judge))
        return await asyncio.start_server(serve, _HOST, settings.port)
    except (OSError, UnicodeDecodeError) as error:
        parts.http_problem = f"port {settings.port}, token {path}: {error}"
        log.error("HTTP hooks are not served: %s", parts.http_problem)  # noqa: TRY400 - the sentence says it all
        return None


async def _in_time(judge: Judge, asked: http.Asked) -> Wire:
    """Judge one request; what takes too long goes on and is recorded, and is answered with a refusal meanwhile."""
    work = asyncio.ensure_future(judge(asked.door, asked.event, asked.payload, NOBODY))
    try:
        async with asyncio.timeout(SECONDS):
            return await asyncio.shield(work)
    except TimeoutError:
        return DOORS[asked.door].undecided(asked.event, "deny", "Outrider could not decide in time, so it is refused.")
