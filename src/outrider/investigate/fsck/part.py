"""What was found of each part of a home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["whole", "rebuildable", "lost", "absent", "unchecked"]
"""``whole``: as it was written. ``rebuildable``: wrong or behind, and everything in it follows from the record.
``lost``: something cannot be had back but from a backup, or is not what was written. ``absent``: there is none, and
none is needed. ``unchecked``: it could not be looked at, and why is said."""

_WORST: tuple[State, ...] = ("lost", "unchecked", "rebuildable", "whole", "absent")


@dataclass(frozen=True)
class Found:
    """One thing that is not as it should be.

    Attributes:
        what: One sentence.
        event: Index of the event that it is about, or -1.
        fix: What brings it back, or the empty string where nothing does.
    """

    what: str
    event: int = -1
    fix: str = ""


@dataclass(frozen=True)
class Part:
    """One part of a home.

    Attributes:
        name: ``journal``, ``besides``, ``checkpoint``, ``tiles``, ``cosigned``, ``keys``, ``snapshot``, ``view``,
            ``contents``.
        state: How it is.
        checked: How many things were looked at, in the unit of ``of``.
        of: What those are: ``events``, ``rows``, ...
        found: What is wrong with it, the first fifty.
        note: For a person, where there is something to know.
    """

    name: str
    state: State
    checked: int = 0
    of: str = "events"
    found: tuple[Found, ...] = ()
    note: str = ""


def worst(parts: tuple[Part, ...]) -> State:
    """Return the worst state of any."""
    states = {part.state for part in parts}
    return next((state for state in _WORST if state in states), "whole")
