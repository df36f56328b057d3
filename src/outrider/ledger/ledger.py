"""The record as its single writer sees it: append, make durable, seal, prove.

An event is appended (it has its index and its place in the tree), then durable (it is flushed to disk, and an answer
may leave), then sealed (a signed checkpoint covers it). Nothing durable is ever taken back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock as Mutex
from threading import RLock
from types import TracebackType
from typing import NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.errors import BadInputError, OutriderError, RecordError, TamperedError, UnavailableError
from outrider.ledger.committer import Committer
from outrider.ledger.disk import make_directory, refusal
from outrider.ledger.frame import Frame, pack, unpack
from outrider.ledger.journal import SEGMENT, Journal, Recovered
from outrider.ledger.lock import Lock
from outrider.ledger.note import Checkpoint, check_name, proof_text
from outrider.ledger.retile import JournalTiles, put_bundles
from outrider.ledger.sealer import Sealer
from outrider.ledger.tiles import TileStore
from outrider.ledger.tree import WIDTH, Tree, leaf_hash


class Entry(NamedTuple):
    """One event as it was appended."""

    n: int
    leaf: bytes
    beside: bytes


_FRESH = 256
_LONGEST = 1 << 62


class _Commit(NamedTuple):
    """What one flush takes: the frames of events ``first`` on, and the tree's size and peaks behind them."""

    first: int
    frames: list[bytes]
    durable: tuple[int, tuple[bytes, ...]]
    seal: bool


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class Ledger:
    """The record under one directory, held by one process. Safe to use from several threads.

    Attributes:
        origin: Name of the log, the first line of its checkpoints.
        vkey: The verifier key (``name+hash+base64``) that others check checkpoints with.
        recovered: What opening had to cut, or None.
    """

    def __init__(
        self, directory: Path, *, origin: str, key: Ed25519PrivateKey, clock: Callable[[], int], segment_bytes: int
    ) -> None:
        """Use :meth:`open`."""
        self.origin = check_name(origin)
        self._directory = directory
        self._lock = RLock()  # Held for the tree and what waits: microseconds.
        self._io = Mutex()  # Held for the journal: milliseconds. Taken before _lock, never inside it.
        self._sealing = Mutex()  # Held for checkpoint and tiles. Never taken inside one of the others.
        self._waiting: list[bytes] = []
        self._waiting_seal = False
        self._flying: _Commit | None = None
        self._failed = False
        self._closed = False
        self._committer: Committer | None = None
        self._writer = Lock(directory)
        try:
            self._sealer = Sealer(directory, origin, key, clock)
            self._journal = Journal(directory, known=self._sealer.last.size, segment_bytes=segment_bytes)
            self.recovered: Recovered | None = self._journal.recovered
            try:
                self._tiles = TileStore(directory)
                self._tree = Tree(JournalTiles(self._tiles, self._journal))
                self._grow()
                self._sealer.put_vkey()
            except OutriderError:
                self._journal.close()
                raise
        except OutriderError:
            self._writer.release()
            raise
        self.vkey = self._sealer.vkey
        self._group = self._tree.size
        self._durable = (self._tree.size, self._tree.peaks)

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        origin: str,
        key: Ed25519PrivateKey,
        clock: Callable[[], int] = _monotonic_us,
        segment_bytes: int = SEGMENT,
    ) -> Self:
        """Open or create the record under ``directory`` and recover it.

        Args:
            directory: Made (0700) if it is not there.
            origin: Name of the log, such as ``outrider.local/host-7f3a``; no white space, no plus sign.
            key: Signs checkpoints.
            clock: Microseconds; only differences count, and they pace checkpoints.
            segment_bytes: Preallocated size of a new journal segment.

        Raises:
            BadInputError: ``origin`` cannot name a log.
            UnavailableError: Another process writes this record.
            TamperedError: Something that had been durable or sealed is damaged or gone, or the checkpoint is not
                signed by this key.
            RecordError: The disk refuses.
        """
        try:
            make_directory(directory)
        except OSError as error:
            raise refusal(directory, error) from error
        return cls(directory, origin=origin, key=key, clock=clock, segment_bytes=segment_bytes)

    def _grow(self) -> None:
        """Take the tree from the tiles where they agree with the signed root, else from the journal's bytes."""
        size = self._sealer.last.size
        if not self._grow_from(size - size % WIDTH) and not self._grow_from(0):
            raise TamperedError(
                f"the first {size} events are not those that the record's own checkpoint was signed over",
                fix="Run `outrider verify`; do not delete anything.",
            )
        self._take_over(size, self._journal.size)

    def _grow_from(self, start: int) -> bool:
        try:
            self._tree.restore(start)
            self._take_over(start, self._sealer.last.size)
            return self._tree.root(self._sealer.last.size) == self._sealer.last.root
        except TamperedError:
            if start == 0:
                raise
            return False

    def _take_over(self, start: int, stop: int) -> None:
        for frame in self._journal.entries(start, stop):
            self._tree.append(leaf_hash(frame.leaf))
            if len(self._tree.fresh) > _FRESH:
                try:
                    self._put_tiles(self._tree.size)
                except OSError as error:
                    raise refusal(self._directory, error) from error

    # --- appending -------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of events appended, durable or not."""
        return self._tree.size

    @property
    def durable_size(self) -> int:
        """Number of events that a crash cannot take back."""
        return self._durable[0]

    @property
    def checkpoint(self) -> Checkpoint:
        """The last checkpoint; its ``text`` is empty while there is none."""
        return self._sealer.last

    @property
    def seal_problem(self) -> str:
        """Why the last checkpoint or tile could not be written, or empty. It never stops an append."""
        return self._sealer.problem

    def append(self, build: Callable[[int], tuple[bytes, bytes]], *, seal: bool = False) -> int:
        """Append one event and return its index. It is not durable yet.

        Args:
            build: Called once with the index; returns the leaf's bytes and what lies beside it. It must not call this
                ledger. If it raises, nothing was appended.
            seal: Whether a checkpoint is wanted with the commit that holds it (a deny, a birth, a revocation).

        Raises:
            BadInputError: The leaf or the beside is too large, or the leaf is empty.
            RecordError: An earlier commit could not be written and still cannot be. Events of a failed commit keep
                their place and are written as soon as the disk takes them; until then nothing is appended.
            UnavailableError: The ledger is closed.
        """
        if self._failed:
            self.commit()
        with self._lock:
            if self._closed:
                raise UnavailableError("the record is closed")
            index = self._tree.size
            leaf, beside = build(index)
            self._waiting.append(pack(index, self._group, leaf, beside))
            self._tree.append(leaf_hash(leaf))
            if seal:
                self._waiting_seal = True
        if self._committer is not None:
            self._committer.wake()
        return index

    async def durable(self, n: int) -> None:
        """Return once event ``n`` is durable. Commits are grouped: one takes whatever waits, and there is no timer.

        The first use binds the ledger to the running loop.

        Raises:
            RecordError: The commit could not be written. The event keeps its place and may become durable later.
        """
        if self._durable[0] > n:
            return
        if self._committer is None:
            self._committer = Committer(self)
        await self._committer.durable(n)

    def commit(self) -> int:
        """Write and flush what waits, as one group; return :attr:`durable_size`.

        Raises:
            RecordError: The disk refuses. What waited still waits.
            UnavailableError: The ledger is closed.
        """
        with self._io:
            if self._closed:
                raise UnavailableError("the record is closed")
            try:
                if self._flying is not None:  # It failed before, and goes out alone: a group is never mixed.
                    self._write(self._flying)
                if (commit := self._take()) is not None:
                    self._write(commit)
            except RecordError:
                self._failed = True
                raise
            self._failed = False
            return self._durable[0]

    def _write(self, commit: _Commit) -> None:
        self._journal.write(commit.first, commit.frames)
        self._durable = commit.durable
        if commit.seal:
            self._sealer.want(commit.durable[0])
        self._flying = None

    def _take(self) -> _Commit | None:
        with self._lock:
            if not self._waiting:
                return None
            commit = _Commit(self._group, self._waiting, (self._tree.size, self._tree.peaks), self._waiting_seal)
            self._flying = commit
            self._waiting, self._waiting_seal, self._group = [], False, self._tree.size
            return commit

    def flush(self) -> int:
        """Commit what waits and make a checkpoint if one is due; return :attr:`durable_size`. For tools and tests.

        Raises:
            RecordError: As :meth:`commit`.
        """
        size = self.commit()
        self.seal_if_due()
        return size

    # --- sealing ---------------------------------------------------------------------------------------------

    def seal_in(self) -> float | None:
        """Return in how many seconds the next checkpoint is due (0 or less: now), or None if none is."""
        return self._sealer.due_in(self._durable[0])

    def seal_if_due(self) -> None:
        """Make a checkpoint if one is due. A disk that refuses is told in :attr:`seal_problem`, and tried again."""
        due = self.seal_in()
        if due is not None and due <= 0:
            with self._sealing:
                self._seal()

    def seal(self) -> Checkpoint:
        """Commit what waits, make a checkpoint over all of it now, and return it.

        Raises:
            RecordError: The disk refuses.
        """
        self.commit()
        with self._sealing:
            self._seal()
        if self.seal_problem:
            raise RecordError(self.seal_problem)
        return self._sealer.last

    def _seal(self) -> None:
        size, peaks = self._durable
        try:
            self._put_tiles(size)
        except OSError as error:
            self._sealer.failed(error)
        else:
            self._sealer.seal(size, peaks)

    def _put_tiles(self, size: int) -> None:
        """Write the full hash tiles of the first ``size`` events that are not on disk yet."""
        with self._lock:
            ready = [at for at in self._tree.fresh if (at[1] + 1) << (8 * (at[0] + 1)) <= size]
        for at in ready:
            self._tiles.put(*at, self._tree.fresh[at])
            with self._lock:
                del self._tree.fresh[at]

    def tiles(self) -> Checkpoint:
        """Complete the tiles on disk for a new checkpoint and return it: partial hash tiles and entry bundles too.

        Afterwards ``<record>`` can be served or copied as a tiled log. Full hash tiles are written as the record
        grows; the bundles hold every leaf a second time and are written only here.

        Raises:
            RecordError: The disk refuses.
            TamperedError: The journal is damaged.
        """
        self.seal()
        try:
            with self._sealing:
                made, level = self._sealer.last, 0
                while made.size >> (8 * level):
                    with self._lock:
                        partial = self._tree.partial(level, made.size)
                    if partial:
                        self._tiles.put_partial(level, made.size >> (8 * (level + 1)), partial)
                    level += 1
                put_bundles(self._tiles, self._journal, made.size)
        except OSError as error:
            raise refusal(self._directory, error) from error
        return made

    # --- reading and proving ---------------------------------------------------------------------------------

    def read(self, n: int) -> tuple[bytes, bytes]:
        """Return the leaf of event ``n`` and what lies beside it, checked against the tree.

        Raises:
            BadInputError: There is no such event.
            TamperedError: What the journal holds is not what was appended.
        """
        with self._lock:
            if not 0 <= n < self._tree.size:
                raise BadInputError(f"there is no event {n}; the record holds {self._tree.size}")
            expected = self._tree.node(0, n)
            waiting = self._unwritten(n)
        frame = waiting or self._journal.read(n)
        if leaf_hash(frame.leaf) != expected:
            raise TamperedError(f"event {n} is not what was appended", fix="Run `outrider verify`.")
        return frame.leaf, frame.beside

    def _unwritten(self, n: int) -> Frame | None:
        flying = self._flying
        for first, frames in (
            (flying.first, flying.frames) if flying else (_LONGEST, []),
            (self._group, self._waiting),
        ):
            if first <= n < first + len(frames):
                return unpack(frames[n - first])
        return None

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Yield durable events from ``start`` to ``stop`` (default: all that are durable now).

        Raises:
            BadInputError: They do not all exist, or are not durable yet.
            TamperedError: The journal is damaged.
        """
        for frame in self._journal.entries(start, self._durable[0] if stop is None else stop):
            yield Entry(frame.n, frame.leaf, frame.beside)

    def leaf_hash(self, n: int) -> bytes:
        """Return the leaf hash of event ``n``: SHA-256 over a zero byte and the leaf.

        Raises:
            BadInputError: There is no such event.
        """
        with self._lock:
            if not 0 <= n < self._tree.size:
                raise BadInputError(f"there is no event {n}; the record holds {self._tree.size}")
            return self._tree.node(0, n)

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first ``size`` events (default: of all).

        Raises:
            BadInputError: There are fewer.
        """
        with self._lock:
            return self._tree.root(self._tree.size if size is None else size)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that event ``index`` is in the tree of ``size`` events, nearest sibling first.

        Raises:
            BadInputError: There is no such event or no such tree.
        """
        with self._lock:
            return self._tree.inclusion(index, size)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``new`` events extends that of ``old``.

        Raises:
            BadInputError: Not ``0 <= old <= new <= size``.
        """
        with self._lock:
            return self._tree.consistency(old, new)

    def proof_text(self, index: int) -> str:
        """Return a ``c2sp.org/tlog-proof@v1`` file: the event's place under the last checkpoint, made new if needed.

        Raises:
            BadInputError: There is no such event.
            RecordError: A checkpoint over it could not be written.
        """
        if not 0 <= index < self.size:
            raise BadInputError(f"there is no event {index}; the record holds {self.size}")
        sealed = self._sealer.last
        if index >= sealed.size:
            sealed = self.seal()
        return proof_text(index, self.inclusion(index, sealed.size), sealed)

    # --- ending ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Make everything durable, seal it, and let the next writer in.

        Raises:
            RecordError: The last commit or its checkpoint could not be written. The record is closed all the same.
        """
        if self._closed:
            return
        if self._committer is not None:
            self._committer.stop()
        try:
            self.seal()
        finally:
            with self._sealing, self._io, self._lock:
                self._closed = True
                self._journal.close()
                self._writer.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
