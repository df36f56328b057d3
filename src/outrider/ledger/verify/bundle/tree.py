"""Roots and proofs of the Merkle tree. Sources: RFC 6962, RFC 9162."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from outrider.ledger.verify.bundle.notes import Note


def hash_leaf(leaf: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + leaf).digest()


def hash_pair(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of leaves."""
    trees: list[tuple[int, bytes]] = []
    for one in hashes:
        leaves, hashed = 1, one
        while trees and trees[-1][0] == leaves:
            hashed, leaves = hash_pair(trees.pop()[1], hashed), leaves * 2
        trees.append((leaves, hashed))
    root = trees.pop()[1] if trees else hashlib.sha256().digest()
    while trees:
        root = hash_pair(trees.pop()[1], root)
    return root


def includes(path: Sequence[bytes], index: int, size: int, hashed: bytes, root: bytes) -> bool:
    """Return whether the path leads from a leaf to the root. Source: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last = index, size - 1
    for sibling in path:
        if not last:
            return False
        if at & 1 or at == last:
            hashed = hash_pair(sibling, hashed)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            hashed = hash_pair(hashed, sibling)
        at, last = at >> 1, last >> 1
    return not last and hashed == root


def extends(path: Sequence[bytes], old: Note, new: Note) -> bool:
    """Return whether the newer tree is the older one and more. Source: RFC 9162, 2.1.4.2."""
    if old.size in (0, new.size):
        return not path and (not old.size or old.root == new.root)
    if not 0 < old.size < new.size or not path:
        return False
    path = [old.root, *path] if old.size & (old.size - 1) == 0 else list(path)
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            older, newer = hash_pair(sibling, older), hash_pair(sibling, newer)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            newer = hash_pair(newer, sibling)
        at, last = at >> 1, last >> 1
    return not last and older == old.root and newer == new.root
