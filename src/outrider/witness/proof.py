"""Whether one tree extends another. Source: RFC 9162, 2.1.4.2, which is RFC 6962's proof with its check written out."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""Root of the tree without leaves."""


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Return whether ``proof`` shows that the tree ``new`` (its size and root) begins with the tree ``old``."""
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof
    if old_size > new_size or not proof:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    was = now = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if at & 1 or at == last:
            was, now = _node(sibling, was), _node(sibling, now)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            now = _node(now, sibling)
        at, last = at >> 1, last >> 1
    return was == old_root and now == new_root and not last


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
