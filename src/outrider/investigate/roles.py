"""What the roles of touched things say of who did it, and what became of it."""

from __future__ import annotations

from typing import Final

WEIGHT: Final[dict[str, int]] = {
    "sent": 100, "pushed": 95, "committed": 90, "deleted": 85, "wrote": 80, "installed": 75, "exposed": 72,
    "credential": 70, "ran": 60, "called": 55, "reached": 50, "spawned": 45, "read": 40, "is": 35, "mentioned": 10,
}  # fmt: skip
"""How much a role says about who did it: carrying data out most, having seen a name least. ``exposed`` = connected
while its context held a secret; ``reached`` = connected, and nothing is known to have gone out."""

REALITY: Final[dict[str, float]] = {
    "done": 1.0, "ran despite the refusal": 1.0, "no result seen": 0.9, "failed": 0.6, "asked": 0.5, "not run": 0.2,
    "refused": 0.2, "seen": 1.0,
}  # fmt: skip
"""How much an act counts by what became of it."""

NEVER: Final = frozenset({"refused", "not run"})
"""Outcomes of calls that are known not to have happened."""
