"""The sensor's end in the daemon: who may be one, whose processes it is asked to follow, and where what it tells goes.

What it hears is believed as a launcher's word is, and joined with the agents' calls in the same way
(:mod:`outrider.daemon.watches`), so that nothing is told twice: a tree that a launcher hears is left to it.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Final, cast

from outrider.confine import told
from outrider.daemon.callers import agent_of, person
from outrider.daemon.watches import LINGER_S
from outrider.errors import BadInputError, OutriderError, RefusedError
from outrider.events.record import AgentBorn, AgentEnded, AgentResumed, AnyEvent, SessionJoined
from outrider.events.sensor import SensorState
from outrider.identity import process

if TYPE_CHECKING:
    from outrider.daemon.deeds import Watch
    from outrider.daemon.watches import Watches
    from outrider.daemon.wiring import Parts
    from outrider.events.attestation import Attestation
    from outrider.events.message import Peer
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

SILENT_S: Final = 20.0
"""Seconds of silence after which a sensor counts as gone: it says every five that it lives."""


class Sensing:
    """Keeps the one sensor of a daemon, and the trees that it follows."""

    def __init__(self, parts: Parts, watches: Watches, others: frozenset[int]) -> None:
        """Wire it.

        Args:
            parts: What the daemon holds.
            watches: Every agent that is followed.
            others: Other users whose agents are served.
        """
        self._parts = parts
        self._watches = watches
        self._others = others
        self._talk: Talk | None = None
        self._since = 0
        self._roots: dict[str, Watch] = {}
        parts.scribe.listen(self._take)

    def told(self) -> dict[str, int]:
        """Return since when a sensor tells, 0 for none, and of how many agents."""
        return {"since": self._since, "agents": len({one.agent.id for one in self._roots.values()})}

    def begin(self, peer: Peer) -> tuple[bytes, asyncio.Protocol | None]:
        """Return the answer to a sensor, and what listens to it from now on; None if it is not wanted."""
        try:
            self._accept(peer)
        except OutriderError as error:
            return told.pack(told.ANSWERED, [("error", f"{error}. {error.fix}".strip())]), None
        self._since = self._parts.scribe.now()
        talk = self._talk = Talk(self)
        self._parts.scribe.write(SensorState, state="on", uid=peer.uid, agents=len(self._parts.state.registry.living()))
        return told.pack(told.ANSWERED, [("sensor", "1")]), talk

    def _accept(self, peer: Peer) -> None:
        """Refuse whoever an agent could be: it could explain away what it did.

        Raises:
            RefusedError: It is another user's process, or one that an agent may have started, or not the first sensor.
        """
        own = os.getuid()
        if agent_of(self._parts, peer) is not None:
            raise RefusedError("this was asked from inside an agent's process tree")
        if peer.uid not in {0, own}:
            raise RefusedError("a sensor belongs to root")
        if peer.uid == own == 0:
            person(self._parts, peer)  # Root's agents are root as well: all that is left is where it comes from.
        elif peer.uid == own and (not self._others or own in self._others):
            raise RefusedError("a sensor belongs to root: agents of this user could say the same", fix="Use sudo.")
        if self._talk is not None:
            raise RefusedError("a sensor tells this daemon already")

    def settle(self) -> None:
        """Ask for every tree there is, once the sensor has heard that it is wanted."""
        for agent in self._parts.state.registry.living():
            heard = self._watches.of(agent.id)
            if heard is not None and heard.agent.id == agent.id and not heard.top:  # Its launcher tells already.
                self._ask("leave", _name(agent.attested))
            else:
                self._follow(agent, _name(agent.attested))

    # What follows from the record.

    def _take(self, event: AnyEvent) -> None:
        if self._talk is None:
            return
        if isinstance(event, AgentBorn | AgentResumed | SessionJoined):
            agent = self._parts.state.registry.by_id(event.agent)
            if agent is not None:
                self._follow(agent, _name(event.attested), event.ts)
        elif isinstance(event, AgentEnded):
            asyncio.get_running_loop().call_later(LINGER_S, self._leave, event.agent)

    def _follow(self, agent: Agent, root: str, since: int = 0) -> None:
        """From a time on, follow a tree of an agent, unless a launcher hears it, or it is its parent's own process.

        A launcher that an agent started itself is not left to tell alone: it could be anybody's program.
        """
        above = self._watches.of(agent.id) or self._watches.of(agent.parent)
        by_launcher = above is not None and not above.by_sensor
        own_launcher = agent.how == "run" and above is None
        if agent.ended or agent.host_agent or by_launcher or own_launcher:
            return
        if (known := self._roots.get(root)) is not None:
            self._watches.join(agent, known)
            return
        if not process.alive(*map(int, root.split("."))):
            return
        mine = next((one for one in self._roots.values() if one.agent.id == agent.id), None)
        if mine is not None:
            mine.also(root, since)
        self._roots[root] = mine or self._watches.sensed(agent, root, since)
        self._ask("follow", root)

    def _leave(self, identifier: str) -> None:
        """Follow an ended agent's trees no more; where another agent lives in the same process, they are that one's."""
        agent = self._parts.state.registry.by_id(identifier)
        watch = self._watches.of(identifier)
        if agent is None or not agent.ended or watch is None or watch.agent.id != identifier or not watch.by_sensor:
            return
        roots = [root for root, one in self._roots.items() if one is watch]
        for root in roots:
            del self._roots[root]
        self._over(agent)
        for root in roots:
            pid, start = map(int, root.split("."))
            living = [one for one in self._parts.state.registry.find_process(pid, start) if not one.ended]
            heir = next((one for one in living if not one.host_agent), None)
            if heir is None:
                self._ask("drop", root)
                continue
            self._roots[root] = heard = self._watches.sensed(heir, root)
            for one in living:
                self._watches.join(one, heard)

    def _ask(self, what: str, root: str) -> None:
        if self._talk is not None:
            self._talk.ask(what, root)

    def _over(self, agent: Agent) -> None:
        try:
            self._watches.over(agent)
        except OutriderError:
            log.exception("the last of what agent %s did could not be recorded", agent.id)

    # What the sensor tells.

    def hear(self, fields: dict[str, list[str]]) -> None:
        """Take a frame of one tree; of a tree that nobody follows any more nothing is kept."""
        root = (fields.get("tree") or [""])[0]
        watch = self._roots.get(root)
        if watch is None:
            return
        if "not" in fields:
            del self._roots[root]
            watch.lack(1, "the sensor may not follow this agent's process: it is another user's, or gone")
            if watch not in self._roots.values():
                self._over(watch.agent)
            return
        watch.hear(fields)

    def lost(self, why: str) -> None:
        """Record that the sensor tells no more, and of whom.

        Raises:
            RecordError: It cannot be recorded.
        """
        if self._talk is None:
            return
        self._talk, self._since = None, 0
        watches = {id(one): one for one in self._roots.values()}.values()
        self._roots.clear()
        for watch in watches:
            self._over(watch.agent)
            if (agent := self._parts.state.registry.by_id(watch.agent.id)) is not None and not agent.ended:
                watch.lack(1, f"{why}: what this agent's processes do from now on is not heard")
        self._parts.scribe.write(SensorState, state="off", why=why, agents=len(watches))

    def stop(self) -> None:
        """Record what is left: the daemon ends."""
        try:
            self.lost("the daemon ended")
        except OutriderError:
            log.exception("what the sensor told last could not be recorded")


def _name(attested: Attestation) -> str:
    """Return a process as deeds name it."""
    return f"{attested.pid}.{attested.start}"


class Talk(asyncio.Protocol):
    """The connection to the sensor."""

    def __init__(self, sensing: Sensing) -> None:
        self._sensing = sensing
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over; what there is to follow is asked for behind the answer that is sent now."""
        self._transport = cast("asyncio.Transport", transport)
        self._wait()
        asyncio.get_running_loop().call_soon(self._sensing.settle)

    def ask(self, what: str, of: str) -> None:
        """Ask the sensor to ``follow``, ``leave`` or ``drop`` a tree."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(told.pack(told.ANSWERED, [(what, of)]))

    def data_received(self, data: bytes) -> None:
        """Take every frame that is whole; one that cannot be read ends the connection."""
        self._wait()
        self._data += data
        try:
            while (size := told.length(self._data)) and len(self._data) >= size:
                frame, self._data = self._data[:size], self._data[size:]
                self._sensing.hear(told.unpack(frame))
        except BadInputError as error:
            self._gone(f"the sensor's word could not be read: {error}")
        except OutriderError:
            log.exception("what the sensor told could not be recorded")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Say that nobody hears any more."""
        self._gone("the sensor ended")

    def _wait(self) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_later(SILENT_S, self._suspect)

    def _suspect(self) -> None:
        """Look whether it was we who stood still: then what it said meanwhile is about to be read."""
        self._late = asyncio.get_running_loop().call_later(LINGER_S, self._gone, "the sensor fell silent")

    def _gone(self, why: str) -> None:
        if self._late is not None:
            self._late.cancel()
        try:
            self._sensing.lost(why)
        except OutriderError:
            log.exception("that the sensor is gone could not be recorded")
        if self._transport is not None:
            self._transport.abort()
