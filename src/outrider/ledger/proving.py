"""Proofs of a record that another process may be writing: its events as they stand, and the way from each to a head.

Reads only. The tree is taken from the tiles on disk where they agree with the signed root, else from the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from outrider.errors import BadInputError, RecordError, TamperedError
from outrider.ledger.note import Checkpoint, open_checkpoint, proof_text
from outrider.ledger.reader import ReadEntry, Reader
from outrider.ledger.tiles import TileStore, number
from outrider.ledger.tree import HASH, WIDTH, Tree, leaf_hash, subtree
from outrider.ledger.verify.notes import LOG, parse_verifier

_NEAR = 4_096
"""Events between two wanted ones that are read over; a larger step is looked up."""


class _Tiles:
    """Where the tree finds full tiles: on disk, or once more from the journal; nothing is written."""

    def __init__(self, directory: Path, reader: Reader, *, trust: bool) -> None:
        self._store = TileStore(directory)
        self._reader = reader
        self._trust = trust

    def full(self, level: int, index: int) -> bytes | None:
        """Return the tile on disk, or None."""
        return self._store.full(level, index) if self._trust else None

    def again(self, level: int, index: int) -> bytes:
        """Return the tile made from the journal's bytes."""
        first = index * WIDTH
        if level == 0:
            return b"".join(leaf_hash(one.leaf) for one in self._reader.entries(first, first + WIDTH))
        below = (self.full(level - 1, at) or self.again(level - 1, at) for at in range(first, first + WIDTH))
        return b"".join(map(subtree, below))


class _Still(Tree):
    """A tree that many proofs are asked of: a complete subtree never changes, and is hashed once."""

    def __init__(self, source: _Tiles) -> None:
        super().__init__(source)
        self._known: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """Return the root of the complete subtree ``index`` of height ``level``."""
        known = self._known.get((level, index))
        if known is None:
            known = self._known[level, index] = super().node(level, index)
        return known


class Prover:
    """Proves events under the last checkpoint of the record in one directory.

    Attributes:
        vkey: The log's verifier key.
        head: The last checkpoint.
        cosigned: The last one that witnesses cosigned, or None.
    """

    def __init__(self, directory: Path) -> None:
        """Read the checkpoints and take the tree.

        Raises:
            UnavailableError: There is no record.
            RecordError: It cannot be read, or nothing of it is sealed yet.
            TamperedError: The events are not those that the checkpoint was signed over.
        """
        self._reader = Reader(directory)
        try:
            self.vkey = (directory / "log.vkey").read_text(encoding="ascii").strip()
            text = (directory / "checkpoint").read_text(encoding="utf-8")
            path = directory / "cosigned"
            cosigned = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise RecordError(
                f"the record at {directory} has no checkpoint that can be read: {error}",
                fix="Start the daemon once: outrider up.",
            ) from error
        key = parse_verifier(self.vkey, kind=LOG)
        public = Ed25519PublicKey.from_public_bytes(key.raw)
        self.head = open_checkpoint(text, key.name, public)
        self.cosigned: Checkpoint | None = open_checkpoint(cosigned, key.name, public) if cosigned else None
        if self.cosigned is not None and self.cosigned.size > self.head.size:
            self.cosigned = None  # Cosigned a moment after the other was read.
        self._tree = self._grown(directory, trust=True) or self._grown(directory, trust=False)

    def _grown(self, directory: Path, *, trust: bool) -> Tree | None:
        """Return the tree of the checkpoint's size; None where tiles were trusted and it has another root."""
        tree = _Still(_Tiles(directory, self._reader, trust=trust))
        size = self.head.size
        tree.restore(size - size % WIDTH)
        for one in self._reader.entries(tree.size, size):
            tree.append(leaf_hash(one.leaf))
        if tree.root(size) == self.head.root:
            return tree
        if trust:
            return None
        raise TamperedError(
            f"the first {size} events are not those that the record's own checkpoint was signed over",
            fix="Run `outrider verify`; do not delete anything.",
        )

    @property
    def tree(self) -> Tree:
        """The tree of the last checkpoint."""
        assert self._tree is not None  # Made, or refused with an error.
        return self._tree

    def proof_text(self, n: int, under: Checkpoint) -> str:
        """Return the proof file of event ``n`` under one of the two checkpoints.

        Raises:
            BadInputError: The checkpoint does not cover it.
        """
        return proof_text(n, self.tree.inclusion(n, under.size), under)

    def consistency(self, old: Checkpoint, new: Checkpoint) -> tuple[bytes, ...]:
        """Return the proof that one checkpoint's tree extends that of the other."""
        return self.tree.consistency(old.size, new.size)

    def entries(self, numbers: Sequence[int]) -> Iterator[ReadEntry]:
        """Yield events, in order, each checked against the tree.

        Raises:
            BadInputError: One of them is not covered by the checkpoint.
            TamperedError: One is not what was sealed.
        """
        wanted = sorted(set(numbers))
        if wanted and not 0 <= wanted[0] <= wanted[-1] < self.head.size:
            raise BadInputError(
                f"the last checkpoint covers {self.head.size} events; {wanted[-1]} is not among them",
                fix="A running daemon seals what there is; start it with `outrider up` and try again.",
            )
        for run in _runs(wanted):
            chosen = set(run)
            for one in self._reader.entries(run[0], run[-1] + 1):
                if one.n not in chosen:
                    continue
                if leaf_hash(one.leaf) != self.tree.node(0, one.n):
                    raise TamperedError(f"event {one.n} is not what was sealed", fix="Run `outrider verify`.")
                yield one

    def tiles(self) -> Iterator[tuple[str, bytes]]:
        """Yield every hash tile of the checkpoint's tree, by its path. Source: c2sp.org/tlog-tiles."""
        size, level = self.head.size, 0
        while size >> (8 * level):
            count = size >> (8 * level)
            for tile in range(count // WIDTH):
                hashes = (self.tree.node(8 * level, at) for at in range(tile * WIDTH, (tile + 1) * WIDTH))
                yield f"tile/{level}/{number(tile)}", b"".join(hashes)
            if rest := self.tree.partial(level, size):
                yield f"tile/{level}/{number(count // WIDTH)}.p/{len(rest) // HASH}", rest
            level += 1


def _runs(wanted: Iterable[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for n in wanted:
        if run and n - run[-1] > _NEAR:
            yield run
            run = []
        run.append(n)
    if run:
        yield run
