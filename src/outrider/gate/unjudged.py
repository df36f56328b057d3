"""What was never judged still shows: unreadable input, a failure of ours, questions that came while we started.

Each becomes a ``record.gap`` under its own name, and the answer is what the charter's ``undecided`` says of the agent
behind it, as far as anybody can tell who that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.charter.narrow import effective
from outrider.detect.redact import redact
from outrider.errors import OutriderError
from outrider.events.record import RecordGap
from outrider.identity import process

if TYPE_CHECKING:
    from outrider.events.message import Peer
    from outrider.gate.chains import Chains
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.registry import Agent

_MAX_WHY = 300


class Unjudged:
    """Records what could not be judged."""

    def __init__(self, scribe: Scribe, state: State, chains: Chains) -> None:
        self._scribe = scribe
        self._state = state
        self._chains = chains

    def agent_of(self, peer: Peer) -> Agent | None:
        """Return the living agent whose process tree a message came from; None if there is none or nobody can say."""
        here = process.read(peer.pid) if peer.pid > 0 else None
        if here is None:
            return None
        return self._state.registry.nearest_ancestor_agent((here, *process.ancestors(peer.pid)))

    def undecided(self, agent: Agent | None) -> str:
        """Return what an agent is told when no decision can be reached; ``deny`` for nobody."""
        if agent is None:
            return "deny"
        try:
            return effective([self._chains.charter(digest) for digest in agent.chain]).undecided
        except OutriderError:
            return "deny"

    async def record(self, what: str, why: str, *, door: str, event: str, agent: str, pid: int, answered: str) -> int:
        """Write the gap and return its index once it is durable.

        Args:
            what: Its kind, see :class:`RecordGap`.
            why: One sentence.
            door: The door.
            event: The host's name of the event.
            agent: Id of the agent, or empty.
            pid: The process that asked, 0 if unknown.
            answered: What it was told: ``deny``, ``ask``, ``allow``, or empty for nothing.

        Raises:
            RecordError: It could not be written.
        """
        where = f"process {pid}" if pid > 0 else "a process that the transport does not name"
        now = self._scribe.now()
        gap = self._scribe.write(
            RecordGap,
            agent=agent,
            told_by=f"{what}:{door}",
            seal=True,
            what=what,
            count=1,
            since=now,
            until=now,
            answered=answered,
            detail=redact(f"{event} from {where}: {why}", self._scribe.key)[:_MAX_WHY],
            door=door[:40],
        )
        await self._scribe.durable(gap)
        return gap.n
