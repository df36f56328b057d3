"""Lock files of more formats, and where the packages of a lock file come from.

A lock file names an address for each package. One that hardly any other shares, or that goes over plain http, is how a
lock file that nobody reads is made to bring other code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from outrider.detect.dependencies.manifests.broken import json, table, toml
from outrider.detect.dependencies.names import Dependency

_HOST = re.compile(r"(?:[a-z]+\+)*(https?|ssh|git)://(?:[^/@\s]*@)?([^/:\s?#]+)")
_SHARE: Final = 10
"""A host that less than one package in so many comes from is odd; mirrors and second registries bring more."""
_COMMIT = re.compile(r"[#@=][0-9a-f]{40}\b")
_GEM = re.compile(r"^ {4}([\w.-]+) \([^)\n]*\)$", re.MULTILINE)
_GRADLE = re.compile(r"^([\w.-]+:[\w.-]+):[^=\s]+=", re.MULTILINE)


def odd(packages: Iterable[tuple[str, str]], ecosystem: str) -> Iterator[Dependency]:
    """Yield the packages of a lock file with their names, and with an address where that is not the others' own.

    Args:
        packages: Name and address of each; an empty address where the file gives none.
        ecosystem: Whose they are.
    """
    known = list(packages)
    hosts = Counter(found[2] for _, address in known if (found := _HOST.match(address)) is not None)
    few = sum(hosts.values()) / _SHARE
    for name, address in known:
        yield Dependency(ecosystem=ecosystem, name=name)
        found = _HOST.match(address)
        if found is None:
            continue
        is_code = address.startswith("git") or found[1] in {"ssh", "git"}
        if is_code:
            pinned = _COMMIT.search(address) is not None
            yield Dependency(ecosystem=ecosystem, name=name, source=address.partition("#")[0], pinned=pinned)
        elif found[1] == "http" or hosts[found[2]] < few:
            yield Dependency(ecosystem=ecosystem, name=name, source=f"other {address.partition('#')[0]}")


def tables(ecosystem: str) -> Callable[[str], Iterator[Dependency]]:
    """Return the reader of a lock file that is a list of ``[[package]]``."""

    def read(text: str) -> Iterator[Dependency]:
        packages = toml(text).get("package")
        found = [
            (one["name"], _address(one.get("source")))
            for one in (packages if isinstance(packages, list) else [])
            if isinstance(table(one).get("name"), str)
        ]
        yield from odd(found, ecosystem)

    return read


def gemfile_lock(text: str) -> Iterator[Dependency]:
    """Yield what a Gemfile.lock holds."""
    for found in _GEM.finditer(text):
        yield Dependency(ecosystem="gem", name=found[1])


def gradle_lock(text: str) -> Iterator[Dependency]:
    """Yield what a gradle.lockfile holds."""
    for found in _GRADLE.finditer(text):
        yield Dependency(ecosystem="maven", name=found[1])


def pipfile_lock(text: str) -> Iterator[Dependency]:
    """Yield what a Pipfile.lock holds."""
    data = json(text)
    for section in ("default", "develop"):
        for name in table(data.get(section)):
            yield Dependency(ecosystem="pypi", name=name)


def composer_lock(text: str) -> Iterator[Dependency]:
    """Yield what a composer.lock holds."""
    data = json(text)
    for section in ("packages", "packages-dev"):
        packages = data.get(section)
        for one in packages if isinstance(packages, list) else []:
            if isinstance(table(one).get("name"), str):
                yield Dependency(ecosystem="composer", name=one["name"])


def _address(source: object) -> str:
    if isinstance(source, str):
        return source
    one = table(source)
    for key in ("registry", "git", "url"):
        value = one.get(key)
        if isinstance(value, str):
            rest = one.get("resolved_reference")
            git = "git+" if key == "git" or one.get("type") == "git" else ""
            return git + value + (f"#{rest}" if isinstance(rest, str) else "")
    return ""
