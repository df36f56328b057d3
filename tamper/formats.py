"""The record's formats, written once more. Needs the standard library and Ed25519; nothing of Outrider.

Sources: docs/record.md for the journal; RFC 6962; c2sp.org/signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LOG, WITNESS = 1, 4
WIDTH = 256
_REST = struct.Struct(">IIQQ")


@dataclass(frozen=True)
class Signer:
    """A key with a name. It is made from its name: everybody who runs this has the same ones, so they guard nothing."""

    name: str
    kind: int = LOG
    salt: str = ""

    @property
    def key(self) -> Ed25519PrivateKey:
        """The private half."""
        seed = hashlib.sha256(f"outrider tamper vectors/{self.kind}/{self.name}/{self.salt}".encode()).digest()
        return Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> bytes:
        """The type byte and the public half."""
        return bytes([self.kind]) + self.key.public_key().public_bytes_raw()

    @property
    def hint(self) -> bytes:
        """The four bytes by which a note names it."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key, ``name+hash+base64``."""
        return f"{self.name}+{self.hint.hex()}+{b64encode(self.public).decode()}"

    def signs(self, body: str) -> str:
        """Return the line by which a log's key signs a note."""
        return _line(self.name, self.hint + self.key.sign(body.encode()))

    def cosigns(self, body: str, seconds: int, other: Signer | None = None) -> str:
        """Return the line by which a witness cosigns a checkpoint at a time (seconds since 1970 UTC).

        With ``other`` it is a forgery: it names this key and was signed with that one.
        """
        signed = (other or self).key.sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
        return _line(self.name, self.hint + seconds.to_bytes(8, "big") + signed)


def _line(name: str, raw: bytes) -> str:
    return f"\u2014 {name} {b64encode(raw).decode()}\n"


def note_body(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint, which signatures are made over."""
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n"


def segment_head(first: int) -> bytes:
    """Return the first bytes of the segment that begins with event ``first``."""
    return b"ORJ1" + first.to_bytes(8, "big")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree(hashes: list[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [_node(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def tile_name(number: int) -> str:
    """Return a tile's number as a path: 1234067 is ``x001/x234/067``."""
    parts = [f"{number % 1000:03d}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


@dataclass
class Chain:
    """What the next event needs to know of those before it: its number, its source's last one, the tree.

    Attributes:
        size: Number of events so far.
        heads: Each source's last running number and leaf hash.
        rows: Hashes of the tile at the right edge of every level.
        peaks: Complete subtrees, as (leaves, root), largest first.
        tiles: Tiles that were filled and not taken yet: level (-1 for an entry bundle), number, bytes.
        leaves: Leaves since the last full tile; stays empty where no bundles are wanted.
        bundles: Whether entry bundles are wanted.
    """

    size: int = 0
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    rows: list[list[bytes]] = field(default_factory=lambda: [[]])
    peaks: list[tuple[int, bytes]] = field(default_factory=list)
    tiles: list[tuple[int, int, bytes]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    bundles: bool = True

    def copy(self) -> Chain:
        """Return one that goes on from here by itself."""
        rows = [list(row) for row in self.rows]
        return Chain(self.size, dict(self.heads), rows, list(self.peaks), [], list(self.leaves), self.bundles)

    def frame(self, event: dict[str, Any], beside: bytes, group: int) -> bytes:
        """Take in the next event and return its frame.

        Args:
            event: The leaf without what follows from its place: ``n``, ``v``, ``src.seq``, ``src.prev``, ``beside``.
            beside: What lies beside it.
            group: Index of the first event of its commit.
        """
        source = event["src"]["id"]
        number, before = self.heads.get(source, (-1, ""))
        chained = {"id": source, "seq": number + 1} | ({"prev": before} if before else {})
        whole = event | {"v": 1, "n": self.size, "src": chained}
        if beside:
            whole["beside"] = hashlib.sha256(beside).hexdigest()
        leaf = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        rest = _REST.pack(len(leaf), len(beside), self.size, group) + leaf + beside
        hashed = hashlib.sha256(b"\x00" + leaf).digest()
        self.heads[source] = (number + 1, hashed.hex())
        self._grow(leaf, hashed)
        return zlib.crc32(rest).to_bytes(4, "big") + rest

    def _grow(self, leaf: bytes, hashed: bytes) -> None:
        if self.bundles:
            self.leaves.append(leaf)
        self._push(0, hashed)
        leaves = 1
        while self.peaks and self.peaks[-1][0] == leaves:
            hashed = _node(self.peaks.pop()[1], hashed)
            leaves *= 2
        self.peaks.append((leaves, hashed))
        self.size += 1

    def _push(self, level: int, hashed: bytes) -> None:
        if level == len(self.rows):
            self.rows.append([])
        row = self.rows[level]
        row.append(hashed)
        if len(row) < WIDTH:
            return
        number = (self.size + 1 >> 8 * (level + 1)) - 1
        self.tiles.append((level, number, b"".join(row)))
        if level == 0 and self.bundles:
            self.tiles.append((-1, number, self._packed()))
            self.leaves = []
        self.rows[level] = []
        self._push(level + 1, subtree(row))

    def _packed(self) -> bytes:
        return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in self.leaves)

    def partial(self) -> list[tuple[int, int, int, bytes]]:
        """Return the partial tiles at the right edge: level (-1 for the bundle), number, width, bytes."""
        out = []
        for level, row in enumerate(self.rows):
            if row:
                out.append((level, self.size >> 8 * (level + 1), len(row), b"".join(row)))
        if self.leaves:
            out.append((-1, self.size >> 8, len(self.leaves), self._packed()))
        return out

    def root(self) -> bytes:
        """Return the root over all events so far."""
        if not self.peaks:
            return hashlib.sha256().digest()
        peaks = [root for _, root in self.peaks]
        root = peaks.pop()
        while peaks:
            root = _node(peaks.pop(), root)
        return root
