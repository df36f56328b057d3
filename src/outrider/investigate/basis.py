"""Whether what an answer rests on can still be read: its events' content is kept, was erased, or never was kept.

What a call would do is in the record itself, and stays as sure as it is. What a text named is beside the record as
names and fingerprints; where the text is gone or never was kept, nobody can read it again to see whether it says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

from outrider.store.kept import states

if TYPE_CHECKING:
    from outrider.store.view import View

Level = Literal["content", "in part", "record alone"]
"""``content``: all of it can still be read. ``in part``: some can. ``record alone``: none can; it rests on names and
fingerprints that were recorded."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what an answer rests on can be read.

    Attributes:
        events: Events that it rests on.
        kept: Of these, whose content is kept.
        erased: Of these, whose content was erased.
        never: Of these, whose content never was kept.
        elsewhere: Whether it was imported: then hosts' own transcripts hold what was never kept.
    """

    events: int = 0
    kept: int = 0
    erased: int = 0
    never: int = 0
    elsewhere: bool = False

    @property
    def level(self) -> Level:
        """It in a word."""
        if self.kept == self.events:
            return "content"
        return "in part" if self.kept else "record alone"

    @property
    def statement(self) -> str:
        """What is lacking, in a sentence; empty where nothing is."""
        if self.kept == self.events:
            return ""
        lacking = [(self.erased, "was erased"), (self.never, "was never kept")]
        if self.kept == 0 and self.erased == 0:
            how = "The content of what this rests on was never kept"
        elif self.kept == 0 and self.never == 0:
            how = "The content of what this rests on was erased"
        else:
            parts = " and ".join(f"of {count:,} {words}" for count, words in lacking if count)
            how = f"Of {self.events:,} events that this rests on the content {parts}"
        end = (
            "hosts' own transcripts hold it, as far as they still lie there"
            if self.elsewhere and not self.erased
            else "nobody can read the text again"
        )
        return f"{how}: there the record's acts, names and fingerprints speak alone; {end}."


def basis(view: View, numbers: Iterable[int]) -> Basis:
    """Return how much of the events' content can be read; events that have none count as kept."""
    found = states(view, numbers)
    words = list(found.values())
    return Basis(
        events=len(words),
        kept=sum(one == "kept" for one in words),
        erased=sum(one == "erased" for one in words),
        never=sum(one == "never kept" for one in words),
        elsewhere=bool(words and view.one("SELECT 1 FROM tallies WHERE what = 'transcripts read' AND count > 0")),
    )
