"""Paths that no pattern of a line of charters can tell apart: an automaton over names, made while it is walked.

Every pattern is walked at once. Where two paths end with the same patterns in the same places, whatever is asked of
the patterns is answered alike for both: which of them match, which match something below, and which lie in a tree. A
home and a repository are no names here but places on the way, so that two agents in different homes share what was
walked. Only plain ASCII paths without wildcards are walked; for the others, and for what lies above a home or a
repository, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from outrider.charter.paths import PathGlob, normal, segment_regex

if TYPE_CHECKING:
    from outrider.charter.bound import Bound
    from outrider.charter.patterns import Scene

NOWHERE: Final = -1
"""Instead of a place: the path was not walked."""

MOST_PLACES: Final = 4_000
_MOST_NAMES: Final = 50_000
_WILD: Final = re.compile(r"[*?\[{\0]")

Anchor = tuple[int, str, bool]
"""Which scene of a chain, which space of it, and whether for patterns that are folded."""

_Items = frozenset[tuple[int, int]]
_NO_ANCHORS: Final[frozenset[Anchor]] = frozenset()


class _Names:
    """What the patterns of one comparison say of a single name."""

    def __init__(self, segments: Iterable[str]) -> None:
        told = {one for one in segments if one not in {"*", "**"}}
        wild = sorted(one for one in told if "*" in one or "?" in one)
        self._plain = told.difference(wild)
        self._wild = [(one, re.compile(segment_regex(one))) for one in wild]
        self._any = re.compile("|".join(f"(?:{segment_regex(one)})" for one in wild) or r"(?!)")

    def matched(self, name: str) -> frozenset[str]:
        """Return the segments that match a name, ``*`` left out."""
        found = {name} if name in self._plain else set()
        if self._any.fullmatch(name):
            found.update(one for one, regex in self._wild if regex.fullmatch(name))
        return frozenset(found)


class Line:
    """The path patterns of every policy set of a chain, wherever its homes and repositories are.

    A place is the positions that the patterns have come to. One that was come to by a name, and not by staying in a
    ``**``, stands there a second time, inverted: only there does a tree count as holding what the pattern names.
    """

    def __init__(self, chain: Sequence[Bound], scenes: Sequence[Scene]) -> None:
        self._globs: list[tuple[bool, tuple[str, ...]]] = []
        self._started: dict[Anchor, list[int]] = {}
        for fold, scene, glob in _globs(chain, scenes):
            segments = tuple(one.lower() for one in glob.segments) if fold else glob.segments
            at = (scene, glob.space, fold)
            self._started.setdefault(at, []).append(len(self._globs))
            self._globs.append((fold, segments))
        self._names = [_Names(one for folds, segments in self._globs if folds is fold for one in segments)
                       for fold in (False, True)]  # fmt: skip
        self._symbols: dict[str, int] = {}
        self._told: dict[tuple[frozenset[str], frozenset[str]], int] = {}
        self._sets: list[tuple[frozenset[str], frozenset[str]]] = []
        self._places: dict[_Items, int] = {}
        self._items: list[_Items] = []
        self._next: list[dict[tuple[int, frozenset[Anchor]], int]] = []

    def start(self, anchors: frozenset[Anchor]) -> int:
        """Return the place of ``/``, where what ``anchors`` name begins too."""
        roots = [at for at in self._started if at[1] == "root"]
        return self._place(self._begun((*roots, *anchors)))

    def step(self, place: int, name: str, anchors: frozenset[Anchor]) -> int:
        """Return the place of what is called ``name`` in a directory, where what ``anchors`` name begins."""
        if place < 0:
            return NOWHERE
        symbol = self._symbols.get(name)
        if symbol is None:
            symbol = self._symbol(name)
        found = self._next[place].get((symbol, anchors))
        if found is None:
            found = self._next[place][symbol, anchors] = self._made(place, symbol, anchors)
        return found

    def _symbol(self, name: str) -> int:
        if len(self._symbols) >= _MOST_NAMES:
            self._symbols.clear()
        plain, strict = self._names
        told = (plain.matched(name), strict.matched(name.lower()))
        found = self._told.get(told)
        if found is None:
            found = self._told[told] = len(self._sets)
            self._sets.append(told)
        self._symbols[name] = found
        return found

    def _made(self, place: int, symbol: int, anchors: frozenset[Anchor]) -> int:
        matched = self._sets[symbol]
        after: set[tuple[int, int]] = set()
        for glob, at in self._items[place]:
            fold, segments = self._globs[glob]
            if at < 0 or at == len(segments):
                continue
            if segments[at] == "**":
                self._reach(glob, at, after)
            elif segments[at] == "*" or segments[at] in matched[fold]:
                self._reach(glob, at + 1, after)
                after.add((glob, ~(at + 1)))
        return self._place(frozenset(after) | self._begun(anchors))

    def _begun(self, anchors: Iterable[Anchor]) -> _Items:
        begun: set[tuple[int, int]] = set()
        for anchor in anchors:
            for glob in self._started.get(anchor, ()):
                self._reach(glob, 0, begun)
                begun.add((glob, ~0))
        return frozenset(begun)

    def _reach(self, glob: int, at: int, out: set[tuple[int, int]]) -> None:
        """Add a position in a pattern, and those that ``**`` lets it pass to without a name."""
        segments = self._globs[glob][1]
        out.add((glob, at))
        while at < len(segments) and segments[at] == "**":
            at += 1
            out.add((glob, at))

    def _place(self, items: _Items) -> int:
        found = self._places.get(items)
        if found is None:
            if len(self._items) >= MOST_PLACES:
                return NOWHERE
            found = self._places[items] = len(self._items)
            self._items.append(items)
            self._next.append({})
        return found


def _globs(chain: Sequence[Bound], scenes: Sequence[Scene]) -> list[tuple[bool, int, PathGlob]]:
    """Return the patterns of a chain, each once, with the number of the scene that it is anchored in."""
    out: dict[tuple[bool, int, PathGlob], None] = {}
    for bound in chain:
        scene = next(
            at for at, one in enumerate(scenes) if (one.home, one.repo) == (bound.scene.home, bound.scene.repo)
        )
        for fold, glob in bound.compiled.patterns.globs():
            if glob.space != "remote":
                out[fold, 0 if glob.space == "root" else scene, glob] = None
    return list(out)


class Walk:
    """A line of charters where its homes and repositories are."""

    def __init__(self, line: Line, scenes: Sequence[Scene]) -> None:
        self._line = line
        self._anchors: dict[str, list[tuple[str, int, str]]] = {}
        for number, scene in enumerate(scenes):
            named = [("home", scene.home), ("repo", scene.repo), *(("tmp", one) for one in scene.tmp)]
            for space, path in named:
                if path:
                    self._anchors.setdefault(path.lower(), []).append((path, number, space))
        self._longest = max(map(len, self._anchors), default=0)
        # A tree above a home holds what is refused there, which no place on the way to it tells.
        self._above = {"/"}
        for path in self._anchors:
            self._above.update(path[:at] for at in range(1, len(path)) if path[at] == "/")
        self._directories = {"": line.start(self._begins("/"))}

    def end(self, path: str) -> int:
        """Return the place of an absolute path, :data:`NOWHERE` for one that is not walked."""
        if path[:1] != "/" or not path.isascii() or _WILD.search(path):
            return NOWHERE
        if "//" in path or "/." in path or path[-1] == "/":
            path = normal(path)
        if len(path) <= self._longest and path.lower() in self._above:
            return NOWHERE
        return self._end(path)

    def _end(self, path: str) -> int:
        head, _, name = path.rpartition("/")
        place = self._directories.get(head)
        if place is None:
            place = self._walked(head)
        return self._line.step(place, name, self._begins(path) if len(path) <= self._longest else _NO_ANCHORS)

    def _walked(self, directory: str) -> int:
        if len(self._directories) >= _MOST_NAMES:
            self._directories = {"": self._directories[""]}
        path, place = "", self._directories[""]
        for name in directory[1:].split("/"):
            path = f"{path}/{name}"
            place = self._line.step(place, name, self._begins(path) if len(path) <= self._longest else _NO_ANCHORS)
        self._directories[directory] = place
        return place

    def _begins(self, path: str) -> frozenset[Anchor]:
        found = self._anchors.get(path.lower())
        if found is None:
            return _NO_ANCHORS
        begun = {(scene, space, True) for _, scene, space in found}
        return frozenset(begun | {(scene, space, False) for exact, scene, space in found if exact == path})
