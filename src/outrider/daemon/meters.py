"""What agents have used by their hosts' word, looked up where a charter limits it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outrider.doors.registry import DOORS
from outrider.events.counters import Used

if TYPE_CHECKING:
    from outrider.doors.claude_code import Transcript
    from outrider.events.message import Message

MOST_AGENTS = 1_024
MOST_FILES = 8
"""Most transcripts of one agent; a session has one, and another after it was moved."""

QUICK = 256 * 1024
"""Bytes that are read on the spot; more is read beside the loop."""


@dataclass
class _Files:
    """The transcripts of one agent by path: those that hold its tokens, and those that hold its session's cost."""

    tokens: dict[str, Transcript] = field(default_factory=dict)
    cost: dict[str, Transcript] = field(default_factory=dict)


class Meters:
    """Reads on in the transcripts of agents; what was counted once stays counted."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Files] = OrderedDict()

    @staticmethod
    def reports(door: str) -> frozenset[str]:
        """Return what a door's host tells of what its agents use (``tokens``, ``cost``) while they work."""
        return frozenset(DOORS[door].reports) if door in DOORS else frozenset()

    async def used(self, agent_id: str, message: Message) -> Used:
        """Return what an agent has used so far.

        Args:
            agent_id: The agent.
            message: What its host tells now.
        """
        files = self._files(agent_id, message)
        for one in {**files.tokens, **files.cost}.values():
            behind = one.behind()
            if behind > QUICK:
                await asyncio.to_thread(one.read)
            elif behind:
                one.read()
        tokens = [one.used.tokens for one in files.tokens.values() if one.used.tokens >= 0]
        cost = [one.used.cost for one in files.cost.values() if one.used.cost >= 0]
        return Used(tokens=sum(tokens) if tokens else -1, cost=sum(cost) if cost else -1)

    def _files(self, agent_id: str, message: Message) -> _Files:
        files = self._known.setdefault(agent_id, _Files())
        self._known.move_to_end(agent_id)
        if len(self._known) > MOST_AGENTS:
            self._known.popitem(last=False)
        door = DOORS.get(message.door)
        if door is not None:
            tokens, cost = door.transcripts(message.transcript, message.host_agent)
            if tokens and tokens not in files.tokens and len(files.tokens) < MOST_FILES:
                files.tokens[tokens] = door.transcript(tokens)
            if cost and cost not in files.cost and len(files.cost) < MOST_FILES:
                files.cost[cost] = files.tokens.get(cost) or door.transcript(cost)
        return files
