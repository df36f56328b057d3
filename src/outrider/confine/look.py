"""Looks up what a plan needs to know of this host's disk, with bounded work."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import msgspec

from outrider.charter.model import Charter
from outrider.charter.paths import folded, segment_regex
from outrider.charter.patterns import expand
from outrider.confine.plan import Places, Seen, names, refusals, wanted
from outrider.confine.trees import ancestors

MAX_WALK = 4_000
"""Names below a repository that are looked at; what lies beyond is said not to have been."""

MAX_BESIDE = 500
"""Names beside Outrider's own files that are granted one by one; of more, none."""

_DEEP = 6
_PASSED_OVER = frozenset({"node_modules", "objects", "__pycache__", ".venv", "venv", "target", ".tox", "dist", "build"})
"""Directories that are not looked into: made by machines, large, and no place where people keep secrets."""


def look(line: Sequence[Charter], places: Places, *, beside: bool = False) -> Places:
    """Return places with what a plan must know: of :func:`wanted` paths, of the repository, of the command's own.

    Args:
        line: The charters.
        places: What is known.
        beside: Whether what stands beside Outrider's own files matters: where there is no view of one's own.
    """
    seen = {path: found for path in wanted(line, places) if (found := _seen(path)) is not None}
    named = names(refusals(line))
    looks = [walk(top, named) for top in (places.repo, *places.own)]
    inside = (*(path for found, _ in looks for path in found), *_listed(line, places))
    above = {path for one in (places.outrider, places.package) if beside and one for path in ancestors(one)}
    listed = {path: _beside(path) for path in sorted(above)}
    whole = all(whole for _, whole in looks)
    return msgspec.structs.replace(places, seen=seen, inside=inside, walked=whole, beside=listed)


def _beside(directory: str) -> tuple[tuple[str, bool], ...]:
    """Return what stands in a directory and is no link; nothing if that cannot be told, or is very much."""
    try:
        with os.scandir(directory) as entries:
            found = [
                (one.name, one.is_dir(follow_symlinks=False))
                for one in islice(entries, MAX_BESIDE + 1)
                if not one.is_symlink()
            ]
    except OSError:
        return ()
    return tuple(sorted(found)) if len(found) <= MAX_BESIDE else ()


def _listed(line: Sequence[Charter], places: Places) -> tuple[str, ...]:
    """Return what stands where a refusal names a directory and a pattern in it, such as ``/etc/shadow*``."""
    found: dict[str, None] = {}
    anchors = {"~": places.home, "repo": places.repo, "": ""}
    for folder, pattern in globbed(refusals(line)):
        top, _, rest = folder.partition("/")
        start = anchors.get(top)
        if start is None or (top and not start):
            continue
        try:
            with os.scandir(f"{start}/{rest}".rstrip("/") or "/") as entries:
                names_there = [one.name for one in islice(entries, MAX_WALK)]
        except OSError:
            continue
        found.update((f"{start}/{rest}/{one}", None) for one in names_there if pattern.fullmatch(folded(one)))
    return tuple(found)


@lru_cache(maxsize=64)
def globbed(said: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return each directory of which a refusal names a pattern in it, and the expression for all of its patterns."""
    found: dict[str, dict[str, None]] = {}
    for text in dict.fromkeys(one for _, named in said for one in expand(named)):
        folder, _, name = text.removesuffix("/**").rpartition("/")
        if ("*" in name or "?" in name) and "*" not in folder and "?" not in folder and folder != "/proc":
            found.setdefault(folder, {})[segment_regex(folded(name))] = None
    return tuple(
        (folder, re.compile(f"(?s){'|'.join(f'(?:{one})' for one in said)}")) for folder, said in found.items()
    )


def walk(top: str, named: re.Pattern[str]) -> tuple[tuple[str, ...], bool]:
    """Return the path, and those below it, whose last name, folded, matches; nearest first.

    False if more than :data:`MAX_WALK` names are there, or deeper than is looked: then not all was looked at.
    """
    found: list[str] = []
    waiting = [(top, 0)] if top else []
    looked = 0
    whole = True
    if top and named.fullmatch(folded(top.rpartition("/")[2])):
        found.append(top)
    while waiting:
        directory, depth = waiting.pop(0)
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    looked += 1
                    if looked > MAX_WALK:
                        return tuple(found), False
                    if named.fullmatch(folded(entry.name)):
                        found.append(entry.path)
                    if entry.name in _PASSED_OVER or not entry.is_dir(follow_symlinks=False):
                        continue
                    if depth < _DEEP:
                        waiting.append((entry.path, depth + 1))
                    else:
                        whole = False
        except (NotADirectoryError, FileNotFoundError):
            continue
        except OSError:
            whole = False
    return tuple(found), whole


def _seen(path: str) -> Seen | None:
    try:
        facts = os.stat(path)  # noqa: PTH116 - one call, and links are followed
    except (OSError, ValueError):
        return None
    return Seen(real=os.path.realpath(path), folder=stat.S_ISDIR(facts.st_mode))
