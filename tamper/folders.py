"""Records as folders: an honest one, and copies of it that somebody changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tamper.formats import WITNESS, Chain, Signer, note_body, segment_head, tile_name
from tamper.history import AGENTS, EVERY, START, Happened, Places, happened

ORIGIN = "tamper.example/log"
LOG = Signer(ORIGIN)
STRANGER = Signer(ORIGIN, salt="of somebody who lacks the log's key")
WITNESSES = (Signer("one.witness.example/w", WITNESS), Signer("two.witness.example/w", WITNESS))
SEED = 1

_MOST_BUNDLED = 10_000


@dataclass
class Told:
    """A record as somebody shows it.

    Attributes:
        tail: Its events from the stem on.
        seed: Which history its events before that are of.
        signer: Whose key the record names as its own.
        checkpoint: Number of events that its checkpoint covers, by default all of them.
        signed: Whether that checkpoint is made for these events; otherwise it is the honest record's own of that size.
        cosigned: Text of the cosigned checkpoint, None for no such file.
        cut: A segment that is removed once all is written, by its first event, or -1.
        contents: Ciphertexts that lie beside the record, by the event that they are of; None for no contents at all.
        second: What the second witness says that it cosigned last, or empty for the honest one's word.
    """

    tail: list[Happened]
    seed: int = SEED
    signer: Signer = LOG
    checkpoint: int = -1
    signed: bool = True
    cosigned: str | None = None
    cut: int = -1
    contents: dict[int, bytes] | None = None
    second: str = ""


@dataclass
class Honest:
    """The record that everything starts from.

    Attributes:
        places: Where things happen in it.
        where: Its folder.
        stem: What the first touchable event needs to know of those before it.
        tail: Its events from the stem on.
        roots: Its roots at the sizes that matter.
    """

    places: Places
    where: Path
    stem: Chain = field(default_factory=Chain)
    tail: list[Happened] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def write(cls, places: Places, where: Path) -> Honest:
        """Write the honest record under ``where`` and return it."""
        made = cls(places, where)
        events = [happened(SEED, n, ORIGIN, LOG.vkey) for n in range(places.stem, places.size)]
        told = Told(events, cosigned=None)
        made.stem = _stem(places, where, SEED, LOG)
        made.tail = events
        made.roots = _rest(made, told, where)
        made.finish(told, where, made.roots)
        return made

    @property
    def seconds(self) -> int:
        """When the witnesses cosigned, seconds since 1970 UTC: a second after the last event that they saw."""
        return (START + self.places.cosigned * EVERY) // 1_000_000 + 1

    def body(self, size: int) -> str:
        """Return the text of the honest checkpoint of that size."""
        return note_body(ORIGIN, size, self.roots[size])

    def checkpoint(self, size: int) -> str:
        """Return the honest checkpoint of that size."""
        return f"{self.body(size)}\n{LOG.signs(self.body(size))}"

    def cosigned(self, size: int, by: Iterable[Signer] = WITNESSES) -> str:
        """Return the honest checkpoint of that size with cosignatures."""
        at = self.seconds - (self.places.cosigned - size) * EVERY // 1_000_000
        return self.checkpoint(size) + "".join(one.cosigns(self.body(size), at) for one in by)

    def answers(self, told: Told) -> tuple[str, str]:
        """Return the checkpoint that each witness says it cosigned last."""
        first, second = (self.cosigned(self.places.cosigned, (one,)) for one in WITNESSES)
        return first, told.second or second

    def roots_of(self, tail: list[Happened]) -> dict[int, bytes]:
        """Return the roots, at the sizes that matter, of these events behind the stem."""
        chain, wanted, found = self.stem.copy(), self._sizes(), {}
        for event, beside in tail:
            chain.frame(event, beside, 0)
            if chain.size in wanted:
                found[chain.size] = chain.root()
        return found | {chain.size: chain.root()}

    def _sizes(self) -> set[int]:
        places = self.places
        return {places.backup, places.cosigned, places.size - 1, places.size}

    def tell(self, told: Told, where: Path) -> None:
        """Write under ``where`` the record that ``told`` shows; what is not touched is linked from the honest one."""
        if told.seed != SEED or told.signer != LOG:
            places = self.places
            other = Honest(places, where)
            other.stem = _stem(places, where, told.seed, told.signer)
            roots = _rest(other, told, where)
        else:
            if self.places.stem:
                _link(self.where, where, self.places)
            roots = _rest(self, told, where)
        self.finish(told, where, roots)
        if told.contents is not None:
            _keep(where.parent / "content", told.contents)
        if told.cut >= 0:
            (where / "journal" / f"{told.cut:020d}.seg").unlink()

    def finish(self, told: Told, where: Path, roots: dict[int, bytes]) -> None:
        """Write what stands beside journal and tiles."""
        size = told.checkpoint if told.checkpoint >= 0 else self.places.stem + len(told.tail)
        body = note_body(ORIGIN, size, roots[size]) if told.signed else self.body(size)
        signer = told.signer if told.signed else LOG
        _put(where / "checkpoint", f"{body}\n{signer.signs(body)}".encode())
        _put(where / "log.vkey", f"{told.signer.vkey}\n".encode())
        if told.cosigned is not None:
            _put(where / "cosigned", told.cosigned.encode())


def _stem(places: Places, where: Path, seed: int, signer: Signer) -> Chain:
    """Write the events before the stem and return what comes of them."""
    chain = Chain(bundles=places.size <= _MOST_BUNDLED)
    events = (happened(seed, n, ORIGIN, signer.vkey) for n in range(places.stem))
    _journal(chain, events, where, places.segment)
    return chain.copy()


def _rest(made: Honest, told: Told, where: Path) -> dict[int, bytes]:
    chain = made.stem.copy()
    roots: dict[int, bytes] = {}
    wanted = made._sizes()  # noqa: SLF001 - it is of this file

    def watched() -> Iterator[Happened]:
        for one in told.tail:
            yield one
            if chain.size in wanted:
                roots[chain.size] = chain.root()

    _journal(chain, watched(), where, made.places.segment)
    roots[chain.size] = chain.root()
    for level, number, width, data in chain.partial():
        _put(_tile(where, level, number, width), data)
    return roots


def _journal(chain: Chain, events: Iterable[Happened], where: Path, segment: int) -> None:
    first, frames = chain.size, [segment_head(chain.size)]

    def done() -> None:
        _put(where / "journal" / f"{first:020d}.seg", b"".join(frames))
        for level, number, data in chain.tiles:
            _put(_tile(where, level, number, 0), data)
        chain.tiles.clear()

    for event, beside in events:
        if chain.size - first == segment:
            done()
            first, frames = chain.size, [segment_head(chain.size)]
        frames.append(chain.frame(event, beside, chain.size - chain.size % 2))
    if frames[1:]:
        done()


_TABLES = """
CREATE TABLE subjects(id TEXT PRIMARY KEY, kid BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE slots(id INTEGER PRIMARY KEY);
CREATE TABLE blobs(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE records(n INTEGER PRIMARY KEY, until INTEGER NOT NULL, agent TEXT NOT NULL, subject TEXT NOT NULL,
  blob INTEGER);
"""


def _keep(where: Path, contents: dict[int, bytes]) -> None:
    """Write the part of a content database that a verifier without its keys can read."""
    where.mkdir(parents=True)
    db = sqlite3.connect(where / "content.sqlite")
    db.executescript(_TABLES)
    for n, data in contents.items():
        db.execute("INSERT INTO blobs VALUES (?, ?)", (n, data))
        db.execute("INSERT INTO records VALUES (?, 0, ?, 'p_0', ?)", (n, f"a{n // 10 % AGENTS}", n))
    db.commit()
    db.close()


def _tile(where: Path, level: int, number: int, width: int) -> Path:
    name = tile_name(number) + (f".p/{width}" if width else "")
    return where / "tile" / ("entries" if level < 0 else str(level)) / name


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # It may be a link to the honest record's own.
    path.write_bytes(data)


def _link(source: Path, where: Path, places: Places) -> None:
    """Link what was written before the stem, so that a case of a large record costs its tail alone."""
    for path in sorted((source / "journal").iterdir()):
        if int(path.stem) < places.stem:
            _linked(path, where / "journal" / path.name)
    for path in sorted((source / "tile").rglob("*")):
        if path.is_file() and not path.parent.name.endswith(".p"):
            _linked(path, where / path.relative_to(source))


def _linked(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, to)
    except OSError:
        shutil.copy(path, to)
