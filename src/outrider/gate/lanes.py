"""Lanes: calls of one agent are judged one after another. A lane is there only while somebody is in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


class _Lane:
    """One agent's lane; it goes with the last who leaves it."""

    def __init__(self, lanes: dict[str, _Lane], agent: str) -> None:
        self._lanes = lanes
        self._agent = agent
        self._lock = asyncio.Lock()
        self.inside = 0

    async def __aenter__(self) -> None:
        try:
            await self._lock.acquire()
        except asyncio.CancelledError:
            self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
        self._leave()

    def _leave(self) -> None:
        self.inside -= 1
        if not self.inside:
            del self._lanes[self._agent]


class Lanes:
    """The lanes of all agents."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}

    def of(self, agent: str) -> _Lane:
        """Return an agent's lane, to be entered at once with ``async with``."""
        lane = self._lanes.get(agent)
        if lane is None:
            lane = self._lanes[agent] = _Lane(self._lanes, agent)
        lane.inside += 1
        return lane

    def __len__(self) -> int:
        return len(self._lanes)
