"""Second looks: what slower scanners are given of a write that was let through, and what its agent is still to be told.

A second look comes after the answer and never delays one. What it finds is an event of its own that names the write;
its agent is told with the answer to its next call that is let through, as its charters' ``[code]`` says.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.ruling import advised
from outrider.detect.written import written
from outrider.errors import OutriderError
from outrider.events.call import Finding
from outrider.events.record import AgentEnded, CallDecided, SecondLook
from outrider.gate import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from outrider.charter.bound import Bound
    from outrider.events.call import Call, PathFact, Plan
    from outrider.events.record import AnyEvent
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.gate")

KEPT = 4
"""Most second looks whose findings wait to be told to one agent; an older one is only recorded."""


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """Findings that an agent is still to be told.

    Attributes:
        n: The event of the second look.
        intent: The write that it looked at.
        findings: What it found.
    """

    n: int
    intent: int
    findings: tuple[Finding, ...]


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A text that a call which was let through writes.

    Attributes:
        intent: The call's event.
        agent: Whose call it is.
        home: The agent's home.
        repo: Its repository, or empty.
        path: The file, absolute where it is known.
        where: The part of the call that it comes from.
        text: The whole file as it will be, or a fragment.
        added: The lines, from 1, that are new; None for all.
        whole: Whether it is the whole file.
        said: The lines on which the first look found something.
    """

    intent: int
    agent: str
    home: str
    repo: str
    path: str
    where: str
    text: str
    added: frozenset[int] | None
    whole: bool
    said: frozenset[int]


class Untold:
    """The findings that wait, by agent. Folded from the record."""

    def __init__(self, waiting: dict[str, tuple[Waiting, ...]] | None = None) -> None:
        self.waiting = waiting or {}

    def apply(self, event: AnyEvent) -> None:
        """Fold one event in."""
        if isinstance(event, SecondLook):
            found = tuple(one for one in event.findings if one.excused != "listed")
            if found and event.agent:
                held = self.waiting.get(event.agent, ())
                self.waiting[event.agent] = (*held, Waiting(event.n, event.intent, found))[-KEPT:]
        elif isinstance(event, AgentEnded) or (isinstance(event, CallDecided) and tells(event)):
            self.waiting.pop(event.agent, None)

    def note(self, agent: str, chain: Sequence[Bound]) -> str:
        """Return what the agent is to be told with its next answer; empty if nothing."""
        notes = [
            words.told_later(advised(chain, one.findings), one.intent, one.n) for one in self.waiting.get(agent, ())
        ]
        return "\n".join(note for note in notes if note)


def tells(event: CallDecided) -> bool:
    """Tell whether the answer to a call carries what waits to be told: one that lets it through."""
    return event.decision.enforced == "allow" and not event.permission


def passed(event: CallDecided, call: Call, plan: Plan, facts: Mapping[str, PathFact], agent: Agent) -> Iterator[Passed]:
    """Yield the texts that a call writes, with what the first look said of their lines."""
    for one in written(call, plan, facts):
        said = frozenset(
            one.text.count("\n", 0, finding.start) + 1
            for finding in event.findings
            if finding.where == one.where and finding.rule.startswith("code.")
        )
        yield Passed(
            intent=event.n,
            agent=event.agent,
            home=agent.home,
            repo=agent.repo,
            path=one.path,
            where=one.where,
            text=one.text,
            added=one.added,
            whole=one.whole,
            said=said,
        )


def look_again(take: Callable[[Passed], None], texts: Iterator[Passed], *, large: bool) -> None:
    """Have the texts of a call taken once its answer is on its way; what is large is taken apart beside the loop."""
    loop = asyncio.get_running_loop()
    if large:
        loop.run_in_executor(None, tuple, texts).add_done_callback(lambda done: _hand_on(take, done.result()))
    else:
        loop.call_soon(_hand_on, take, texts)


def _hand_on(take: Callable[[Passed], None], texts: Iterable[Passed]) -> None:
    """Hand texts on. What fails is told in the log: nobody waits for it."""
    try:
        for one in texts:
            take(one)
    except OutriderError:
        log.exception("a write could not be handed to a second look")
