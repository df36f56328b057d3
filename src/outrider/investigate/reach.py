"""Reaching the view of a home: opened, and brought up to the record's end first, daemon or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from outrider.errors import OutriderError, UnavailableError
from outrider.ledger.content.besides import unsealed
from outrider.ledger.content.contents import Contents
from outrider.ledger.reader import Reader
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outrider.config import Home
    from outrider.events.record import Beside


class Pairs:
    """A record as the store wants it: ``(leaf, beside)`` from an index on."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is durable now."""
        for entry in self._reader.entries(start):
            yield entry.leaf, entry.beside


class Names:
    """Opens what is sealed in besides with the keys of a home, as far as they are here."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._contents: Contents | None = None

    def __call__(self, beside: Beside) -> Beside:
        """Return a beside with its names; as it is where they were erased, or the keys cannot be used."""
        if beside.sealed is None:
            return beside
        try:
            if self._contents is None:
                self._contents = Contents(self._home.content, self._home.content_key)
            opened = unsealed(beside, self._contents.keyring)
            if opened is beside:  # What is remembered of keys may be older than an erasure.
                self._contents.keyring.forget()
                opened = unsealed(beside, self._contents.keyring)
        except OutriderError:  # The view says less then, and `outrider verify` says why.
            return beside
        return opened


def record_of(home: Home) -> Reader:
    """Return a reader of the record of ``home``.

    Raises:
        UnavailableError: There is no record yet, or it is another user's.
    """
    if home.root.is_dir() and not os.access(home.root / "record", os.R_OK | os.X_OK) and _stands(home):
        raise UnavailableError(
            f"the record at {home.record} is another user's and is not yours to read",
            fix=f"Ask as root: `sudo OUTRIDER_HOME={home.root} outrider ...`.",
        )
    if not home.record.is_dir():
        raise UnavailableError(
            f"there is no record at {home.record} yet",
            fix="Run `outrider init` in a repository, or `outrider up` to start the daemon.",
        )
    return Reader(home.record)


def _stands(home: Home) -> bool:
    try:
        return home.record.is_dir()
    except OSError:
        return True


def view_of(home: Home, *, progress: Callable[[int], None] | None = None) -> View:
    """Return the view of ``home`` with everything in it that is durable now."""
    reader = record_of(home)
    home.view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = View(home.view, opened=Names(home))
    catch_up(view, Pairs(reader), progress=progress)
    _give_back(home)
    return view


def _give_back(home: Home) -> None:
    """Where root looks at another user's home, let that user own the view that was made on the way."""
    owner = home.root.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        for path in (home.view.parent, *home.view.parent.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def rebuilt(home: Home, *, progress: Callable[[int], None] | None = None) -> tuple[View, int]:
    """Throw the view of ``home`` away, make it anew from the record, and return it with the number of events."""
    reader = record_of(home)
    home.view.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    view = View(home.view, opened=Names(home))
    return view, rebuild(view, Pairs(reader), progress=progress)
