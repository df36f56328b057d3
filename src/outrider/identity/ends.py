"""Ends that nobody tells us of: the host process is gone, or the time is over.

``completed`` is the host's own word and is the gate's to record; here are the others. ``killed``: the process is gone
and did not say goodbye. ``vanished``: nobody can say when, since the host was booted meanwhile. ``expired``: the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from outrider.identity import process
from outrider.identity.registry import Agent, Registry

How = Literal["completed", "killed", "expired", "vanished"]


class End(msgspec.Struct, frozen=True, kw_only=True):
    """An end to be recorded: the agent, how, and why in a few words."""

    agent: Agent
    how: How
    detail: str


def gone(registry: Registry, *, boot: str, alive: Callable[[int, int], bool] = process.alive) -> tuple[End, ...]:
    """Return the living agents whose host process is gone, sub-agents included; children come before parents.

    An agent whose session names no process (HTTP) is not judged here: only its clock ends it. Each process is asked
    for once, about 10 us.
    """
    asked: dict[tuple[int, int], bool] = {}
    found: list[End] = []
    for agent in registry.living():
        bound = registry.bound(agent.door, agent.session) or agent.attested
        if bound.pid <= 0:
            continue
        if boot and bound.boot and bound.boot != boot:
            found.append(End(agent=agent, how="vanished", detail="the host was booted since"))
            continue
        key = (bound.pid, bound.start)
        if key not in asked:
            asked[key] = alive(*key)
        if not asked[key]:
            # Outrider put a spawned child in its process and tells of its end itself: nobody else would.
            how: How = "completed" if agent.how == "spawn" else "killed"
            found.append(End(agent=agent, how=how, detail=f"process {bound.pid} is gone"))
    return _children_first(found)


def expired(registry: Registry, *, now: int) -> tuple[End, ...]:
    """Return the living agents whose time is over at ``now`` (microseconds since 1970 UTC), children first."""
    return _children_first(
        [
            End(agent=agent, how="expired", detail="its time is over")
            for agent in registry.living()
            if agent.expires <= now
        ]
    )


def completed(registry: Registry, agent: Agent, *, detail: str = "") -> tuple[End, ...]:
    """Return the ends that the host's word of an end means: the agent's and, for a main agent, its living sub-agents'.

    A child in a process of its own lives on. Children come first.
    """
    if agent.host_agent:
        ends = [agent] if not agent.ended else []
    else:
        ends = [one for one in registry.members(agent.door, agent.session) if not one.ended]
    return _children_first([End(agent=one, how="completed", detail=detail) for one in ends])


def _children_first(found: list[End]) -> tuple[End, ...]:
    return tuple(sorted(found, key=lambda end: (-end.agent.depth, -end.agent.born_n)))
