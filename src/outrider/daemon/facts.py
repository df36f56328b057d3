"""What a user brought about names of packages: files in Outrider's home, read and written whole."""

from __future__ import annotations

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

_MOST_FILE = 64 * 1024 * 1024
_MOST_LIST = 512 * 1024 * 1024
_MOST_ADVISORY = 4 * 1024 * 1024
_SUFFIX = ".facts"


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
