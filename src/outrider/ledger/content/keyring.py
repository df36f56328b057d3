"""Who can read what: one key a subject, one key an agent, and both are needed to open anything.

A subject is whom content is about: the agent's sponsor by pseudonym. What seals an agent's content and names is
derived (HKDF-SHA-256) from its subject's key and its own, so that destroying either makes all of it noise at once. Keys
of agents are made ahead, durably, and taken by number: a birth waits for no disk but the record's own.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Callable, Collection

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from outrider.errors import RecordError, TamperedError
from outrider.ledger.content.database import Database
from outrider.ledger.content.root import KEY, Root

NOBODY = "host"
"""The subject of what concerns no person."""

POOL = 128
"""Keys of agents made at a time."""

KID = 8
NONCE = 12
_MOST_CACHED = 4_096
_KID_DOMAIN = b"outrider/v1/key-id\0"
_SEALS = b"outrider/v1/seals"
_DIGESTS = b"outrider/v1/digests"


def encrypt(cipher: AESGCM, plain: bytes, about: bytes) -> bytes:
    """Return nonce and ciphertext of ``plain``, bound to ``about``."""
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plain, about)


def decrypt(cipher: AESGCM, data: bytes, about: bytes) -> bytes:
    """Undo :func:`encrypt`.

    Raises:
        TamperedError: The bytes, or what they are about, were changed.
    """
    try:
        return cipher.decrypt(data[:NONCE], data[NONCE:], about)
    except (InvalidTag, ValueError) as error:
        raise TamperedError("what is kept encrypted here was changed", fix="Run `outrider verify`.") from error


def key_id(key: bytes) -> bytes:
    """Return the id of a subject's key; it tells nothing about it."""
    return hashlib.sha256(_KID_DOMAIN + key).digest()[:KID]


class Keyring:
    """The keys of one home."""

    def __init__(self, database: Database, root: Root) -> None:
        self._database = database
        self.root = root
        self._subjects: dict[str, bytes] = {}
        self._ciphers: dict[tuple[str, int], AESGCM] = {}
        self._free: list[int] = []

    # --- keys ------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Make keys of agents ahead where fewer than half of a pool are left; for whoever has time.

        Raises:
            RecordError: The disk refuses.
        """
        if len(self._free) * 2 >= POOL:
            return
        with self._database.transaction() as db:
            made = [self._insert(db) for _ in range(POOL)]
        self._free += made

    def _insert(self, db: sqlite3.Connection) -> int:
        generation = self.root.generation
        wrapped = encrypt(self._wrapper(generation), os.urandom(KEY), b"slot")
        done = db.execute("INSERT INTO slots(generation, key) VALUES (?, ?)", (generation, wrapped))
        return int(done.lastrowid or 0)

    def take(self) -> int:
        """Return the number of a key that no agent has yet. It is durable.

        Raises:
            RecordError: None were left, and the disk refuses to take more.
        """
        if not self._free:
            self.fill()
        return self._free.pop(0)

    def ensure(self, subject: str) -> None:
        """Have a key for ``subject``, durably: not inside a transaction that may come to nothing.

        Raises:
            RecordError: The disk refuses.
        """
        if self._subject(subject) is not None:
            return
        key, generation = os.urandom(KEY), self.root.generation
        wrapped = encrypt(self._wrapper(generation), key, subject.encode())
        row = (subject, generation, key_id(key), wrapped)
        with self._database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?)", row)
        self._subjects[subject] = key

    def holds(self, slot: int) -> bool:
        """Tell whether the key of an agent is here."""
        return self._slot(slot) is not None

    def kid(self, subject: str) -> bytes:
        """Return the id of a subject's key, empty where there is none."""
        key = self._subject(subject)
        return key_id(key) if key is not None else b""

    def wrap(self, key: bytes, about: str) -> tuple[int, bytes]:
        """Return ``key`` wrapped by the root, and the generation of it."""
        generation = self.root.generation
        return generation, encrypt(self._wrapper(generation), key, about.encode())

    def unwrap(self, generation: int, data: bytes, about: str) -> bytes | None:
        """Return what :meth:`wrap` wrapped, None if its root was destroyed.

        Raises:
            TamperedError: It was changed.
        """
        root = self.root.key(generation)
        return None if root is None else decrypt(AESGCM(root), data, about.encode())

    # --- sealing ---------------------------------------------------------------------------------------------

    def seal(self, subject: str, slot: int, plain: bytes, about: bytes) -> bytes:
        """Return ``plain`` sealed for a subject and an agent's key: key id, nonce, ciphertext.

        Raises:
            RecordError: There is no such agent's key, or the subject's cannot be made.
        """
        self.ensure(subject)
        cipher = self.cipher(subject, slot)
        if cipher is None:
            raise RecordError(f"the agent's key {slot} is gone", fix="The agent was erased: start a new session.")
        return self.kid(subject) + encrypt(cipher, plain, about)

    def open(self, subject: str, slot: int, data: bytes, about: bytes) -> bytes | None:
        """Return what :meth:`seal` sealed, None where a key that it needs was destroyed.

        Raises:
            TamperedError: The keys are there, and the bytes were changed.
        """
        cipher = self.cipher(subject, slot)
        if cipher is None or not hmac.compare_digest(self.kid(subject), data[:KID]):
            return None
        return decrypt(cipher, data[KID:], about)

    def cipher(self, subject: str, slot: int) -> AESGCM | None:
        """Return what seals for a subject and an agent's key, None where either is not there. ``slot`` 0 is nobody."""
        found = self._ciphers.get((subject, slot))
        if found is None:
            above, own = self._subject(subject), self._slot(slot)
            if above is None or own is None:
                return None
            found = AESGCM(HKDF(SHA256(), KEY, above, _SEALS).derive(own))
            if len(self._ciphers) >= _MOST_CACHED:
                self._ciphers.clear()
            self._ciphers[subject, slot] = found
        return found

    def digest(self, subject: str, text: bytes) -> bytes:
        """Return the digest that a text is known again by within a subject, and nowhere else."""
        self.ensure(subject)
        above = self._subject(subject)
        assert above is not None
        return hmac.digest(HKDF(SHA256(), KEY, None, _DIGESTS).derive(above), text, "sha256")

    # --- destroying ------------------------------------------------------------------------------------------

    def destroy(
        self,
        *,
        subjects: Collection[str] = (),
        slots: Collection[int] = (),
        also: Callable[[sqlite3.Connection], None] = lambda _db: None,
    ) -> None:
        """Destroy keys: leave them out, wrap all others by a new root, and destroy the old root.

        ``also`` deletes what goes with them, in the same transaction. The old root goes only after that is on disk, so
        this must not be called inside a transaction.

        Whatever a crash leaves half done is finished by :meth:`settle`. Without names only the root is renewed, which
        makes noise of wrapped keys that were deleted before.

        Raises:
            RecordError: The disk refuses.
        """
        made = self.root.advance()
        wrapper = self._wrapper(made)
        with self._database.transaction() as db:
            also(db)
            db.executemany("DELETE FROM subjects WHERE id = ?", [(one,) for one in subjects])
            db.executemany("DELETE FROM slots WHERE id = ?", [(one,) for one in slots])
            for table, column in (("subjects", "id"), ("slots", "id"), ("staged", "segment")):
                self._rewrap(db, table, column, wrapper, made)
        self.forget()
        gone = set(slots)
        self._free = [one for one in self._free if one not in gone]
        self.root.drop_older()

    def _rewrap(self, db: sqlite3.Connection, table: str, column: str, wrapper: AESGCM, made: int) -> None:
        # outrider: allow code.python-sql-from-string -- the names are this module's own
        rows = db.execute(f"SELECT {column}, generation, key FROM {table}").fetchall()  # noqa: S608
        moved = []
        for name, generation, wrapped in rows:
            about = "slot" if table == "slots" else str(name)
            key = self.unwrap(generation, wrapped, about)
            if key is not None:
                moved.append((made, encrypt(wrapper, key, about.encode()), name))
        # outrider: allow code.python-sql-from-string -- the names are this module's own
        db.executemany(f"UPDATE {table} SET generation = ?, key = ? WHERE {column} = ?", moved)  # noqa: S608

    def forget(self) -> None:
        """Forget what was read of keys: another process may have destroyed some."""
        self._subjects.clear()
        self._ciphers.clear()

    def settle(self) -> None:
        """Finish what a crash left of a renewal of the root: nothing is wrapped by an older one any more.

        Raises:
            RecordError: The disk refuses.
        """
        used = {
            int(row[0])
            for row in self._database.rows(
                "SELECT generation FROM subjects UNION SELECT generation FROM slots UNION SELECT generation FROM staged"
            )
        }
        if used <= {self.root.generation}:
            self.root.drop_older()
        elif self.root.key(max(used)) is not None:
            self.destroy()

    # --- inside ----------------------------------------------------------------------------------------------

    def _wrapper(self, generation: int) -> AESGCM:
        key = self.root.key(generation)
        assert key is not None
        return AESGCM(key)

    def _subject(self, name: str) -> bytes | None:
        found = self._subjects.get(name)
        if found is None:
            row = self._database.one("SELECT generation, key FROM subjects WHERE id = ?", name)
            found = self.unwrap(row[0], row[1], name) if row is not None else None
            if found is not None:
                self._subjects[name] = found
        return found

    def _slot(self, number: int) -> bytes | None:
        if number == 0:
            return bytes(KEY)
        row = self._database.one("SELECT generation, key FROM slots WHERE id = ?", number)
        return self.unwrap(row[0], row[1], "slot") if row is not None else None
