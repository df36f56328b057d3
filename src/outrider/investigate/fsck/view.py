"""The view, held row for row against one that is made anew from the record."""

from __future__ import annotations

import sqlite3
import tempfile
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.errors import OutriderError
from outrider.investigate.fsck.part import Found, Part
from outrider.store.fold import as_it_is
from outrider.store.follow import rebuild
from outrider.store.schema import FORMAT, NAMES
from outrider.store.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outrider.ledger.reader import Reader
    from outrider.store.fold import Opens

_FIX = "outrider rebuild"
_MOST = 3
_OF_THE_WRITER = "'indexed'"
"""What the view notes of itself that does not follow from the record."""


class _First:
    """The first events of a record, as the store wants them."""

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader = reader
        self._size = size

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield them from ``start`` on."""
        for entry in self._reader.entries(start, self._size):
            yield entry.leaf, entry.beside


def view(path: Path, reader: Reader, progress: Callable[[int], None], opened: Opens = as_it_is) -> Part:
    """Compare the view at ``path`` with one made of the record.

    Args:
        path: Its file. Another process may go on writing it: what is compared is how it stood at one moment.
        reader: The record, which is whole.
        progress: Told how many events were folded.
        opened: Opens what is sealed in besides, as it was opened for that view.
    """
    if not path.exists():
        return Part("view", "absent", of="rows", note="made when it is asked for")
    try:
        with tempfile.TemporaryDirectory(prefix="fsck-", dir=path.parent) as where:
            return _compared(path, Path(where) / "view.sqlite", reader, progress, opened)
    except sqlite3.DatabaseError as error:
        return Part("view", "rebuildable", of="rows", found=(Found(f"its file is damaged: {error}", fix=_FIX),))
    except OutriderError as error:
        return Part("view", "unchecked", of="rows", note=str(error))


def _compared(path: Path, fresh: Path, reader: Reader, progress: Callable[[int], None], opened: Opens) -> Part:
    with View(fresh, opened=opened) as made:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10.0)
        try:
            db.execute("ATTACH ? AS made", (str(fresh),))
            db.execute("BEGIN")
            version = db.execute("PRAGMA main.user_version").fetchone()[0]
            if version != FORMAT:
                wrong = Found(f"it has format {version}, and {FORMAT} is written now", fix=_FIX)
                return Part("view", "rebuildable", of="rows", found=(wrong,))
            row = db.execute("SELECT value FROM main.meta WHERE key = 'size'").fetchone()
            size, there = int(row[0]) if row else 0, reader.size()
            if size > there:
                wrong = Found(f"it holds {size} events, and the record {there}", fix=_FIX)
                return Part("view", "rebuildable", of="rows", found=(wrong,))
            rebuild(made, _First(reader, size), progress=progress)
            found, rows = _differences(db)
        finally:
            db.close()
    note = f"it holds {size} of {there} events; the rest follows by itself" if size < there else ""
    return Part("view", "rebuildable" if found else "whole", rows, "rows", tuple(found), note)


def _differences(db: sqlite3.Connection) -> tuple[list[Found], int]:
    found: list[Found] = []
    count = 0
    for name in NAMES:
        which = f" WHERE key != {_OF_THE_WRITER}" if name == "meta" else ""
        # outrider: allow code.python-sql-from-string -- the names are the store's own
        stored, made = (db.execute(f"SELECT * FROM {one}.{name} NOT INDEXED{which}") for one in ("main", "made"))  # noqa: S608
        differ = ((one, other) for one, other in zip_longest(stored, made) if one != other)
        some = [_told(name, one, other) for one, other in islice(differ, _MOST)]
        found += [Found(what, fix=_FIX) for what in some]
        # outrider: allow code.python-sql-from-string -- the names are the store's own
        count += int(db.execute(f"SELECT count(*) FROM made.{name}").fetchone()[0])  # noqa: S608
    return found, count


def _told(table: str, one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> str:
    if one is None:
        return f"table {table} lacks a row of {_key(other)}"
    if other is None:
        return f"table {table} has a row of {_key(one)} that the record does not make"
    return f"table {table}: the row of {_key(one)} is not what the record makes it"


def _key(row: tuple[Any, ...] | None) -> str:
    return str(row[0])[:60] if row else ""
