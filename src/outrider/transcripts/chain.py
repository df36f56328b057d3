"""What a file's own order tells of lines that were taken out of it or put into it."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 200_000
"""Most ids of earlier lines that are remembered; beyond, nothing is missed any more rather than missed wrongly."""

MISSED = "follows a line that is not there"
AGAIN = "says again what an earlier line said under the same id"


class Chain:
    """Lines that each have an id and name the one before."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._whole = True

    def doubt(self, own: str, above: str) -> str:
        """Take the next line and return what is doubtful about it, or empty.

        Args:
            own: Its id, or empty.
            above: The id of the line that it says it follows, or empty.
        """
        missed = bool(above) and self._whole and above not in self._seen
        if own:
            if own in self._seen:
                return AGAIN
            self._seen[own] = None
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
                self._whole = False
        return MISSED if missed else ""
