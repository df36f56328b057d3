"""From a charter's patterns to what a kernel can hold: directory trees and single files.

A kernel knows no ``*`` in the middle of a path and no "everything but". What a pattern says beyond a tree or a file is
therefore never granted, and named (:class:`Trees`.left), so that a plan errs on the side of less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from outrider.charter.cedar import spread
from outrider.charter.groups import CACHES, DEVICES, SYSTEM
from outrider.charter.model import Charter
from outrider.charter.paths import PathGlob, parse_path

PROC = "/proc"
_GROUPS = {"@system": SYSTEM, "@caches": CACHES}


class Tree(NamedTuple):
    """A place that is granted.

    Attributes:
        path: Absolute path in normal form.
        whole: True for everything below it; False for the one file that it is (a directory is then not granted).
    """

    path: str
    whole: bool

    def holds(self, other: Tree) -> bool:
        """Return whether all of the other is in this one."""
        if self.path == other.path:
            return self.whole or not other.whole
        return self.whole and within(other.path, self.path)


class Forest:
    """Trees that are asked often: each question costs the depth of the path, not the number of trees."""

    def __init__(self, trees: Iterable[Tree]) -> None:
        self._whole: set[str] = set()
        self._single: set[str] = set()
        self._above: set[str] = set()
        for tree in trees:
            (self._whole if tree.whole else self._single).add(tree.path)
            self._above.update(ancestors(tree.path))

    def holds(self, tree: Tree) -> bool:
        """Return whether one of the trees holds all of this one."""
        if not tree.whole and tree.path in self._single:
            return True
        return tree.path in self._whole or any(one in self._whole for one in ancestors(tree.path))

    def has(self, path: str) -> bool:
        """Return whether a path lies in one of the trees."""
        return self.holds(Tree(path, whole=False))

    def meets(self, path: str) -> bool:
        """Return whether a path lies in one of the trees, or above one, or is one."""
        return path in self._above or path in self._single or self.has(path)


class Trees(NamedTuple):
    """What one charter's word on one verb comes to.

    Attributes:
        found: Trees and files.
        left: Patterns, as written, that have no such form.
    """

    found: tuple[Tree, ...]
    left: tuple[str, ...]


class Anchors(NamedTuple):
    """What patterns start at: absolute paths in normal form, ``repo`` empty where there is none."""

    home: str
    repo: str
    tmp: tuple[str, ...]


def within(path: str, top: str) -> bool:
    """Return whether ``path`` is ``top`` or lies below it."""
    return top in {"/", path} or path.startswith(top + "/")


def ancestors(path: str) -> Iterable[str]:
    """Yield the directories above a path, nearest first, the root last."""
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


_COMMON: dict[tuple[tuple[str, ...], str, Anchors], Trees] = {}
_MOST_COMMON = 1024


@lru_cache(maxsize=4096)
def _pattern(text: str) -> PathGlob:
    return parse_path(text)


def trees(charter: Charter, verb: str, anchors: Anchors) -> Trees:
    """Return what a charter's ``[may]`` says on ``read``, ``write`` or ``delete``, as trees."""
    found: dict[Tree, None] = {}
    left: dict[str, None] = {}
    for text in spread(charter.may).get(verb, ()):
        if text == "@tmp":
            found.update((Tree(path, whole=True), None) for path in anchors.tmp)
        for one in DEVICES if text == "@tmp" else _GROUPS.get(text, (text,)):
            tree = _tree(_pattern(one), anchors)
            if tree is not None:
                found[tree] = None
            elif text not in _GROUPS and not one.startswith("remote:"):
                left[one] = None
    return Trees(tuple(found), tuple(left))


def common(line: Sequence[Charter], verb: str, anchors: Anchors) -> Trees:
    """Return what every charter of a line allows: each one is a ceiling. Of the same charters it is worked out once."""
    key = (tuple(charter.digest for charter in line), verb, anchors)
    made = _COMMON.get(key)
    if made is None:
        made = _COMMON[key] = _worked_out(line, verb, anchors)
        if len(_COMMON) > _MOST_COMMON:
            _COMMON.pop(next(iter(_COMMON)), None)
    return made


def _worked_out(line: Sequence[Charter], verb: str, anchors: Anchors) -> Trees:
    first, *others = [trees(charter, verb, anchors) for charter in line]
    found = first.found
    for other in others:
        found = tuple(_intersection(found, other.found))
    return Trees(smallest(found, anchors.tmp), first.left)


def smallest(found: Iterable[Tree], apart: Sequence[str] = ()) -> tuple[Tree, ...]:
    """Return the trees without those that lie in another of them, in order of path.

    Args:
        found: The trees.
        apart: Directories that agents see an empty one of their own of: what is granted below one by its own name, a
            repository in ``/tmp`` say, has to be brought back there and stays, whatever holds the directory.
    """
    every = set(found)
    whole = {tree.path for tree in every if tree.whole}
    return tuple(
        sorted(
            tree
            for tree in every
            if (tree.whole or tree.path not in whole)
            and not any(one in whole for one in ancestors(tree.path) if _same_side(tree.path, one, apart))
        )
    )


def held(path: str, found: Iterable[Tree], apart: Sequence[str] = ()) -> bool:
    """Return whether one of the trees holds a path and all below it, and shows it there (see :func:`smallest`)."""
    asked = Tree(path, whole=True)
    return any(tree.holds(asked) and _same_side(path, tree.path, apart) for tree in found)


def _same_side(path: str, above: str, apart: Sequence[str]) -> bool:
    return not any(within(path, one) and path != one and within(one, above) for one in apart)


def _intersection(left: Iterable[Tree], right: Iterable[Tree]) -> Iterable[Tree]:
    here, there = tuple(left), tuple(right)
    mine, theirs = Forest(here), Forest(there)
    yield from (one for one in here if theirs.holds(one))
    yield from (one for one in there if mine.holds(one))


def _tree(glob: PathGlob, anchors: Anchors) -> Tree | None:
    start = {"root": "", "home": anchors.home, "repo": anchors.repo}.get(glob.space)
    if start is None or (glob.space != "root" and not start):
        return None
    whole = glob.segments[-1:] == ("**",)
    names = glob.segments[:-1] if whole else glob.segments
    if glob.space == "root" and names[:1] == ("proc",):
        return Tree(PROC, whole=True)  # Processes come and go: there is no smaller tree that stays.
    if any("*" in name or "?" in name for name in names):
        return None
    return Tree((start.rstrip("/") + "".join("/" + name for name in names)) or "/", whole=whole)
