"""What a user brought about names of packages: files in Outrider's home, read and written whole."""

from __future__ import annotations

import datetime as dt
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.detect.dependencies.filters import build
from outrider.detect.dependencies.known import Facts
from outrider.detect.dependencies.lists import malicious, names
from outrider.detect.dependencies.names import normal
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.config import Home

log = logging.getLogger("outrider.daemon")

_MOST_FILE = 64 * 1024 * 1024
_MOST_LIST = 512 * 1024 * 1024
_MOST_ADVISORY = 4 * 1024 * 1024
_SUFFIX = ".facts"

OLD = 90
"""Days after which a list is old: what was registered since is taken for unknown."""


def load(home: Home) -> tuple[Facts, tuple[str, ...]]:
    """Return what is known of names here, and what is wrong with files that had to be left out."""
    good: dict[str, bytes] = {}
    bad: list[str] = []
    for path in sorted(home.facts.glob(f"*{_SUFFIX}")):
        try:
            if path.stat().st_size > _MOST_FILE:
                bad.append(f"{path}: it is larger than {_MOST_FILE:,} bytes")
                continue
            data = path.read_bytes()
            Facts({path.name: data})
        except (OSError, BadInputError) as error:
            bad.append(f"{path}: {error}")
        else:
            good[path.name] = data
    return Facts(good), tuple(bad)


class Kept:
    """What is known of names, kept in step with the files: what is brought counts from the next look on.

    Attributes:
        facts: What is known now.
        bad: What is wrong with files that had to be left out.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._seen: tuple[object, ...] = ()
        self.facts, self.bad = Facts(), tuple[str, ...]()
        self.refresh()

    def refresh(self) -> bool:
        """Read the files again if one of them has changed; tell whether one had."""
        seen = tuple(_stamps(self._home.facts))
        if seen == self._seen:
            return False
        self._seen = seen
        self.facts, self.bad = load(self._home)
        for problem in self.bad:
            log.warning("a file of facts about packages was left out: %s", problem)
        log.info("facts about packages: %d files", len(self.facts.heads))
        return True


def age(made: str, today: dt.date) -> int:
    """Return how many days ago a list was made; -1 where its date is none."""
    try:
        return max(0, (today - dt.date.fromisoformat(made)).days)
    except ValueError:
        return -1


def bring_names(home: Home, path: Path, ecosystem: str, made: str) -> int:
    """Import a whole list of an ecosystem's names; return how many there are.

    Raises:
        BadInputError: The file cannot be read, or holds no names.
    """
    try:
        if path.stat().st_size > _MOST_LIST:
            raise BadInputError(f"{path} is larger than {_MOST_LIST:,} bytes")
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
    every = {normal(ecosystem, name) for name in names(text, path.name)} - {""}
    if not every:
        raise BadInputError(f"{path} holds no names")
    data = build(every, ecosystem=ecosystem, kind="names", made=made, source=path.name)
    _write(home, f"{ecosystem}.names{_SUFFIX}", data)
    return len(every)


def bring_malicious(home: Home, folder: Path, made: str) -> dict[str, int]:
    """Import a folder of advisories in OSV's form; return how many malicious names there are, by ecosystem.

    Raises:
        BadInputError: It holds none.
    """
    found: dict[str, set[str]] = {}
    for path in _files(folder):
        for ecosystem, name in malicious(path.read_bytes()):
            found.setdefault(ecosystem, set()).add(normal(ecosystem, name))
    if not found:
        raise BadInputError(f"{folder} holds no advisory about a malicious package", fix="Their ids begin with MAL-.")
    for ecosystem, bad in sorted(found.items()):
        data = build(bad, ecosystem=ecosystem, kind="malicious", made=made, source=folder.name)
        _write(home, f"{ecosystem}.malicious{_SUFFIX}", data)
    return {ecosystem: len(bad) for ecosystem, bad in sorted(found.items())}


def _stamps(folder: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of change of every file of facts."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(_SUFFIX))
        return [(path.name, stat.st_size, stat.st_mtime_ns) for path in paths for stat in (path.stat(),)]
    except OSError:
        return []


def _files(folder: Path) -> Iterable[Path]:
    for path in sorted(folder.rglob("*.json")):
        if path.is_file() and path.stat().st_size <= _MOST_ADVISORY:
            yield path


def _write(home: Home, name: str, data: bytes) -> None:
    home.facts.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = home.facts / name
    fresh = path.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
