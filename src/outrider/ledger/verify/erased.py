"""Checks 14 and 15: what lies in the content database is what events say. Reads it with nothing of its writer's."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.ledger.verify.report import Problems


def put_back(content: Path, erasures: list[tuple[int, dict[str, Any]]], problems: Problems) -> None:
    """Look for keys and contents that were destroyed and are there again: a backup was put back.

    Args:
        content: The directory of the content; nothing is checked where there is no database in it.
        erasures: Index and fields of every ``content.erased`` event.
        problems: Where what is found goes.
    """
    path = content / "content.sqlite"
    if not erasures or not path.is_file():
        return
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            for index, event in erasures:
                for found in _found(db, event):
                    problems.add("erased", f"event {index} says that {found}, and it is there again", index)
        finally:
            db.close()
    except sqlite3.Error as error:
        problems.add("erased", f"the content beside the record cannot be read: {error}")


def exchanged(content: Path, kept: list[tuple[int, str]], problems: Problems) -> None:
    """Look for ciphertexts that are not those that events name: two were exchanged, or one was changed.

    Args:
        content: The directory of the content; nothing is checked where there is no database in it.
        kept: Of every content that an event names, the event that it is of and the SHA-256 (hex) of its ciphertext.
        problems: Where what is found goes.
    """
    path = content / "content.sqlite"
    if not kept or not path.is_file():
        return
    named = dict(kept)
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            for n, data in db.execute("SELECT n, data FROM records JOIN blobs ON records.blob = blobs.id ORDER BY n"):
                if n in named and hashlib.sha256(data).hexdigest() != named[n]:
                    problems.add("content", f"the content of event {n} is not the one that was kept", n)
        finally:
            db.close()
    except (sqlite3.Error, TypeError) as error:
        problems.add("content", f"the content beside the record cannot be read: {error}")


def _found(db: sqlite3.Connection, event: dict[str, Any]) -> Iterator[str]:
    handle, upto = str(event.get("handle", "")), event.get("upto", 0)
    for kid in _list(event.get("keys")):
        if db.execute("SELECT 1 FROM subjects WHERE hex(kid) = ?", (str(kid).upper(),)).fetchone():
            yield f"the key {kid} of {handle} was destroyed"
    for slot in _list(event.get("slots")):
        if db.execute("SELECT 1 FROM slots WHERE id = ?", (slot,)).fetchone():
            yield f"the key of agent {handle} was destroyed"
    column = {"subject": "subject", "agent": "agent"}.get(str(event.get("what")))
    if column is not None:
        # outrider: allow code.python-sql-from-string -- one of two names of this module's own
        row = db.execute(f"SELECT count(*) FROM records WHERE {column} = ? AND n < ?", (handle, upto)).fetchone()  # noqa: S608
        if row[0]:
            yield f"all content of {handle} was erased ({row[0]} contents)"
    ones = [n for n in _list(event.get("events")) if db.execute("SELECT 1 FROM records WHERE n = ?", (n,)).fetchone()]
    yield from (f"the content of event {n} was erased" for n in ones)
    if before := event.get("before", 0):
        row = db.execute("SELECT count(*) FROM records WHERE until > 0 AND until <= ?", (before,)).fetchone()
        if row[0]:
            yield f"what a charter's age was up of was erased ({row[0]} contents)"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
