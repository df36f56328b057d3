"""Which agents' deeds are heard, by whom, and whose calls each tree is compared with."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from outrider.daemon.deeds import SENSOR, Watch
from outrider.daemon.lineages import Lineages
from outrider.errors import OutriderError
from outrider.events.record import AgentBorn, AgentEnded, AgentResumed, AnyEvent, CallDecided, CallResult, RecordGap
from outrider.identity import process

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

LINGER_S: Final = 1.0
"""Seconds that an agent's tree is heard beyond its end: what it did last may still be on the way."""
_COMMANDS: Final = {"claude_code": "claude"}
"""The command that a door's host is, whatever its file is called."""
_IN_THE_TREE: Final = frozenset({"subagent", "descendant", "run"})


class Watches:
    """Every agent that is followed, and whose calls each is compared with."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._watches: dict[str, Watch] = {}
        self._tree: dict[str, str] = {}
        self._sensed = Lineages()
        parts.scribe.listen(self._take)

    def own_up(self) -> None:
        """Record that the deeds of agents that live already are not heard: their launchers told another daemon.

        Raises:
            RecordError: It cannot be recorded.
        """
        scribe = self._parts.scribe
        why = "the daemon was started anew: what this agent's processes do from now on is not heard"
        registry = self._parts.state.registry
        for agent in registry.living():
            launched = any(one.how == "run" for one in registry.lineage(agent.id)) and not agent.host_agent
            if launched and process.alive(agent.attested.pid, agent.attested.start):
                scribe.write(RecordGap, agent=agent.id, what="unseen-deeds", count=1, since=scribe.now(), detail=why)

    @property
    def undeclared(self) -> int:
        """How many deeds of living agents nothing explains."""
        return sum(one.deeds.undeclared for one in self._watches.values())

    @property
    def untold(self) -> int:
        """How many living agents are followed that have told no call."""
        return sum(not one.deeds.calls for one in self._watches.values() if not one.by_sensor)

    def launched(self, agent: Agent, command: str, proxy: str) -> Watch:
        """Follow an agent whose launcher tells what its tree does; see :class:`Watch`."""
        by = f"launcher:{agent.id}"
        return self._begin(Watch(self._parts, agent, command, proxy, by=by, top="", lineages=Lineages()))

    def sensed(self, agent: Agent, top: str, since: int = 0) -> Watch:
        """Follow an agent that the sensor hears, from a process and a time on."""
        watch = Watch(self._parts, agent, command_of(agent), "", by=SENSOR, top=top, lineages=self._sensed)
        self._sensed.begin(top, since, watch)
        return self._begin(watch)

    def below(self, agent: Agent, around: Watch, since: int) -> Watch:
        """Follow a child in the tree of an agent that a launcher tells of, from a time on."""
        top, lineages = process_of(agent), around.lineages
        watch = Watch(self._parts, agent, command_of(agent), "", by=around.by, top=top, lineages=lineages)
        watch.deeds.ask_with(around.deeds)
        lineages.begin(top, since, watch)
        return self._begin(watch)

    def _begin(self, watch: Watch) -> Watch:
        self._watches[watch.agent.id] = watch
        self._tree[watch.agent.id] = watch.agent.id
        watch.whose = self.of
        return watch

    def of(self, agent: str) -> Watch | None:
        """Return what follows the tree that an agent's calls are compared with; None if nothing does."""
        return self._watches.get(self._tree.get(agent, ""))

    def join(self, agent: Agent, watch: Watch) -> None:
        """Compare an agent's calls with the deeds of a tree that is another's too."""
        self._tree[agent.id] = watch.agent.id

    def over(self, agent: Agent) -> None:
        """Follow an agent no more: its launcher is gone, or its tree. With a launcher's go all that it told of."""
        watch = self._watches.get(agent.id)
        if watch is None:
            return
        gone = [watch] if watch.top else [one for one in self._watches.values() if one.lineages is watch.lineages]
        ended = {one.agent.id for one in gone}
        self._tree = {one: top for one, top in self._tree.items() if top not in ended}
        for one in gone:
            del self._watches[one.agent.id]
        watch.end()
        for one in gone:
            one.lineages.forget(one)
            one.end()

    def _take(self, event: AnyEvent) -> None:
        if not self._watches:
            return
        if isinstance(event, AgentBorn | AgentResumed):
            self._born(event)
        elif isinstance(event, AgentEnded):
            watch = self._watches.get(event.agent)
            if watch is not None and watch.top and not watch.by_sensor:
                asyncio.get_running_loop().call_later(LINGER_S, self._left, watch)
        elif isinstance(event, CallDecided | CallResult):
            watch = self.of(event.agent)
            if watch is None:
                return
            if isinstance(event, CallDecided):
                watch.deeds.told(event)
            else:
                watch.deeds.returned(event.intent, event.ts)

    def _born(self, event: AgentBorn | AgentResumed) -> None:
        """Give a child a tree of its own where a launcher tells of its process; else it is in its parent's."""
        agent = self._parts.state.registry.by_id(event.agent)
        around = self.of(agent.parent) if agent is not None else None
        if agent is None or around is None:
            return
        root = process_of(agent)
        same = agent.how != "spawn" and around.is_host(root)
        if around.by_sensor or agent.how == "subagent" or same or around.lineages.begins(root):
            if agent.how in _IN_THE_TREE or not around.by_sensor:
                self._tree.setdefault(agent.id, around.agent.id)
        elif agent.id not in self._watches:
            self.below(agent, around, event.ts)

    def _left(self, watch: Watch) -> None:
        agent = self._parts.state.registry.by_id(watch.agent.id)
        if self._watches.get(watch.agent.id) is watch and (agent is None or agent.ended):
            try:
                self.over(watch.agent)
            except OutriderError:
                log.exception("the last of what agent %s did could not be recorded", watch.agent.id)


def process_of(agent: Agent) -> str:
    """Return the process that an agent is bound to, as deeds name it."""
    return f"{agent.attested.pid}.{agent.attested.start}"


def command_of(agent: Agent) -> str:
    """Return the command that an agent's host is: a known door's, whatever its file is called."""
    return _COMMANDS.get(agent.door, agent.attested.argv0) if agent.how != "spawn" else agent.attested.argv0
