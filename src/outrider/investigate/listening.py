"""Who told of the agents: their doors alone, or the kernel as well. What nobody listened for cannot be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from outrider.store.view import View

MOST_DOORS: Final = 12
"""Doors that are named."""


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Who told of the agents of a record.

    Attributes:
        agents: How many there are.
        heard: Of how many the kernel told what their processes did, from their birth on.
        doors: The doors that they came through, by name.
        imported: Whether transcripts told of them, and nobody witnessed it.
    """

    agents: int
    heard: int
    doors: tuple[str, ...]
    imported: bool

    @property
    def statement(self) -> str:
        """What could not be seen by this, a sentence; empty where there is no agent, or all of them were heard."""
        if self.heard >= self.agents:
            return ""
        name = f" ({', '.join(self.doors)})" if self.doors else ""
        door = f"{'transcripts' if self.imported else 'hooks'}{name}"
        not_watched = "what their programs did without saying so, on the network or on disk, was not watched"
        if not self.heard:
            return f"Only {door} told of these agents: {not_watched}."
        return (
            f"What programs did was heard from the kernel for {self.heard:,} of {self.agents:,} agents; of the others"
            f" only {door} told: {not_watched}."
        )


def listening(view: View, agents: int, heard: int, *, imported: bool) -> Listening:
    """Return who told of a record's agents.

    Args:
        view: The view.
        agents: How many there are.
        heard: Of how many the kernel told.
        imported: Whether what it holds was imported.
    """
    doors: list[str] = []
    while len(doors) < MOST_DOORS:
        # One door after the other, by the index: the agents themselves are not read.
        row = view.one("SELECT min(door) FROM agents WHERE door > ?", doors[-1] if doors else "")
        if row is None or row[0] is None:
            break
        doors.append(row[0])
    return Listening(agents=agents, heard=heard, doors=tuple(doors), imported=imported)
