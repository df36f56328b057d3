"""Where in a host's own transcript something stood that was imported: the file, and its line, message or row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

_UNITS: Final = {".json": "message", ".db": "row", ".sqlite": "row", ".vscdb": "row"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step of a transcript stands.

    Attributes:
        file: The file, as it lay when it was imported.
        line: Its line from 1; in files that hold no lines its message or row.
    """

    file: str
    line: int

    @property
    def words(self) -> str:
        """It in a phrase: ``line 12 of /home/ada/...``."""
        suffix = self.file[self.file.rfind(".") :] if "." in self.file else ""
        return f"{_UNITS.get(suffix, 'line')} {self.line:,} of {self.file}"


def place_of(view: View, n: int) -> Place | None:
    """Return where event ``n`` stood in a transcript; None for what was witnessed, and where it was not kept."""
    private = reading.beside(view, n).private
    number = private.get("line", "")
    if not number.isdigit():
        return None
    file = private.get("transcript", "")
    if not file:
        rows = reading.rows(view, [n])
        agent = reading.agent(view, rows[0].agent) if rows else None
        file = reading.beside(view, agent.born_n).private.get("transcript", "") if agent is not None else ""
    return Place(file=file, line=int(number)) if file else None
