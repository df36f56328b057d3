"""Grants that go around Outrider's own files, for a kernel that can add places and take none away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outrider.confine.trees import Tree, within

Listed = Mapping[str, tuple[tuple[str, bool], ...]]
"""Of a directory, each name in it that is no link, and whether that is a directory."""


def around(tree: Tree, ours: Sequence[str], listed: Listed) -> tuple[Tree, ...]:
    """Return what of a tree lies beside our paths: the tree if none is in it, else its parts one by one.

    A directory above one of ours that is not listed yields nothing; what is made there later is not granted either.
    """
    if not any(within(path, tree.path) for path in ours):
        return (tree,)
    if tree.path in ours or not tree.whole:
        return ()
    top = tree.path.rstrip("/")
    parts = (Tree(f"{top}/{name}", whole=folder) for name, folder in listed.get(tree.path, ()))
    return tuple(one for part in parts for one in around(part, ours, listed))
