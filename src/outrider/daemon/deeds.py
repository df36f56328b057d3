"""Records what agents' processes do, as launchers and the sensor hear it, joined with what the agents' calls told."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from sysconfig import get_default_scheme, get_path
from typing import TYPE_CHECKING, Final

import msgspec

import outrider
from outrider.confine.find import NATIVE as LAUNCHER
from outrider.confine.heard import Dialled, Lost, Started, heard
from outrider.errors import OutriderError
from outrider.events.deeds import Ran, Reached
from outrider.events.normal import host_entities, normal_path
from outrider.events.record import AgentBorn, AnyEvent, Beside, CallDecided, CallResult, DeedsSeen, Entity, RecordGap
from outrider.gate.clean import abbreviate, clean_name, cut
from outrider.gate.deeds import Deeds
from outrider.hook.find import NATIVE, PYTHON, SYSTEM
from outrider.identity import process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outrider.daemon.wiring import Parts
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

SPAN_S: Final = 5.0
"""Seconds that deeds are counted before they are recorded."""
SOON_S: Final = 0.5
"""The same where a finding is among them."""
_SETTLED_US: Final = 400_000
"""Microseconds after which what a launcher heard has reached us: it tells at least every 100 ms."""
_USERS: Final = Path(get_path("purelib", "posix_user")) == Path(outrider.__file__).resolve().parents[1]
_SCRIPTS: Final = get_path("scripts", "posix_user" if _USERS else get_default_scheme())
TOOLS: Final = tuple(map(os.path.realpath, (LAUNCHER, Path(_SCRIPTS) / "outrider")))
"""Where Outrider's own tool lies: the launcher, and the command where this installation put it."""
_IN_THE_TREE: Final = frozenset({"subagent", "descendant", "run"})


class Watch:
    """Follows one agent, from its birth to its end."""

    def __init__(self, parts: Parts, agent: Agent, command: str, proxy: str, *, top: str = "") -> None:
        """Begin.

        Args:
            parts: What the daemon holds.
            agent: The agent.
            command: Base name of its command.
            proxy: ``address:port`` of the proxy as the tree sees it, or empty.
            top: The process that the agent's tree begins with, where the sensor hears it; empty for a launcher's.
        """
        self._parts = parts
        self.agent = agent
        self.by_sensor = bool(top)
        hooks = (str(NATIVE), str(PYTHON), str(SYSTEM), str(parts.home.bin / SYSTEM.name))
        self.deeds = Deeds(
            command,
            self._is_host,
            hook=hooks,
            proxy=proxy,
            ours=str(parts.home.run),
            tools=TOOLS,
            interpreter=os.path.realpath(sys.executable),
        )
        if top:
            self.deeds.begin_with(top)
        self._due: asyncio.TimerHandle | None = None
        self._soon = False

    def hear(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Take what the launcher tells.

        Raises:
            BadInputError: It has not the form that it must have.
            RecordError: It cannot be recorded.
        """
        for one in heard(fields):
            if isinstance(one, Started):
                self.deeds.started(one)
            elif isinstance(one, Dialled):
                self.deeds.dialled(one)
            elif isinstance(one, Lost):
                who = "sensor" if self.by_sensor else "launcher"
                self.lack(one.count, f"the {who} had no room for more: its daemon was slower than the tree")
            if self.deeds.full:
                self.record()
        self._plan()

    def end(self) -> None:
        """Record what is left: the agent ends.

        Raises:
            RecordError: It cannot be recorded.
        """
        self.deeds.settle(self._parts.scribe.now() + 1)
        self.record()
        if self._due is not None:
            self._due.cancel()

    def record(self) -> None:
        """Record what was seen since the last time.

        Raises:
            RecordError: It cannot be recorded.
        """
        if not self.deeds.since:
            return
        span, findings = self.deeds.take()
        home, key = self.agent.home, self._parts.scribe.key
        ran = tuple(
            msgspec.structs.replace(
                one, program=cut(abbreviate(one.program, home), 200, key), under=cut(one.under, 60, key)
            )
            for one in span.ran
        )
        reached = tuple(
            msgspec.structs.replace(
                one, peer=cut(clean_name("host", one.peer, key), 120, key), program=cut(one.program, 60, key)
            )
            for one in span.reached
        )
        self._parts.scribe.write(
            DeedsSeen,
            agent=self.agent.id,
            told_by="sensor" if self.by_sensor else f"launcher:{self.agent.id}",
            beside=Beside(entities=tuple(dict.fromkeys((*_programs(ran, home), *_peers(reached, key))))),
            deeds=msgspec.structs.replace(span, ran=ran, reached=reached),
            findings=findings,
            seal=bool(findings),
        )

    def lack(self, count: int, why: str) -> None:
        """Record that deeds are known to be missing.

        Raises:
            RecordError: It cannot be recorded.
        """
        self._parts.scribe.write(
            RecordGap,
            agent=self.agent.id,
            what="unseen-deeds",
            count=count,
            until=self._parts.scribe.now(),
            detail=why,
        )

    def _plan(self) -> None:
        """See that what waits is recorded in time."""
        soon = self.deeds.urgent
        if self._due is not None and (not soon or self._soon):
            return
        if self._due is not None:
            self._due.cancel()
        self._soon = soon
        self._due = asyncio.get_running_loop().call_later(SOON_S if soon else SPAN_S, self._now)

    def _now(self) -> None:
        self._due = None
        try:
            self.deeds.settle(self._parts.scribe.now() - _SETTLED_US)
            self.record()
        except OutriderError:
            log.exception("what agent %s did could not be recorded", self.agent.id)
        if self.deeds.waits:
            self._plan()

    def _is_host(self, process: str) -> bool:
        pid, _, start = process.partition(".")
        return bool(self._parts.state.registry.find_process(int(pid), int(start)))


class Watches:
    """Every agent that is followed, and whose calls each is compared with."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._watches: dict[str, Watch] = {}
        self._tree: dict[str, str] = {}
        parts.scribe.listen(self._take)

    def own_up(self) -> None:
        """Record that the deeds of agents that live already are not heard: their launchers told another daemon.

        Raises:
            RecordError: It cannot be recorded.
        """
        scribe = self._parts.scribe
        why = "the daemon was started anew: what this agent's processes do from now on is not heard"
        for agent in self._parts.state.registry.living():
            if agent.how == "run" and process.alive(agent.attested.pid, agent.attested.start):
                scribe.write(RecordGap, agent=agent.id, what="unseen-deeds", count=1, since=scribe.now(), detail=why)

    @property
    def undeclared(self) -> int:
        """How many deeds of living agents nothing explains."""
        return sum(one.deeds.undeclared for one in self._watches.values())

    @property
    def untold(self) -> int:
        """How many living agents are followed that have told no call."""
        return sum(not one.deeds.calls for one in self._watches.values() if not one.by_sensor)

    def begin(self, agent: Agent, command: str, proxy: str, *, top: str = "") -> Watch:
        """Follow an agent; see :class:`Watch`."""
        watch = self._watches[agent.id] = Watch(self._parts, agent, command, proxy, top=top)
        self._tree[agent.id] = agent.id
        return watch

    def of(self, agent: str) -> Watch | None:
        """Return what follows the tree that an agent's calls are compared with; None if nothing does."""
        return self._watches.get(self._tree.get(agent, ""))

    def join(self, agent: Agent, watch: Watch) -> None:
        """Compare an agent's calls with the deeds of a tree that is another's too."""
        self._tree[agent.id] = watch.agent.id

    def over(self, agent: Agent) -> None:
        """Follow an agent no more: its launcher is gone."""
        watch = self._watches.pop(agent.id, None)
        if watch is not None:
            self._tree = {one: top for one, top in self._tree.items() if top != agent.id}
            watch.end()

    def _take(self, event: AnyEvent) -> None:
        if not self._watches:
            return
        if isinstance(event, AgentBorn):
            if event.parent in self._tree and event.how in _IN_THE_TREE:
                self._tree.setdefault(event.agent, self._tree[event.parent])
        elif isinstance(event, CallDecided | CallResult):
            watch = self.of(event.agent)
            if watch is None:
                return
            if isinstance(event, CallDecided):
                watch.deeds.told(event)
            else:
                watch.deeds.returned(event.intent, event.ts)


def _programs(ran: tuple[Ran, ...], home: str) -> list[Entity]:
    return [
        Entity("ran", kind, value)
        for one in ran
        for kind, value in (("path", normal_path(one.program, home)), ("tool", one.program.rpartition("/")[2]))
        if value
    ]


def _peers(reached: tuple[Reached, ...], key: bytes) -> list[Entity]:
    return [
        Entity("reached", kind, value)
        for one in reached
        if not one.judged and not one.peer.startswith("unix:")  # What the proxy judged is told of by its own event.
        for kind, value in host_entities(one.peer, key)
        if value
    ]
