"""Keeping the view abreast of the record: catch up, follow, rebuild.

The record is any object with ``entries``; who opens it is not this room's business.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Protocol

from outrider.errors import BadInputError
from outrider.events.codec import decode
from outrider.events.record import RecordOpened
from outrider.store.fold import Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from outrider.store.view import View

BATCH = 4_096
"""Events a transaction. A reader never waits for it (WAL); a killed writer loses at most this much work."""

SHORTEST = 0.005
LONGEST = 0.25
"""Bounds in seconds of the pause between two looks at a record in which nothing happened."""


class Source(Protocol):
    """What is needed of a record."""

    def entries(self, start: int) -> Iterable[tuple[bytes, bytes]]:
        """Give ``(leaf, beside)`` of every event from ``start`` on that is there now."""


def catch_up(view: View, source: Source, *, progress: Callable[[int], None] | None = None) -> int:
    """Bring ``view`` up to the end of the record and return how many events were taken.

    A view that is not of this record (another origin, another event where its last one stands, or more events than the
    record has) is started over, and ``view.note`` says so. That is looked at when a view meets a source object for the
    first time, and whenever another process has written the view since. Safe to call from several processes: they
    take turns.

    Args:
        view: The view, open for writing.
        source: The record.
        progress: Called with the view's size after each batch.

    Raises:
        UnknownVersionError: The record holds an event of a version that this program does not know.
        BadInputError: The record holds something that is not an event.
        RecordError: An event stands where it says that it does not.
    """
    with view.lock():
        if view.known is not source or not _remembers(view):
            why = _foreign(view, source)
            if why:
                view.note = f"{why}; the view was started over"
                view.clear()
            view.index()
            view.known = source
        return _load(view, source, progress)


def rebuild(view: View, source: Source, *, progress: Callable[[int], None] | None = None) -> int:
    """Throw the view away and make it anew; return the number of events.

    Raises:
        As :func:`catch_up`.
    """
    with view.lock():
        view.clear(indexes=False)
        view.fold, view.known = None, source
        taken = _load(view, source, progress)
        view.index()
        return taken


def follow(
    view: View,
    source: Source,
    *,
    stop: Callable[[], bool],
    wait: Callable[[float], object] = time.sleep,
) -> None:
    """Catch up again and again until ``stop()``.

    Looks sooner while there is something to take and pauses longer, up to :data:`LONGEST`, while there is not. ``wait``
    is called with the pause in seconds; a caller with something to wake up on returns from it early.
    """
    pause = SHORTEST
    while not stop():
        pause = SHORTEST if catch_up(view, source) else min(pause * 2, LONGEST)
        if not stop():
            wait(pause)


def _load(view: View, source: Source, progress: Callable[[int], None] | None) -> int:
    fold = _fold(view)
    start = fold.size
    entries = iter(source.entries(start))
    more = True
    while more:
        more = False
        first = next(entries, None)
        if first is None:
            break
        with view.transaction():
            try:
                fold.add(*first)
                for leaf, beside in entries:
                    fold.add(leaf, beside)
                    if (fold.size - start) % BATCH == 0:
                        more = True
                        break
                fold.flush()
            except BaseException:
                view.fold = None
                raise
        if progress is not None:
            progress(fold.size)
    if fold.erased and view.scour():
        fold.erased = False
    return fold.size - start


def _remembers(view: View) -> bool:
    """Tell whether what the writer remembers is still what the file says: nobody else has written since."""
    fold = view.fold
    return fold is not None and fold.size == view.size and fold.last_hash == view.meta("last_hash", "")


def _fold(view: View) -> Fold:
    fold = view.fold
    if fold is None or not _remembers(view):
        last_hash = str(view.meta("last_hash", ""))
        fold = view.fold = Fold(
            view.db, view.size, last_hash, int(view.meta("last_ts", 0)), view.origin, view.opened
        )  # fmt: skip
    return fold


def _foreign(view: View, source: Source) -> str:
    """Say why the view cannot be of this record; empty if it can."""
    size = view.size
    if not size:
        return ""
    last = next(iter(source.entries(size - 1)), None)
    if last is None:
        return f"the view held {size} events and the record has fewer"
    if hashlib.sha256(b"\0" + last[0]).hexdigest() == view.meta("last_hash", ""):
        return ""
    first = next(iter(source.entries(0)), None)
    if first is not None and view.origin:
        try:
            opened = decode(first[0])
        except BadInputError:
            opened = None
        if isinstance(opened, RecordOpened) and opened.origin != view.origin:
            return f"the view was of the record {view.origin}, this is {opened.origin}"
    return f"the record holds another event at {size - 1} than the view"
