"""What each agent was told, folded from the record: prompts, results, births, ends, resumptions.

Every living agent has a memory of its own; of those that ended the last :data:`MAX_PAST` are kept, should they be
resumed. An agent that is resumed after that starts with everything unknown, and not as if it had never been told.
"""

from __future__ import annotations

import msgspec

from outrider.events.record import AgentBorn, AgentEnded, AgentResumed, AnyEvent, Beside, CallResult, Prompted
from outrider.flow.origins import Known
from outrider.flow.values import SIZE

MAX_PAST = 64

_STEP = SIZE + 1


class Remembered(msgspec.Struct, array_like=True):
    """One agent's memory in a snapshot: its prints in order, each followed by its bits."""

    agent: str
    data: bytes
    full: bool
    secrets: bool


class Memory:
    """What agents were told."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._past: dict[str, Known] = {}

    def apply(self, event: AnyEvent, beside: Beside) -> None:
        """Fold one event in."""
        kind = type(event)
        if kind is CallResult or kind is Prompted:
            if event.agent and beside.said:
                self._known.setdefault(event.agent, Known()).learn(beside.said)
        elif isinstance(event, AgentBorn):
            if event.parent in self._known:
                # A child is told by its parent, who was told this.
                self._known[event.agent] = self._known[event.parent].copy()
        elif kind is AgentEnded:
            if event.agent in self._known:
                self._past[event.agent] = self._known.pop(event.agent)
                if len(self._past) > MAX_PAST:
                    del self._past[next(iter(self._past))]
        elif kind is AgentResumed and event.agent not in self._known:
            self._known[event.agent] = self._past.pop(event.agent) if event.agent in self._past else Known(full=True)

    def of(self, agent_id: str) -> Known | None:
        """Return what an agent was told since its birth; None if nothing."""
        return self._known.get(agent_id)

    def dump(self) -> tuple[list[Remembered], list[Remembered]]:
        """Return the memories of the living, by name, and of the ended, the oldest first."""
        return [_put(one, self._known[one]) for one in sorted(self._known)], [
            _put(*pair) for pair in self._past.items()
        ]

    @classmethod
    def load(cls, living: list[Remembered], past: list[Remembered]) -> Memory:
        """Return the memory of what :meth:`dump` returned."""
        memory = cls()
        memory._known = {one.agent: _take(one) for one in living}
        memory._past = {one.agent: _take(one) for one in past}
        return memory


def _put(agent: str, known: Known) -> Remembered:
    pairs = sorted(known.bits.items())
    data = b"".join((value << 8 | bits).to_bytes(_STEP, "big") for value, bits in pairs)
    return Remembered(agent, data, known.full, known.secrets)


def _take(one: Remembered) -> Known:
    whole = (int.from_bytes(one.data[at : at + _STEP], "big") for at in range(0, len(one.data), _STEP))
    return Known({value >> 8: value & 255 for value in whole}, one.full, one.secrets)
