"""What the roles of touched things say, and what the bare role does not: whether a connection carried data out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from outrider.events.record import CallDecided
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

WEIGHT: Final[dict[str, int]] = {
    "sent": 100, "pushed": 95, "committed": 90, "deleted": 85, "wrote": 80, "installed": 75, "credential": 70,
    "ran": 60, "called": 55, "reached": 50, "spawned": 45, "read": 40, "is": 35, "mentioned": 10,
}  # fmt: skip
"""How much a role says about who did it: carrying data out most, having seen a name least."""

REALITY: Final[dict[str, float]] = {
    "done": 1.0, "ran despite the refusal": 1.0, "no result seen": 0.9, "failed": 0.6, "asked": 0.5, "not run": 0.2,
    "refused": 0.2, "seen": 1.0,
}  # fmt: skip
"""How much an act counts by what became of it."""

NEVER: Final = frozenset({"refused", "not run"})
"""Outcomes of calls that are known not to have happened."""


def uploads(view: View, numbers: Iterable[int]) -> dict[int, list[str]]:
    """Return, for each call among ``numbers``, where it carries data out to."""
    return {
        event.n: [
            effect.value
            for effect in event.effects
            if effect.verb == "deploy" or (effect.verb == "connect" and "upload" in effect.flags)
        ]
        for event in reading.leaves(view, numbers)
        if isinstance(event, CallDecided)
    }


def goes(destinations: list[str], kind: str, value: str) -> bool:
    """Tell whether data goes to a thing. A URL is kept as a print and cannot be compared: then any upload counts."""
    host = value.partition(":")[0]
    return any(kind == "url" or host in destination for destination in destinations)
