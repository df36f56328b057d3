"""What a repository is made of, as far as a bounded look at its top tells: languages, frameworks, formats.

One directory is listed and a few manifests are read, each to a limit; nothing is run, nothing is followed further. What
is not seen is not taught: the cost of a miss is advice that is not given.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from outrider.events.call import Want
from outrider.gate.gather import look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_NAMES = 512
"""Entries of the top directory that are looked at."""
MOST_BYTES = 64 * 1024
"""Bytes of one manifest that are read; a larger one is not."""
MOST_LESSONS = 10

_BELOW = (".github/workflows", "src", "app", "lib", "k8s", "deploy", "terraform", "infra", "db", "migrations")
"""Directories below the top whose names are looked at, too."""


class Lesson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent is taught about one part of a stack.

    Attributes:
        part: Its name, such as ``python`` or ``django``.
        names: Endings or whole names of files that tell of it.
        below: The directory that such a file must lie in, or empty: the top, or one of those looked into.
        manifests: Files in which ``words`` are looked for.
        words: Names of packages that tell of it.
        teach: The advice, one line each, the most telling first.
    """

    part: str
    names: tuple[str, ...] = ()
    below: str = ""
    manifests: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    teach: tuple[str, ...]


class _Lessons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lesson: tuple[Lesson, ...]


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """Return every lesson, frameworks before languages before formats: that is the order in which they are taught."""
    raw = files("outrider.gate").joinpath("lessons.toml").read_bytes()
    return msgspec.toml.decode(raw, type=_Lessons).lesson


def stack(repository: str) -> tuple[str, ...]:
    """Return the parts that a repository is made of, in the order of :func:`lessons`; empty where nothing is known.

    Args:
        repository: Absolute path of its top, or empty.
    """
    if not repository.startswith("/"):
        return ()
    names = frozenset(_names(repository))
    read: dict[str, str] = {}
    return tuple(one.part for one in lessons() if _is_there(one, repository, names, read))


def taught(parts: Iterable[str]) -> list[str]:
    """Return at most :data:`MOST_LESSONS` lines of advice for a stack: each part's first line before any second one."""
    wanted = set(parts)
    known = [one for one in lessons() if one.part in wanted]
    rows = max((len(one.teach) for one in known), default=0)
    lines = [one.teach[row] for row in range(rows) for one in known if row < len(one.teach)]
    return list(dict.fromkeys(lines))[:MOST_LESSONS]


def _names(top: str) -> Iterator[str]:
    for below in ("", *_BELOW):
        try:
            with os.scandir(f"{top}/{below}" if below else top) as entries:
                for _, entry in zip(range(MOST_NAMES), entries, strict=False):
                    yield f"{below}/{entry.name}" if below else entry.name
        except OSError:
            continue


def _is_there(lesson: Lesson, top: str, names: frozenset[str], read: dict[str, str]) -> bool:
    if lesson.names and any(name.endswith(lesson.names) and name.startswith(lesson.below) for name in names):
        return True
    if not lesson.words:
        return False
    word = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, lesson.words))})(?![\w-])", re.IGNORECASE)
    return any(word.search(_content(top, name, read)) for name in lesson.manifests if name in names)


def _content(top: str, name: str, read: dict[str, str]) -> str:
    if name not in read:
        fact = look(Want(path=f"{top}/{name}", content_limit=MOST_BYTES))
        read[name] = (fact.content or b"").decode("utf-8", "replace")
    return read[name]
