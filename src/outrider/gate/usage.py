"""What hosts tell of what their agents use, for the budgets that limit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from outrider.events.counters import Used

if TYPE_CHECKING:
    from outrider.charter.model import Budget
    from outrider.events.counters import Counters
    from outrider.events.message import Message


class Meters(Protocol):
    """Knows what agents have used."""

    def reports(self, door: str) -> frozenset[str]:
        """Return what a door's host tells: ``tokens``, ``cost``."""

    async def used(self, agent_id: str, message: Message) -> Used:
        """Return what an agent has used so far, as its host tells where ``message`` comes from."""


class Unmetered:
    """Where no host tells anything."""

    def reports(self, door: str) -> frozenset[str]:  # noqa: ARG002 - as in the protocol
        """Return nothing."""
        return frozenset()

    async def used(self, agent_id: str, message: Message) -> Used:  # noqa: ARG002 - as in the protocol
        """Return that nothing was told."""
        return Used()


UNMETERED = Unmetered()


def wanted(budget: Budget) -> tuple[str, ...]:
    """Return the limits of a budget that only a host's word can be held against."""
    return tuple(name for name in ("tokens", "cost") if getattr(budget, name) is not None)


def unmeasured(budget: Budget, reports: frozenset[str], counters: Counters) -> tuple[str, ...]:
    """Return the limits of an agent's budget that nobody measures.

    Args:
        budget: The least of every limit that binds it.
        reports: What its host tells at all.
        counters: What it has used; what its host has told once is measured.
    """
    return tuple(
        name for name in wanted(budget) if getattr(counters, name) < 0 and (name not in reports or counters.calls > 0)
    )
