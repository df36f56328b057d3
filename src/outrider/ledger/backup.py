"""A copy of a home that can be put back: the record as far as it is durable, charters, content, and keys if wanted.

A daemon may write meanwhile. The checkpoint is copied first and the journal after it, so that the copy holds at least
what its checkpoint covers; a commit that was under way is a torn tail, which opening cuts. Tiles and the view are left
out: both are made again. What was copied is verified from its bytes, and only then gets its name.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from outrider.config import Home
from outrider.errors import BadInputError, RecordError, RefusedError, TamperedError, UnavailableError
from outrider.ledger.content.again import erase_again
from outrider.ledger.content.database import NAME
from outrider.ledger.disk import flush, flush_directory, make_directory, refusal
from outrider.ledger.packs import FOLDER
from outrider.ledger.verify import Report, verify

MANIFEST = "backup.json"
_HEADS = ("checkpoint", "log.vkey", "cosigned", "contested")
_BESIDE = ("charters", "facts")


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself.

    Attributes:
        v: Version of this form.
        origin: The log.
        vkey: Its verifier key.
        events: Events in the journal that was copied.
        sealed: How many of them the checkpoint covers.
        root: The checkpoint's root, hex.
        keys: Whether private keys are in it.
        content: Whether kept content is in it; without keys it cannot be read.
        size: Bytes of all files.
    """

    v: int = 1
    origin: str
    vkey: str
    events: int
    sealed: int
    root: str
    keys: bool
    content: bool
    size: int


def back_up(home: Home, target: Path, *, keys: bool) -> Backup:
    """Copy what is in ``home`` to a new directory, verify the copy, and return what it holds.

    Raises:
        RefusedError: Something is at ``target`` already.
        UnavailableError: There is no record.
        TamperedError: The copy does not verify; nothing is at ``target``.
        RecordError: A file cannot be read or written.
    """
    if not (home.record / "journal").is_dir():
        raise UnavailableError(f"there is no record at {home.record}")
    part = target.with_name(target.name + ".part")
    for path in (target, part):
        if path.exists() or path.is_symlink():
            raise RefusedError(f"{path} is there already, and a backup overwrites nothing", fix="Name another place.")
    try:
        made = _copy(home, Home(part), keys=keys)
        part.rename(target)
        flush_directory(target.parent)
    except OSError as error:
        raise refusal(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return made


def _copy(home: Home, to: Home, *, keys: bool) -> Backup:
    make_directory(to.root)
    _files(home, to, home.record, keys=keys)
    report = _verified(to.record)
    made = Backup(
        origin=report.origin,
        vkey=report.vkey,
        events=report.events,
        sealed=report.sealed,
        root=report.root,
        keys=keys,
        content=(to.content / NAME).is_file(),
        size=sum(path.stat().st_size for path in to.root.rglob("*") if path.is_file()),
    )
    (to.root / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    _flush_all(to.root)
    return made


def _files(home: Home, to: Home, record: Path, *, keys: bool) -> None:
    """Copy the parts in the order that makes them fit together."""
    make_directory(to.record / "journal")
    for name in _HEADS:
        _file(record / name, to.record / name)
    # A segment may be packed meanwhile: packs are copied after segments, so that each event is in either copy.
    for path in sorted((record / "journal").iterdir()):
        _file(path, to.record / "journal" / path.name)
    _tree(record / FOLDER, to.record / FOLDER, leave=".new")
    if not to.config.exists():
        _file(home.config, to.config)
    for name in _BESIDE:
        _tree(home.root / name, to.root / name)
    if keys:
        _tree(home.keys, to.keys)
    # What waits is copied before the database that it goes to: whatever moves meanwhile is in both.
    _tree(home.content, to.content, leave=NAME)
    if (home.content / NAME).is_file():
        to.content.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(to.content / NAME, os.O_CREAT | os.O_WRONLY, 0o600))
        try:
            with (
                closing(sqlite3.connect(f"file:{home.content / NAME}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(to.content / NAME)) as copy,
            ):
                source.backup(copy)
        except sqlite3.Error as error:
            raise RecordError(f"the content at {home.content} cannot be copied: {error}") from error


def _file(source: Path, to: Path) -> None:
    """Copy a file, if it is there and still is when it is opened."""
    if source.is_symlink() or not source.is_file():
        return
    try:
        reading = source.open("rb")
    except FileNotFoundError:
        return
    with reading:
        fd = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as writing:
            shutil.copyfileobj(reading, writing, 1 << 20)


def _tree(source: Path, to: Path, *, leave: str = "") -> None:
    """Copy the files of a directory, without those that are there already or have ``leave`` in their names."""
    if not source.is_dir() or source.is_symlink():
        return
    to.mkdir(mode=0o700, exist_ok=True)
    for path in sorted(source.iterdir()):
        if leave and leave in path.name:
            continue
        if path.is_dir():
            _tree(path, to / path.name)
        elif not (to / path.name).exists():
            _file(path, to / path.name)


def _verified(record: Path, earlier: list[str] | None = None, vkey: str | None = None) -> Report:
    report = verify(record, vkey, earlier=earlier or ())
    if not report.ok:
        raise TamperedError(
            f"the copy does not verify: {report.problems[0]}", fix="Run `outrider verify` on the record itself."
        )
    return report


def _flush_all(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            flush_directory(path)
        else:
            fd = os.open(path, os.O_RDWR)
            try:
                flush(fd)
            finally:
                os.close(fd)


def read_manifest(source: Path) -> Backup:
    """Return what a backup says of itself.

    Raises:
        BadInputError: There is no backup, or it is of another version.
    """
    try:
        told = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Backup)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInputError(f"{source} is no backup: its {MANIFEST} cannot be read") from error
    if told.v != 1:
        raise BadInputError(f"{source} is a backup of version {told.v}, which this program does not know")
    return told


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was put back.

    Attributes:
        backup: What the backup said of itself.
        events: Events in the record that is there now.
        erased: Contents that came back with the backup and were erased again; None where no newer record was given,
            so that nobody here knows what was erased since.
    """

    backup: Backup
    events: int
    erased: int | None = None


def restore(source: Path, home: Home, *, seen: list[str], newer: Path | None = None) -> Restored:
    """Put a backup back into a home that has no record, and return what is there now.

    Args:
        source: The backup.
        home: Where to.
        seen: Checkpoints of this log that witnesses hold; what is put back must extend each.
        newer: A copy of the record that goes on where the backup's ends, or None. It is put back in the place of the
            backup's own, and what it says was erased since is erased from the content that the backup brings.

    Raises:
        BadInputError: It is no backup.
        RefusedError: The home has a record, or keys other than those in the backup; or there are no keys to erase with.
        TamperedError: It does not verify, holds less than it says, or less than a witness has seen.
        RecordError: A file cannot be read or written.
    """
    told = read_manifest(source)
    journal = home.record / "journal"
    if any(folder.is_dir() and any(folder.iterdir()) for folder in (journal, home.record / FOLDER)):
        raise RefusedError(
            f"{home.record} holds a record, and restoring overwrites none",
            fix="Move that home away (keep it: it may be evidence), or set OUTRIDER_HOME to an empty one.",
        )
    _same_key(source, home)
    report = _verified(source / "record", seen if newer is None else [])
    if report.events < told.events or report.root != told.root:
        raise TamperedError(f"{source} does not hold the {told.events} events that it says it does")
    record = source / "record"
    if newer is not None:
        record, report = newer, _goes_on(newer, record, told, seen)
        if told.content and not (told.keys or home.content_key.exists()):
            raise RefusedError(
                "without keys nothing of the backup's content can be erased",
                fix=f"Put the keys back into {home.keys} first; or leave --record out.",
            )
    try:
        make_directory(home.root)
        home.make()
        _files(Home(source), home, record, keys=told.keys and not (home.keys / "log.key").exists())
        _flush_all(home.record)
    except OSError as error:
        raise refusal(home.root, error) from error
    _verified(home.record, seen)
    erased = None if newer is None else erase_again(home, told.events)
    return Restored(backup=told, events=report.events, erased=erased)


def _goes_on(newer: Path, older: Path, told: Backup, seen: list[str]) -> Report:
    """Return what a newer record is verified to be, which goes on where a backup's own ends.

    Raises:
        TamperedError: It does not verify, or is no continuation.
    """
    report = _verified(newer, [*seen, (older / "checkpoint").read_text(encoding="utf-8")], vkey=told.vkey)
    if report.events < told.events:
        raise TamperedError(f"{newer} holds {report.events} events, and the backup {told.events}")
    return report


def _same_key(source: Path, home: Home) -> None:
    """Refuse where the home has another key for checkpoints than the backup brings."""
    ours, theirs = home.keys / "log.key", source / "keys" / "log.key"
    if ours.exists() and theirs.exists() and ours.read_bytes() != theirs.read_bytes():
        raise RefusedError(f"{ours} is another key than the backup's", fix="Restore into a home without keys.")
