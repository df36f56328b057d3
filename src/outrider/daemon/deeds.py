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
from outrider.daemon.lineages import Lineages
from outrider.errors import OutriderError
from outrider.events.deeds import Ran, Reached
from outrider.events.normal import host_entities, normal_path
from outrider.events.record import (
    Beside,
    DeedsSeen,
    Entity,
    RecordGap,
)
from outrider.gate.clean import abbreviate, clean_name, cut
from outrider.gate.deeds import Deeds
from outrider.hook.find import NATIVE, PYTHON, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outrider.daemon.wiring import Parts
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

SPAN_S: Final = 5.0
"""Seconds that deeds are counted before they are recorded."""
SOON_S: Final = 0.5
"""The same where a finding is among them."""
SENSOR: Final = "sensor"
_SETTLED_US: Final = 400_000
"""Microseconds after which what a launcher heard has reached us: it tells at least every 100 ms."""
_USERS: Final = Path(get_path("purelib", "posix_user")) == Path(outrider.__file__).resolve().parents[1]
_SCRIPTS: Final = get_path("scripts", "posix_user" if _USERS else get_default_scheme())
TOOLS: Final = tuple(map(os.path.realpath, (LAUNCHER, Path(_SCRIPTS) / "outrider")))
"""Where Outrider's own tool lies: the launcher, and the command where this installation put it."""


class Watch:
    """Follows one agent, from its birth to its end.

    Attributes:
        agent: The agent.
        by: Who tells: ``sensor``, or ``launcher:`` and the agent that it started.
        top: The process that the agent's tree begins with; empty for the one that a launcher started itself.
        lineages: Whose the processes are that are told of by whoever tells of this one.
        deeds: What was done, and what explains it.
    """

    def __init__(
        self, parts: Parts, agent: Agent, command: str, proxy: str, *, by: str, top: str, lineages: Lineages
    ) -> None:
        """Begin.

        Args:
            parts: What the daemon holds.
            agent: The agent.
            command: Base name of its command.
            proxy: ``address:port`` of the proxy as the tree sees it, or empty.
            by: See above.
            top: See above.
            lineages: See above.
        """
        self._parts = parts
        self.agent = agent
        self.by, self.top, self.lineages = by, top, lineages
        self.whose: Callable[[str], Watch | None] = lambda _: self
        hooks = (str(NATIVE), str(PYTHON), str(SYSTEM), str(parts.home.bin / SYSTEM.name))
        self.deeds = Deeds(
            command,
            self.is_host,
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

    @property
    def by_sensor(self) -> bool:
        """Whether it is the sensor that tells."""
        return self.by == SENSOR

    def also(self, top: str, since: int) -> None:
        """Take another process, from a time on, as one that the agent's tree begins with."""
        self.deeds.begin_with(top)
        self.lineages.begin(top, since, self)

    def hear(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Take what is told of this agent's tree; what was done in a nearer one is handed on.

        Raises:
            BadInputError: It has not the form that it must have.
            RecordError: It cannot be recorded.
        """
        for one in heard(fields):
            if isinstance(one, Lost):
                who = self.by.partition(":")[0]
                self.lack(one.count, f"the {who} had no room for more: its daemon was slower than the tree")
            else:
                self.lineages.of(one, self).take(one)

    def take(self, deed: Started | Dialled) -> None:
        """Take a deed of this agent.

        Raises:
            RecordError: It cannot be recorded.
        """
        if isinstance(deed, Started):
            self.deeds.started(deed)
        else:
            self.deeds.dialled(deed)
        if self.deeds.full:
            self.record()
        self.plan()

    def end(self) -> None:
        """Record what is left: the agent ends.

        Raises:
            RecordError: It cannot be recorded.
        """
        self.deeds.settle(self._parts.scribe.now() + 1)
        for one in () if self.top else self.lineages.watches():
            one.record()
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
            told_by=self.by,
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

    def plan(self) -> None:
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
        for one in (self, *self.lineages.watches()):  # What the proxy was asked for may have been another's deed.
            if one.deeds.waits:
                one.plan()

    def is_host(self, process: str) -> bool:
        """Tell whether a session is bound to a process that this tree's calls come from."""
        pid, _, start = process.partition(".")
        bound = self._parts.state.registry.find_process(int(pid), int(start))
        return any(self.whose(one.id) is self for one in bound)


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
