"""The view's file: one writer at a time, any number of readers, every read of one snapshot.

SQLite in WAL mode. The writer holds an advisory lock beside the file; readers hold nothing. What is in it follows
from the record alone, so that it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Self

from outrider.errors import UnavailableError
from outrider.store.fold import as_it_is
from outrider.store.schema import FORMAT, INDEXES, NAMES, TABLES, statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outrider.store.fold import Fold, Opens

_PRAGMAS = ("cache_size=-65536", "temp_store=MEMORY")
_WAIT_S = 10.0


class View:
    """A view of one record.

    Attributes:
        path: The database file.
        note: Why the view was last started over, one sentence, or empty. For a person.
        db: The connection.
        fold: What the writer remembers between two batches, or None.
        known: The source that the view was last found to be of, or None.
        assurance: How much its record proves, as whoever opened it found out; every answer says it.
        opened: Opens what is sealed in besides, as far as the keys are here.
    """

    db: sqlite3.Connection
    assurance = "local"

    def __init__(self, path: Path, *, write: bool = True, opened: Opens = as_it_is) -> None:
        """Open the view at ``path``; with ``write``, make it if it is not there.

        Args:
            path: The database file.
            write: Whether to write.
            opened: Opens what is sealed in besides, where keys are at hand.

        Raises:
            UnavailableError: It cannot be opened, or is not there and ``write`` is False.
        """
        self.path = path
        self.note = ""
        self.fold: Fold | None = None
        self.known: object = None
        self.opened = opened
        self._write = write
        try:
            self.db = self._open()
        except (sqlite3.Error, OSError) as error:
            raise UnavailableError(
                f"the view at {path} cannot be opened: {error}",
                fix="It holds nothing of its own: delete it and run `outrider rebuild`.",
            ) from error

    def _open(self) -> sqlite3.Connection:
        if not self._write:
            db = self._connect(f"{self.path.absolute().as_uri()}?mode=ro")
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            return db
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        db = self._connect(self.path.absolute().as_uri())
        try:
            for pragma in (*_PRAGMAS, "secure_delete=ON", "journal_mode=WAL", "synchronous=NORMAL"):
                db.execute(f"PRAGMA {pragma}")
            version = db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            # Busy or full is not ours to mend; a file that is not a database is ours to replace.
            if isinstance(error, sqlite3.OperationalError):
                raise
            db.close()
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self.note = "the view was not a database and was started over"
            return self._open()
        self.db = db
        if version != FORMAT:
            if version:
                self.note = f"the view had format {version}, this program writes {FORMAT}; it was started over"
            self.clear()
        return db

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_S, check_same_thread=False)

    def scour(self) -> bool:
        """Leave nothing in the file's log of rows that were emptied; False where a reader holds that up."""
        busy, _, _ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Number of events of the record that the view holds."""
        return int(self.meta("size", 0))

    @property
    def origin(self) -> str:
        """Origin line of the record that it is a view of, or empty."""
        return str(self.meta("origin", ""))

    def meta(self, key: str, default: Any) -> Any:
        """Return a note that the view keeps about itself."""
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else row[0]

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None."""
        row: tuple[Any, ...] | None = self.db.execute(sql, values).fetchone()
        return row

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read inside see the view as it stands now, whatever a writer does meanwhile. May be nested."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN")
        try:
            yield
        finally:
            self.db.execute("COMMIT")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of what is done inside, or nothing of it. The caller holds :meth:`lock`."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextlib.contextmanager
    def lock(self, *, wait: bool = True) -> Iterator[bool]:
        """Be the only writer. Gives False at once if there is another one and ``wait`` is False."""
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(handle)

    def clear(self, *, indexes: bool = True) -> None:
        """Throw everything away and make empty tables, in one transaction.

        Args:
            indexes: False to leave the indexes to :meth:`index`, which is quicker after a bulk load.
        """
        with self.transaction() as db:
            for name in NAMES:
                # outrider: allow code.python-sql-from-string -- the names are this module's own
                db.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in statements(TABLES) + (statements(INDEXES) if indexes else []):
                db.execute(statement)
            if indexes:
                db.execute("INSERT INTO meta VALUES ('indexed', 1)")
            db.execute(f"PRAGMA user_version={FORMAT}")

    def index(self) -> None:
        """Make the indexes that are missing."""
        if self.meta("indexed", 0):
            return
        self.db.execute("PRAGMA temp_store=FILE")  # What is sorted for an index grows with the record.
        try:
            with self.transaction() as db:
                db.execute("INSERT INTO meta VALUES ('indexed', 1)")
                for statement in statements(INDEXES):
                    db.execute(statement.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1))
        finally:
            self.db.execute("PRAGMA temp_store=MEMORY")
