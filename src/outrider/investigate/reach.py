"""Reaching the view of a home: opened, and brought up to the record's end first, daemon or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.errors import UnavailableError
from outrider.ledger.reader import Reader
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outrider.config import Home


class Pairs:
    """A record as the store wants it: ``(leaf, beside)`` from an index on."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is durable now."""
        for entry in self._reader.entries(start):
            yield entry.leaf, entry.beside


def record_of(home: Home) -> Reader:
    """Return a reader of the record of ``home``.

    Raises:
        UnavailableError: There is no record yet.
    """
    if not home.record.is_dir():
        raise UnavailableError(
            f"there is no record at {home.record} yet",
            fix="Run `outrider init` in a repository, or `outrider up` to start the daemon.",
        )
    return Reader(home.record)


def view_of(home: Home, *, progress: Callable[[int], None] | None = None) -> View:
    """Return the view of ``home`` with everything in it that is durable now."""
    reader = record_of(home)
    home.view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = View(home.view)
    catch_up(view, Pairs(reader), progress=progress)
    return view


def rebuilt(home: Home, *, progress: Callable[[int], None] | None = None) -> tuple[View, int]:
    """Throw the view of ``home`` away, make it anew from the record, and return it with the number of events."""
    reader = record_of(home)
    home.view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = View(home.view)
    return view, rebuild(view, Pairs(reader), progress=progress)
