"""The contents of one home: staged, kept, read, checked against the record, erased.

A text is encrypted once under a random key of its own (AES-256-GCM, after zstd), also where the same subject's agents
brought it again and again. Each event that it belongs to holds that key, and the salts of its commitments, sealed for
its subject and agent: destroy any of the keys above, or that one row, and this event's content cannot be read or
guessed at any more.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from outrider.errors import RecordError, TamperedError
from outrider.events.codec import commit
from outrider.events.content import Commitment, Kept
from outrider.ledger.content.database import Database
from outrider.ledger.content.keyring import Keyring, decrypt, encrypt
from outrider.ledger.content.root import KEY, Root
from outrider.ledger.content.staging import Staging

_ABOUT = b"outrider/v1/content"
_RAW, _ZSTD = b"\x00", b"\x01"
_LEVEL = 3
_MANY = 500


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be kept of one event; with ``text`` None only the salt of its commitment.

    Attributes:
        n: Index of the event.
        ts: Its time, microseconds since 1970 UTC.
        agent: Its agent.
        subject: Whom it is about.
        slot: Number of the agent's key.
        salt: Of the event's own commitment.
        media: Media type.
        text: The text as it is kept: secrets are out of it.
        taken: How many.
        cut: Bytes left out of the middle.
        until: When it is due to be erased, microseconds since 1970 UTC, or 0.
    """

    n: int
    ts: int
    agent: str
    subject: str
    slot: int
    salt: bytes
    media: str
    text: bytes | None
    taken: int = 0
    cut: int = 0
    until: int = 0


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one event, as it can be disclosed.

    Attributes:
        n: Index of the event.
        media: Media type.
        text: The text as it was kept, or None where only the salt was.
        salt: Opens the commitment that the event itself carries, where the text is whole: see ``exact``.
        own: Opens the commitment in the ``content.kept`` event that names this one. Empty without a text.
        kept: What that event says of it; None without a text.
        told: Index of that event; -1 where there is none yet, or no text.
    """

    n: int
    media: str
    text: bytes | None
    salt: bytes
    own: bytes
    kept: Kept | None
    told: int = -1

    @property
    def exact(self) -> bool:
        """Whether the text is what the event's own commitment was made over: nothing was taken out or cut."""
        return self.kept is not None and not self.kept.taken and not self.kept.cut


class Gone(msgspec.Struct, frozen=True):
    """What an erasure took: how many ``contents`` and how many bytes (``size``) of ciphertext."""

    contents: int
    size: int


class _Held(msgspec.Struct, frozen=True, array_like=True):
    salt: bytes
    key: bytes = b""
    own: bytes = b""


class Contents:
    """The contents of one home. Safe to use from several threads of the one process that writes.

    Attributes:
        database: Where they lie.
        keyring: Who can read them.
        staging: Where new ones wait; None for a reader.
    """

    def __init__(self, directory: Path, root: Path, *, write: bool = False) -> None:
        """Open the contents under ``directory``.

        Args:
            directory: Made (0700) if it is not there and this is the writer.
            root: The file of the root key.
            write: Whether this is the one process that writes.

        Raises:
            UnavailableError: Nothing was ever kept, and this is a reader.
            RecordError: The files cannot be used.
            RefusedError: Others than its owner could read the root key.
        """
        self.database = Database(directory, write=write)
        try:
            self.keyring = Keyring(self.database, Root(root))
            self.staging: Staging | None = None
            if write:
                self.keyring.settle()
                self.keyring.fill()
                self.staging = Staging(directory / "staging", self.database, self.keyring)
                self.staging.prepare()
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        """Close the files."""
        if self.staging is not None:
            self.staging.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- keeping ---------------------------------------------------------------------------------------------

    def keep(self, items: Iterable[Item], *, drop: Path | None = None) -> list[Kept]:
        """Keep what is given, durably and all at once; return what the record is to say of the texts among it.

        An item whose agent's key was destroyed meanwhile is left out.

        Args:
            items: What to keep. One that is kept already is left as it is.
            drop: The staging segment that they come from, or None; its key goes in the same transaction.

        Raises:
            RecordError: The disk refuses; nothing was kept.
        """
        told: list[Kept] = []
        alive = [item for item in items if self.keyring.holds(item.slot)]
        for subject in {item.subject for item in alive}:
            self.keyring.ensure(subject)
        with self.database.transaction() as db:
            for item in alive:
                kept = self._keep(db, item)
                if kept is not None:
                    told.append(kept)
            if drop is not None:
                db.execute("DELETE FROM staged WHERE segment = ?", (drop.name,))
        return told

    def _keep(self, db: sqlite3.Connection, item: Item) -> Kept | None:
        if db.execute("SELECT 1 FROM records WHERE n = ?", (item.n,)).fetchone():
            return None
        held, kept, blob = _Held(item.salt), None, None
        if item.text is not None:
            own = secrets.token_bytes(32)
            blob, key, digest, stored = self._blob(db, item.subject, item.text)
            held = _Held(item.salt, key, own)
            kept = Kept(
                of=item.n, content=commit(item.text, own), hash=digest.hex(), stored=stored, media=item.media,
                taken=item.taken, cut=item.cut, until=item.until,
            )  # fmt: skip
        sealed = self.keyring.seal(item.subject, item.slot, msgspec.msgpack.encode(held), _about(item.n))
        db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (item.n, item.ts, item.until, item.agent, item.subject, item.slot, item.media, blob, sealed,
             msgspec.msgpack.encode(kept) if kept else None, -1 if kept else None),
        )  # fmt: skip
        return kept

    def _blob(self, db: sqlite3.Connection, subject: str, text: bytes) -> tuple[int, bytes, bytes, int]:
        """Return id, key, hash and length of the ciphertext of ``text``, which may be there already."""
        known = self.keyring.digest(subject, text)
        row = db.execute("SELECT id, hash, length(data) FROM blobs WHERE subject = ? AND digest = ?",
                         (subject, known)).fetchone()  # fmt: skip
        if row is not None:
            key = self._key_of(db, row[0])
            if key is not None:
                return row[0], key, row[1], row[2]
            db.execute("DELETE FROM blobs WHERE id = ?", (row[0],))
        key = secrets.token_bytes(KEY)
        data = encrypt(AESGCM(key), _pack(text), _ABOUT)
        digest = hashlib.sha256(data).digest()
        done = db.execute(
            "INSERT INTO blobs(subject, digest, size, hash, data) VALUES (?, ?, ?, ?, ?)",
            (subject, known, len(text), digest, data),
        )
        return int(done.lastrowid or 0), key, digest, len(data)

    def _key_of(self, db: sqlite3.Connection, blob: int) -> bytes | None:
        """Return the key of a ciphertext by way of any event that holds it and can still be opened."""
        for n, subject, slot, sealed in db.execute(
            "SELECT n, subject, slot, held FROM records WHERE blob = ? LIMIT 16", (blob,)
        ):
            plain = self.keyring.open(subject, slot, sealed, _about(n))
            if plain is not None:
                return msgspec.msgpack.decode(plain, type=_Held).key
        return None

    def untold(self) -> list[Kept]:
        """Return what is kept and what no event is known to say of yet: a crash came between."""
        rows = self.database.rows("SELECT kept FROM records WHERE told < 0 ORDER BY n")
        return [msgspec.msgpack.decode(row[0], type=Kept) for row in rows]

    def tell(self, kept: Iterable[Kept], event: int) -> None:
        """Note that ``event`` says so, durably.

        Raises:
            RecordError: The disk refuses.
        """
        with self.database.transaction() as db:
            db.executemany("UPDATE records SET told = ? WHERE n = ?", [(event, one.of) for one in kept])

    # --- reading ---------------------------------------------------------------------------------------------

    def read(self, n: int) -> Content | None:
        """Return what is kept of event ``n``; None where nothing is, or the keys were destroyed.

        Raises:
            TamperedError: What is kept was changed.
            RecordError: It cannot be read.
        """
        row = self.database.one("SELECT subject, slot, media, blob, held, kept, told FROM records WHERE n = ?", n)
        if row is None:
            return None
        subject, slot, media, blob, sealed, said, told = row
        plain = self.keyring.open(subject, slot, sealed, _about(n))
        if plain is None:
            return None
        held = msgspec.msgpack.decode(plain, type=_Held)
        if blob is None:
            return Content(n=n, media=media, text=None, salt=held.salt, own=b"", kept=None)
        kept = msgspec.msgpack.decode(said, type=Kept)
        text = self._text(n, blob, held.key, kept)
        return Content(n=n, media=media, text=text, salt=held.salt, own=held.own, kept=kept, told=told)

    def _text(self, n: int, blob: int, key: bytes, kept: Kept) -> bytes:
        row = self.database.one("SELECT data FROM blobs WHERE id = ?", blob)
        data: bytes = row[0] if row is not None else b""
        if hashlib.sha256(data).hexdigest() != kept.hash:
            raise TamperedError(f"the content of event {n} is not what was kept", fix="Run `outrider verify`.")
        return _unpack(decrypt(AESGCM(key), data, _ABOUT))

    def cipher_of(self, n: int) -> bytes | None:
        """Return the ciphertext of event ``n`` as it lies on disk, None where there is none."""
        row = self.database.one("SELECT data FROM blobs WHERE id = (SELECT blob FROM records WHERE n = ?)", n)
        return None if row is None else bytes(row[0])

    # --- erasing ---------------------------------------------------------------------------------------------

    def count(self, *, subject: str = "", agent: str = "", events: Collection[int] = (), before: int = 0) -> Gone:
        """Return how much an erasure of what is named would take; see :meth:`erase`."""
        where, values = _where(subject, agent, events, before)
        # outrider: allow code.python-sql-from-string -- the conditions are this module's own
        row = self.database.one(f"SELECT count(*), coalesce(sum(size), 0) FROM records{_JOIN}{where}", *values)  # noqa: S608
        return Gone(row[0], row[1])

    def erase(
        self, *, subject: str = "", agent: str = "", events: Collection[int] = (), before: int = 0,
        slots: Collection[int] = (),
    ) -> Gone:  # fmt: skip
        """Erase the contents of a subject, an agent or single events, or those that were due by ``before``.

        Keys are destroyed first: from then on nothing of it can be read, whatever happens to the rest. The keys of
        single events are in their rows. What waits in staging must have been kept before.

        Args:
            subject: All of whose agents' content goes, and the subject's key.
            agent: Whose content goes, with its key in ``slots``.
            events: Whose content goes.
            before: Contents whose age was up by then go, microseconds since 1970 UTC.
            slots: Numbers of agents' keys that go.

        Raises:
            RecordError: The disk refuses. What was done stays done; the same erasure again does the rest.
        """
        where, values = _where(subject, agent, events, before)
        gone = self.count(subject=subject, agent=agent, events=events, before=before)
        destroyed = set(slots)
        if subject:
            rows = self.database.rows("SELECT DISTINCT slot FROM records WHERE subject = ? AND slot > 0", subject)
            destroyed |= {row[0] for row in rows}
        if subject or agent:  # Unreadable at once; taking the noise away may take its time.
            self.keyring.destroy(subjects=[subject] if subject else [], slots=destroyed)
            with self.database.transaction() as db:
                _delete(db, where, values, subject)
        else:
            self.keyring.destroy(also=lambda db: _delete(db, where, values, subject))
        self.database.scour()
        return gone

    def note(self, what: str, said: bytes) -> None:
        """Note something durably; an empty note is none.

        Raises:
            RecordError: The disk refuses.
        """
        with self.database.transaction() as db:
            db.execute("DELETE FROM notes WHERE what = ?", (what,))
            if said:
                db.execute("INSERT INTO notes VALUES (?, ?)", (what, said))

    def noted(self, what: str) -> bytes:
        """Return what was noted, empty for nothing."""
        row = self.database.one("SELECT said FROM notes WHERE what = ?", what)
        return bytes(row[0]) if row is not None else b""

    def kids(self) -> Iterator[tuple[str, bytes]]:
        """Yield every subject that a key is here of, and that key's id."""
        yield from self.database.rows("SELECT id, kid FROM subjects ORDER BY id")

    def numbers(self) -> list[tuple[int, str, str, int, int]]:
        """Return ``(n, subject, agent, slot, until)`` of every event that something is kept of, in order."""
        return self.database.rows("SELECT n, subject, agent, slot, until FROM records ORDER BY n")


_JOIN = " LEFT JOIN blobs ON blobs.id = records.blob"


def _where(subject: str, agent: str, events: Collection[int], before: int) -> tuple[str, tuple[object, ...]]:
    """Return the one condition that was named; exactly one must be."""
    named = [bool(subject), bool(agent), bool(events), bool(before)]
    if sum(named) != 1:
        raise RecordError("an erasure names a subject, an agent, events or a time, and only one of them")
    if subject:
        return " WHERE records.subject = ?", (subject,)
    if agent:
        return " WHERE records.agent = ?", (agent,)
    if before:
        return " WHERE records.until > 0 AND records.until <= ?", (before,)
    if len(events) > _MANY:
        raise RecordError(f"at most {_MANY} events are erased at once", fix="Erase them in parts.")
    return f" WHERE records.n IN ({', '.join('?' * len(events))})", tuple(events)


def _delete(db: sqlite3.Connection, where: str, values: tuple[object, ...], subject: str) -> None:
    """Delete records, and the ciphertexts that no other one needs."""
    if subject:
        db.execute("DELETE FROM records WHERE subject = ?", (subject,))
        db.execute("DELETE FROM blobs WHERE subject = ?", (subject,))
        return
    # outrider: allow code.python-sql-from-string -- the conditions are this module's own
    held = db.execute(f"SELECT DISTINCT blob FROM records{where} AND blob IS NOT NULL", values).fetchall()  # noqa: S608
    # outrider: allow code.python-sql-from-string -- the conditions are this module's own
    db.execute(f"DELETE FROM records{where}", values)  # noqa: S608
    db.executemany(
        "DELETE FROM blobs WHERE id = ? AND NOT EXISTS (SELECT 1 FROM records WHERE blob = ?)",
        [(row[0], row[0]) for row in held],
    )


def checks(content: Content, committed: Commitment) -> bool:
    """Tell whether a content's text is the one that its event's own commitment was made over.

    False, too, where the text is not whole: then :func:`checks_kept` is what can be said of it.
    """
    return content.text is not None and content.exact and commit(content.text, content.salt) == committed


def checks_kept(content: Content, kept: Kept) -> bool:
    """Tell whether a content's text is the one that a ``content.kept`` event says is kept of its event."""
    return content.text is not None and kept.of == content.n and commit(content.text, content.own) == kept.content


def _about(n: int) -> bytes:
    return b"outrider/v1/held/" + str(n).encode()


def _pack(text: bytes) -> bytes:
    packed = zstandard.ZstdCompressor(_LEVEL).compress(text)
    return _ZSTD + packed if len(packed) < len(text) else _RAW + text


def _unpack(data: bytes) -> bytes:
    if data[:1] == _RAW:
        return data[1:]
    try:
        return zstandard.ZstdDecompressor().decompress(data[1:])
    except zstandard.ZstdError as error:
        raise TamperedError("a kept content cannot be decompressed", fix="Run `outrider verify`.") from error
