"""The ways out of agents that the kernel holds: each has a listening socket and a proxy on it that asks the gate."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import struct
from typing import TYPE_CHECKING

from outrider.confine.ambient import never
from outrider.confine.egress import MAX_HEAD, Egress, Through
from outrider.confine.reaches import host_and_port, hosts_of, inside, refused, written
from outrider.errors import RefusedError
from outrider.events import message as m
from outrider.events.call import Call
from outrider.gate.study import Reading
from outrider.identity.ids import agent_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from outrider.charter.model import Charter
    from outrider.confine.plan import Plan
    from outrider.daemon.wiring import Parts
    from outrider.identity.registry import Agent

    _Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

log = logging.getLogger("outrider.daemon")
_CRED = struct.Struct("3i")
_WAIT_S = 5.0
_DEEPEST = 64
SOCKET = "egress.sock"
_NO_WAY = "Whoever started it is held to the port of its own proxy: start it from outside of that one."
_REFUSED = "[never] of charter {} or one above it refuses it"


class Asked:
    """Puts one agent's connections before the gate, as calls that reach a host."""

    def __init__(self, parts: Parts, agent: Agent, lent: frozenset[str]) -> None:
        self._parts = parts
        self._agent = agent
        self._lent = lent

    async def ask(self, host: str, port: int, *, tls: bool) -> str:
        """Return the id of the call, empty for a host that is lent to the command.

        Raises:
            RefusedError: The gate says no, or a person would have to be asked.
        """
        if written(host_and_port(f"[{host}]" if ":" in host else host, port)) in self._lent:
            return ""
        call = self._call(host, port, tls=tls, call=f"out-{agent_id()}")
        asked = m.CallAsked(door=call.door, session=call.session, event="connect", cwd=call.cwd, call=call)
        agent = self._parts.state.registry.by_id(self._agent.id)
        if agent is None or agent.ended:
            raise RefusedError("this agent has ended")
        answer = await self._parts.gate.judge(asked, call, agent)
        if answer.verdict in {"deny", "ask"}:
            raise RefusedError(answer.reason)
        return call.call_id

    async def over(self, call: str, *, ok: bool) -> None:
        """Record the end of a connection."""
        if not call:
            return
        what = self._call("", 0, tls=True, call=call)
        told = m.CallReturned(
            door=what.door,
            session=what.session,
            event="connect",
            cwd=what.cwd,
            call=what,
            ok=ok,
            output="",
            duration_ms=-1,
            child="",
        )
        agent = self._parts.state.registry.by_id(self._agent.id) or self._agent
        self._parts.results.returned(told, agent, Reading(findings=(), prints=b"", named=()))

    def _call(self, host: str, port: int, *, tls: bool, call: str) -> Call:
        written = f"[{host}]" if ":" in host else host
        return Call(
            door=self._agent.door,
            session=self._agent.session,
            call_id=call,
            tool="fetch",
            name="egress",
            args={"url": f"{'https' if tls else 'http'}://{written}:{port}/"} if host else {},
            cwd=self._agent.cwd,
        )


class WaysOut:
    """Takes listening sockets from launchers, and answers on each for its agent."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._waiting: dict[str, tuple[Agent, _Serve]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_port: set[str] = set()
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def told(self, agent: Agent, made: Plan, lent: Sequence[str], port: str) -> list[tuple[str, str]]:
        """Return what a launcher is told of an agent's way out, as fields.

        Args:
            agent: The agent.
            made: Its plan.
            lent: Hosts, each with its port, that are lent to it.
            port: The port of the loopback it sees, on which its launcher listens for it.
        """
        word = "" if made.own_view else secrets.token_urlsafe(24)
        out = [("egress", self.promise(agent, lent, word))]
        if made.own_view:
            out += [("lend", f"{at} {self.promise_port(agent, name, at)}") for name, at in inside(lent)]
        else:  # Its loopback is the machine's, where what is lent listens already.
            out += [("reach", str(at)) for _, at in inside(lent)]
        if made.network == "port":
            self._by_port.add(agent.id)
        return [*out, *(("set", f"{name}={text}") for name, text in proxied(port, word))]

    def closed_in(self, parent: Agent | None) -> bool:
        """Return whether what an agent starts could reach no proxy: the kernel holds it to the port of its own."""
        registry = self._parts.state.registry
        for _ in range(_DEEPEST):
            if parent is None or parent.id in self._by_port:
                break
            parent = registry.by_id(parent.parent) if parent.parent else None
        return parent is not None and parent.id in self._by_port

    def forget(self, agent: str) -> None:
        """Let go of an agent that is over."""
        self._by_port.discard(agent)

    def promise(self, agent: Agent, lent: Iterable[str], word: str = "") -> str:
        """Return the word by which an agent's launcher will say that it hands over the socket of its proxy.

        Args:
            agent: The agent.
            lent: Hosts, each with its port, that are not asked about.
            word: What the agent's programs must say to the proxy; empty where nobody else can reach it.
        """
        return self._promise(agent, Egress(Asked(self._parts, agent, frozenset(lent)), word=word).serve)

    def promise_port(self, agent: Agent, host: str, port: int) -> str:
        """Return the word for a socket that leads to a lent port of this machine's own loopback."""
        return self._promise(agent, Through(host, port).serve)

    def _promise(self, agent: Agent, serve: _Serve) -> str:
        word = secrets.token_hex(16)
        self._waiting[word] = (agent, serve)
        return word

    def open(self) -> None:
        """Make the socket on which launchers hand theirs over.

        Raises:
            OSError: It cannot be had.
        """
        path = self._parts.home.run / SOCKET
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        old = os.umask(0o177)
        try:
            self._door.bind(str(path))
        finally:
            os.umask(old)
        self._door.listen(64)
        self._door.setblocking(False)

    async def serve(self) -> None:
        """Take sockets until cancelled."""
        loop = asyncio.get_running_loop()
        with self._door:
            while True:
                connection, _ = await loop.sock_accept(self._door)
                task = loop.create_task(self._serve(connection))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        """Answer on a socket that is handed over until its launcher is gone."""
        with connection:
            try:
                found = await asyncio.to_thread(self._taken, connection)
                if found is None:
                    return
                serve, listening = found
                server = await asyncio.start_server(serve, sock=listening, limit=MAX_HEAD)
            except (OSError, ValueError) as error:  # ValueError: it is no socket on which anybody can listen.
                log.warning("a launcher's socket could not be taken: %s", error)
                return
            try:
                connection.setblocking(False)
                await asyncio.get_running_loop().sock_recv(connection, 1)
            except OSError:
                pass
            finally:
                server.close()

    def _taken(self, connection: socket.socket) -> tuple[_Serve, socket.socket] | None:
        connection.settimeout(_WAIT_S)
        data, handles, _, _ = socket.recv_fds(connection, 64, 1)
        listening = socket.socket(fileno=handles[0]) if handles else None
        cred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CRED.size)
        pid, uid, _ = _CRED.unpack(cred)
        meant = self._waiting.get(data.decode("ascii", "replace"))
        if listening is None or meant is None or uid != os.getuid() or pid != meant[0].attested.pid:
            if listening is not None:
                listening.close()
            return None
        del self._waiting[data.decode("ascii")]
        listening.setblocking(False)
        return meant[1], listening


def proxied(port: str, word: str = "") -> list[tuple[str, str]]:
    """Return the variables by which programs are told of the proxy on a port of the loopback that they see.

    Args:
        port: The port.
        word: What they must say to it. It stands where a user's name does, with a password of no meaning: there are
            programs that say neither without the other.
    """
    way = f"http://{f'{word}:x@' if word else ''}127.0.0.1:{port if port.isdigit() else '0'}"
    inside = "localhost,127.0.0.1,::1"
    names = {"http_proxy": way, "https_proxy": way, "all_proxy": way, "no_proxy": inside}
    return [*names.items(), *((name.upper(), text) for name, text in names.items()), ("NODE_USE_ENV_PROXY", "1")]


def lent_to(
    fields: dict[str, list[str]], command: str, line: tuple[Charter, ...], *, person: bool, leads_out: bool
) -> tuple[str, ...]:
    """Return the hosts that are lent to a command: those that the person names, and those of a known agent host.

    Args:
        fields: What the launcher said.
        command: Base name of the command.
        line: Its charter and every one that bounds it.
        person: Whether a person starts it.
        leads_out: Whether it has a way out at all.

    Raises:
        BadInputError: What is to be lent is no host.
        RefusedError: It is an agent that would lend, a charter refuses the host, or it could not be reached.
    """
    lent = fields.get("lend", [])
    if lent and not person:
        raise RefusedError("an agent lends nothing to what it starts", fix="A person can start it from a terminal.")
    if refusal := [one for one in lent if one.startswith("env:") and never(line, one[4:])]:
        raise RefusedError(f"{refusal[0][:80]} cannot be lent: {_REFUSED.format(line[0].name)}")
    named = tuple(written(host_and_port(text)) for text in lent if not text.startswith("env:"))
    if named and not leads_out:
        raise RefusedError("nothing can be lent to a command that has no way out", fix=_NO_WAY)
    if refusal := list(refused(named, line)):
        raise RefusedError(f"{refusal[0]} cannot be lent: {_REFUSED.format(line[0].name)}")
    if not person or not leads_out:
        return ()
    environment = dict(one.partition("=")[::2] for one in fields.get("env", []))
    own = hosts_of(command, environment)
    refusals = refused(own, line)
    return tuple(dict.fromkeys((*named, *(one for one in own if one not in refusals))))
