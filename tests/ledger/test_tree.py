"""RFC 6962 tree math, held against definitions written down a second time."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.errors import BadInputError, TamperedError
from outrider.ledger.tree import EMPTY, Tree, leaf_hash, subtree


class Memory:
    """A store of tiles in memory."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.remade: list[tuple[int, int]] = []
        self.truth: dict[tuple[int, int], bytes] = {}

    def full(self, level: int, index: int) -> bytes | None:
        return self.tiles.get((level, index))

    def again(self, level: int, index: int) -> bytes:
        self.remade.append((level, index))
        return self.truth[level, index]


def grown(count: int) -> tuple[Tree, list[bytes], Memory]:
    store = Memory()
    tree, hashes = Tree(store), [leaf_hash(b"%d" % n) for n in range(count)]
    for one in hashes:
        tree.append(one)
        store.tiles |= tree.fresh
        tree.fresh.clear()
    store.truth = dict(store.tiles)
    return tree, hashes, store


def mth(hashes: list[bytes]) -> bytes:
    """The definition in RFC 6962, 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return sha256(b"\1" + mth(hashes[:half]) + mth(hashes[half:])).digest()


def included(leaf: bytes, index: int, size: int, path: tuple[bytes, ...]) -> bytes | None:
    """The root that an inclusion proof leads to. Source: RFC 9162, 2.1.3.2."""
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = sha256(b"\1" + sibling + root).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            root = sha256(b"\1" + root + sibling).digest()
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def extends(old: int, new: int, old_root: bytes, path: tuple[bytes, ...]) -> tuple[bytes, bytes] | None:
    """The old and new root that a consistency proof leads to. Source: RFC 9162, 2.1.4.2."""
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            first, second = sha256(b"\1" + sibling + first).digest(), sha256(b"\1" + sibling + second).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = sha256(b"\1" + second + sibling).digest()
        at, last = at >> 1, last >> 1
    return (first, second) if last == 0 else None


def test_every_proof_between_trees_of_up_to_64_leaves_leads_to_the_defined_roots():
    tree, hashes, _ = grown(64)
    roots = [mth(hashes[:size]) for size in range(65)]
    for size in range(65):
        assert tree.root(size) == roots[size]
        for index in range(size):
            assert included(hashes[index], index, size, tree.inclusion(index, size)) == roots[size]
        for old in range(1, size):
            path = tree.consistency(old, size)
            assert extends(old, size, roots[old], path) == (roots[old], roots[size])
        assert tree.consistency(size, size) == ()
        assert tree.consistency(0, size) == ()


@pytest.fixture(scope="module")
def large():
    tree, hashes, store = grown(70_000)
    return tree, hashes, store


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_proofs_hold_across_tiles_and_their_levels(large, data):
    tree, hashes, _ = large
    size = data.draw(st.integers(1, len(hashes)) | st.sampled_from([255, 256, 257, 65_535, 65_536, 65_537]))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root = tree.root(size)
    assert included(hashes[index], index, size, tree.inclusion(index, size)) == root
    if old < size:
        assert extends(old, size, tree.root(old), tree.consistency(old, size)) == (tree.root(old), root)


@pytest.mark.parametrize("size", [0, 256, 65_536, 65_536 + 256, 69_888])
def test_a_tree_restored_from_its_tiles_goes_on_as_if_it_had_never_stopped(large, size):
    whole, hashes, store = large
    tree = Tree(store)
    tree.restore(size)
    assert tree.root(size) == whole.root(size)
    for one in hashes[size : size + 300]:
        tree.append(one)
    assert tree.root(tree.size) == whole.root(tree.size)
    assert tree.inclusion(tree.size // 2, tree.size) == whole.inclusion(tree.size // 2, tree.size)


@pytest.mark.parametrize("damage", [None, b"", b"short", bytes(8192)])
def test_a_lost_or_damaged_tile_is_made_again_and_never_believed(damage):
    tree, hashes, store = grown(1000)
    store.tiles[0, 1] = damage
    assert included(hashes[300], 300, 1000, tree.inclusion(300, 1000)) == mth(hashes)
    assert store.remade == [(0, 1)]


def test_a_tile_that_cannot_be_made_again_as_it_was_is_tampering():
    tree, _, store = grown(1000)
    store.tiles[0, 1] = store.truth[0, 1] = bytes(8192)
    with pytest.raises(TamperedError, match="256 to 511"):
        tree.inclusion(300, 1000)


def test_an_empty_tree_has_the_defined_root_and_no_proofs():
    tree, _, _ = grown(0)
    assert tree.root(0) == EMPTY == mth([])
    with pytest.raises(BadInputError):
        tree.inclusion(0, 0)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 11), (3, -1)])
def test_a_proof_for_what_is_not_there_is_refused(index, size):
    with pytest.raises(BadInputError):
        grown(10)[0].inclusion(index, size)


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5), (0, 11)])
def test_consistency_with_what_is_not_there_is_refused(old, new):
    with pytest.raises(BadInputError):
        grown(10)[0].consistency(old, new)


@given(st.integers(0, 6), st.binary(min_size=32, max_size=32))
def test_the_root_over_a_power_of_two_is_the_defined_one(level, seed):
    hashes = [sha256(seed + bytes([n])).digest() for n in range(1 << level)]
    assert subtree(b"".join(hashes)) == mth(hashes)
