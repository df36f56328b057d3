"""The hosts whose transcripts can be read: a dict one can read; and the files of a path, grouped."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

from outrider.errors import BadInputError, UnavailableError
from outrider.transcripts import claude, cline, codex, copilot, cursor, gemini, opencode, qwen
from outrider.transcripts.step import Format, Step

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        claude.FORMAT,
        codex.FORMAT,
        gemini.FORMAT,
        copilot.FORMAT,
        cursor.FORMAT,
        opencode.FORMAT,
        qwen.FORMAT,
        cline.FORMAT,
    )
}

MOST_TOGETHER = 200
"""Most sub-agents' transcripts that are read together with their session's, by time; the rest follow one by one."""


def files(form: Format, given: Path) -> Iterator[tuple[Path, ...]]:
    """Yield the transcripts that a path names, each main one with its sub-agents', in the order of their names.

    Args:
        form: The host's form.
        given: A file, which is taken as it is, or a folder, which is searched. Links to folders are not followed.

    Raises:
        BadInputError: There is no such path, or a folder holds none.
        UnavailableError: A folder cannot be read.
    """
    if given.is_file():
        yield (given, *form.also(given))
        return
    if not given.is_dir():
        raise BadInputError(f"there is no {given}", fix=f"{form.title} keeps transcripts in {form.where}.")
    try:
        found = {path for pattern in form.finds for path in given.glob(pattern) if path.is_file()}
    except OSError as error:
        raise UnavailableError(f"{given} cannot be searched: {error.strerror or error}") from error
    if not found:
        raise BadInputError(
            f"no transcript of {form.title} was found below {given}", fix=f"It keeps them in {form.where}."
        )
    below = {path: [one for one in form.also(path) if one in found] for path in found}
    second = {one for some in below.values() for one in some}
    for path in sorted(found - second):
        yield (path, *below[path])


def steps(form: Format, group: tuple[Path, ...]) -> Iterator[tuple[Path, Step]]:
    """Yield the steps of some files by time, each file's own order kept; memory does not grow with their size.

    Raises:
        UnavailableError: A file cannot be read.
        BadInputError: One is not a file.
    """
    for start in range(0, len(group), MOST_TOGETHER):
        together = group[start : start + MOST_TOGETHER]
        yield from (
            (path, step)
            for _, _, path, step in heapq.merge(
                *(_timed(form, path, place) for place, path in enumerate(together)), key=lambda one: one[:2]
            )
        )


def _timed(form: Format, path: Path, place: int) -> Iterator[tuple[int, int, Path, Step]]:
    """Yield steps with the latest time seen so far, so that a clock that jumps back does not reorder its file."""
    latest = 0
    for step in form.read(path):
        latest = max(latest, step.ts)
        yield latest, place, path, step
