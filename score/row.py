"""What a section returns: figures with what they are made of, what was wanted, and every row that disagrees."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

State = Literal["met", "missed", "reported", "not measured"]

SHOWN = 400
"""Most disagreeing rows that are kept of one figure."""


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was judged otherwise than its authors wanted.

    Attributes:
        id: The row's own id, or its number.
        family: Its category in the data.
        said: What was said.
        wanted: What its authors wanted.
        why: The rules that decided, or the verbs of what was seen where none did. No text of the row.
        text: The row itself, for whoever works on it. It belongs to others: shown on request, never written.
    """

    id: str
    family: str
    said: str
    wanted: str
    why: str
    text: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Attributes:
        section: The section that measured it.
        what: What is scored, in a few words.
        hit: How many rows of ``of`` count.
        of: How many rows there are; 0 if it was not measured.
        asked: Of the rows that count or would, how many were left to a person.
        at_least: The share that is wanted at least, or None.
        at_most: The share that is wanted at most, or None.
        note: What a reader must know: the charter, the place, why it was not measured.
        wrong: The rows that disagree.
    """

    section: str
    what: str
    hit: int = 0
    of: int = 0
    asked: int = 0
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    wrong: tuple[Wrong, ...] = ()

    @property
    def share(self) -> float:
        """The share of rows that count, 0 to 1."""
        return self.hit / self.of if self.of else 0.0

    @property
    def state(self) -> State:
        """Whether it is what was wanted. What was not measured is never met."""
        if not self.of:
            return "not measured"
        if self.at_least is None and self.at_most is None:
            return "reported"
        low = self.at_least is None or self.share >= self.at_least
        high = self.at_most is None or self.share <= self.at_most
        return "met" if low and high else "missed"

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval of the share at 95 % (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.96, self.of, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    @property
    def wanted(self) -> str:
        """The target in words."""
        parts = []
        if self.at_least is not None:
            parts.append(f">= {self.at_least:.1%}")
        if self.at_most is not None:
            parts.append(f"<= {self.at_most:.1%}")
        return ", ".join(parts)


def missing(section: str, what: str, why: str) -> Row:
    """Return the row of something that could not be measured."""
    return Row(section=section, what=what, note=why)
