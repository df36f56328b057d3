"""The path matcher: ``**``, ``*``, ``?``, ``~``, ``repo/`` and groups, judged on normal forms.

A pattern is anchored: ``/x`` at the root, ``~/x`` at the agent's home, ``repo/x`` at its repository, ``**/x`` anywhere,
``remote:/x`` on another host. ``*`` and ``?`` stay within one segment; ``**`` is any number of segments, none
included, so ``dir/**`` covers ``dir`` itself. Brackets and braces mean themselves (``[id].tsx`` is a file name).
Segments are matched in the form ``/segment`` each, so that no pattern can match half a name.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from outrider.errors import CharterError

Space = Literal["root", "home", "repo", "tmp", "remote"]
MAX_STARS = 4
"""Most ``**`` in a pattern and most ``*`` in a segment: more would let a long path cost more than its length."""

_WILD = re.compile(r"[*?\[{]")
_IGNORED = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufeff]")


class PathGlob(NamedTuple):
    """One anchored path pattern.

    Attributes:
        space: What it is anchored at.
        segments: Its segments below that, ``**`` included.
    """

    space: Space
    segments: tuple[str, ...]


def parse_path(text: str) -> PathGlob:
    """Return the pattern that ``text`` says.

    Raises:
        CharterError: It is not anchored, or not a pattern.
    """
    if not text or "\0" in text:
        raise CharterError("an empty pattern names nothing")
    space: Space
    if text in {"*", "**", "/**"}:
        return PathGlob("root", ("**",))
    if text.startswith("remote:"):
        space, rest = "remote", text[7:].lstrip("/")
    elif text in {"~", "repo"}:
        return PathGlob("home" if text == "~" else "repo", ())
    elif text.startswith("~/"):
        space, rest = "home", text[2:]
    elif text.startswith("repo/"):
        space, rest = "repo", text[5:]
    elif text.startswith("/"):
        space, rest = "root", text[1:]
    elif text.startswith("**/"):
        space, rest = "root", text
    else:
        raise CharterError(
            f'"{text}" does not say where it starts',
            fix=f'Write "repo/{text}", "~/{text}", "/{text}" or "**/{text}".',
        )
    segments = tuple(part for part in rest.split("/") if part)
    _check(text, segments)
    return PathGlob(space, segments)


def _check(text: str, segments: tuple[str, ...]) -> None:
    for segment in segments:
        if segment in {".", ".."}:
            raise CharterError(f'"{text}" holds "{segment}"', fix="Write the path that it leads to.")
        if "**" in segment and segment != "**":
            raise CharterError(f'"{text}": "**" must stand alone between slashes', fix='Write "*" within a name.')
        if segment.count("*") > MAX_STARS:
            raise CharterError(f'"{text}" holds more than {MAX_STARS} "*" in one name')
    if segments.count("**") > MAX_STARS:
        raise CharterError(f'"{text}" holds more than {MAX_STARS} "**"')


def segment_regex(segment: str) -> str:
    """Return the regular expression of one segment's text, without its slash."""
    return "".join("[^/]*" if char == "*" else "[^/]" if char == "?" else re.escape(char) for char in segment)


def glob_regex(segments: tuple[str, ...]) -> str:
    """Return the regular expression for the ``/segment`` form of the rest of a path below the anchor."""
    return "".join("(?:/[^/]+)*" if part == "**" else "/" + segment_regex(part) for part in segments)


@lru_cache(maxsize=8192)
def normal(path: str) -> str:
    """Return an absolute path without doubled slashes, ``.`` or ``..``; anything else as it is."""
    if not path.startswith("/"):
        return path
    if "//" in path or "/." in path or path.endswith("/"):
        path = posixpath.normpath(path)
        return path[1:] if path.startswith("//") else path
    return path


def folded(path: str) -> str:
    """Return the form in which refusals compare: no case, one Unicode form, no characters that file systems ignore."""
    if path.isascii():
        return path.lower()
    return _IGNORED.sub("", unicodedata.normalize("NFKC", path)).casefold()


def below(path: str, anchor: str) -> str | None:
    """Return what is left of ``path`` below ``anchor`` in ``/segment`` form, or None if it is not below it."""
    if anchor == "/" or not anchor:
        return None if not anchor else ("" if path == "/" else path)
    if path == anchor:
        return ""
    return path[len(anchor) :] if path.startswith(anchor) and path[len(anchor)] == "/" else None


def overlaps(value: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether some path matches both: ``value`` is a shell's glob, ``pattern`` ours.

    As in a shell, ``*``, ``?`` and ``[`` at the start of a name do not match a dot, so that ``cat *`` is not taken to
    read a ``.env``. A last ``**``, some files below a directory, is taken as the tree at that directory.
    """
    if value[-1:] == ("**",):
        return holds(value[:-1], pattern)
    if "**" in value and pattern[:1] == ("**",) and pattern[-1:] == ("**",):
        # Something by that name somewhere below: not taken to lie in each directory that the pattern could name.
        pattern = pattern[:-1]
    return not _apart(value, pattern) and _overlap(value, pattern)


def _apart(value: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether the names written out at the start of both differ: then nothing can match both, and most do."""
    for left, right in zip(value, pattern, strict=False):
        if _WILD.search(left) or "*" in right or "?" in right:
            return False
        if left != right:
            return True
    return False


def _closed(states: set[int], pattern: tuple[str, ...]) -> frozenset[int]:
    """Return the states and what ``**`` lets them pass to without a segment."""
    grown = set(states)
    for state in states:
        reached = state
        while reached < len(pattern) and pattern[reached] == "**":
            reached += 1
            grown.add(reached)
    return frozenset(grown)


def _step(segment: str, state: int, pattern: tuple[str, ...]) -> Iterable[int]:
    """Return the states after one segment of the value."""
    if segment == "**":
        return range(state, len(pattern) + 1)
    if state < len(pattern):
        if pattern[state] == "**":
            return (state,)
        if segments_meet(segment, pattern[state]):
            return (state + 1,)
    return ()


def _overlap(value: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if "**" not in value:  # Nearly always: then only a pattern with "**" in its midst needs the states.
        tail = pattern[1:] if pattern[:1] == ("**",) else pattern
        if "**" not in tail:
            more = len(value) - len(tail)
            return (more >= 0 if tail is not pattern else more == 0) and all(map(segments_meet, value[more:], tail))
    states = _closed({0}, pattern)
    for segment in value:
        states = _closed({after for state in states for after in _step(segment, state, pattern)}, pattern)
        if not states:
            return False
    return len(pattern) in states


def segments_meet(left: str, right: str) -> bool:
    """Return whether some name matches both globs. ``[...]`` in ``left`` counts as ``?`` and ``{...}`` as ``*``."""
    if right.startswith(".") and left[:1] in {"*", "?", "["}:
        return False
    if not _WILD.search(left) and "*" not in right and "?" not in right:
        return left == right
    left = re.sub(r"\[[^\]]+\]", "?", re.sub(r"\{[^}]*\}", "*", left))
    row = {0}
    _spread(row, right)
    for char in left:
        following: set[int] = set(row) if char == "*" else set()
        for at in row:
            if char == "*":
                following.update(range(at, len(right) + 1))
            elif at < len(right):
                if right[at] == "*":
                    following.add(at)
                elif char in ("?", right[at]) or right[at] == "?":
                    following.add(at + 1)
        row = following
        _spread(row, right)
    return len(right) in row


def _spread(row: set[int], glob: str) -> None:
    for at in sorted(row):
        reached = at
        while reached < len(glob) and glob[reached] == "*":
            reached += 1
            row.add(reached)


def holds(value: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Return whether the tree at ``value`` must be taken to hold a match of ``pattern``.

    A ``**`` could match below every directory; it counts only where ``value`` ends at a named segment of the pattern,
    so that searching a repository is not refused because a ``.env`` could be in it, and removing ``.claude`` is,
    because ``.claude/settings.json`` goes with it.
    """
    if value[-1:] == ("**",):
        value = value[:-1]
    if _apart(value, pattern):
        return False
    return any(_overlap(value, beginning) for beginning in _beginnings(pattern))


@lru_cache(maxsize=4096)
def _beginnings(pattern: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the beginnings of a pattern that end at a named segment, and the empty one."""
    ends = [end for end in range(len(pattern) + 1) if pattern[max(end - 1, 0) : max(end, 1)] != ("**",)]
    return tuple(pattern[:end] for end in ends)
