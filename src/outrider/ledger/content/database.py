"""The file that content and its wrapped keys lie in: SQLite, private to the user, with nothing left in free pages.

One process writes it, the daemon's; others read. ``secure_delete`` overwrites what is deleted, and after an erasure
the write-ahead log, which still holds pages of before, is emptied into the file and cut to nothing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import Any

from outrider.errors import RecordError, UnavailableError

FORMAT = 1
"""Version of these tables."""

NAME = "content.sqlite"

_TABLES = """
CREATE TABLE subjects(id TEXT PRIMARY KEY, generation INTEGER NOT NULL, kid BLOB NOT NULL, key BLOB NOT NULL)
  WITHOUT ROWID;
CREATE TABLE slots(id INTEGER PRIMARY KEY AUTOINCREMENT, generation INTEGER NOT NULL, key BLOB NOT NULL);
CREATE TABLE staged(segment TEXT PRIMARY KEY, generation INTEGER NOT NULL, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs(id INTEGER PRIMARY KEY, subject TEXT NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL,
  hash BLOB NOT NULL, data BLOB NOT NULL, UNIQUE(subject, digest));
CREATE TABLE records(n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, until INTEGER NOT NULL, agent TEXT NOT NULL,
  subject TEXT NOT NULL, slot INTEGER NOT NULL, media TEXT NOT NULL, blob INTEGER, held BLOB NOT NULL,
  kept BLOB, told INTEGER);
CREATE TABLE notes(what TEXT PRIMARY KEY, said BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX records_agent ON records(agent);
CREATE INDEX records_subject ON records(subject);
CREATE INDEX records_untold ON records(n) WHERE told < 0;
CREATE INDEX records_until ON records(until) WHERE until > 0;
CREATE INDEX records_blob ON records(blob) WHERE blob IS NOT NULL;
"""


class Database:
    """One content database.

    Attributes:
        path: Its file.
        lock: Held for every use of the connection, which several threads share.
    """

    def __init__(self, directory: Path, *, write: bool) -> None:
        """Open the database under ``directory``; with ``write``, make it if it is not there.

        Raises:
            UnavailableError: It is not there, and ``write`` is False.
            RecordError: It cannot be opened, or another version of Outrider wrote it.
        """
        self.path = directory / NAME
        self.lock = RLock()
        if not write and not self.path.is_file():
            raise UnavailableError(f"no content is kept at {directory}")
        try:
            if write:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            uri = self.path.absolute().as_uri() + ("" if write else "?mode=ro")
            self.db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10.0, check_same_thread=False)
            self._begin(write=write)
        except (sqlite3.Error, OSError) as error:
            raise self.refusal(error) from error

    def _begin(self, *, write: bool) -> None:
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, FORMAT}:
            raise RecordError(f"{self.path} has format {version}, this program knows {FORMAT}", fix="Upgrade Outrider.")
        if not write:
            return
        for pragma in ("auto_vacuum=INCREMENTAL", "secure_delete=ON", "journal_mode=WAL", "synchronous=FULL"):
            self.db.execute(f"PRAGMA {pragma}")
        if version == 0:
            with self.transaction():
                for statement in _TABLES.split(";"):
                    if statement.strip():
                        self.db.execute(statement)
                self.db.execute(f"PRAGMA user_version={FORMAT}")

    def refusal(self, error: Exception) -> RecordError:
        """Return the error that says why content could not be read or written, and what helps."""
        fix = "Free some space on that disk." if "full" in str(error) else "See `outrider doctor`."
        return RecordError(f"the content at {self.path} cannot be used: {error}", fix=fix)

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a query.

        Raises:
            RecordError: The file cannot be read.
        """
        with self.lock:
            try:
                return self.db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self.refusal(error) from error

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row of a query, None if there is none.

        Raises:
            RecordError: The file cannot be read.
        """
        with self.lock:
            try:
                return self.db.execute(sql, values).fetchone()
            except sqlite3.Error as error:
                raise self.refusal(error) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: all of what is done inside, durably, or nothing of it. One inside another joins it.

        Raises:
            RecordError: The disk refuses; nothing has changed.
        """
        with self.lock:
            if self.db.in_transaction:
                yield self.db
                return
            try:
                self.db.execute("BEGIN IMMEDIATE")
                yield self.db
                self.db.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):  # A full disk may have rolled it back already.
                    self.db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self.refusal(error) from error
                raise

    def scour(self) -> bool:
        """Leave nothing of what was deleted in free pages or in the log; False where a reader holds that up."""
        with self.lock:
            try:
                self.db.execute("PRAGMA incremental_vacuum").fetchall()
                busy, _, _ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                raise self.refusal(error) from error
            return not busy

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.db.close()
