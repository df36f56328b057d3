"""Manifests of JavaScript and of PHP, which are JSON, and the lock files of npm, yarn and pnpm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from outrider.detect.dependencies.manifests.broken import json, table
from outrider.detect.dependencies.manifests.locks import odd
from outrider.detect.dependencies.names import Dependency

_SECTIONS: Final = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_OWN: Final = ("workspace:", "file:", "link:", "portal:", "catalog:", "./", "../", "/", "~")
_ELSEWHERE = re.compile(r"(?:git\+|git:|git@|ssh:|https?:|github:|gitlab:|bitbucket:|gist:)|^[\w.-]+/[\w.-]+(?:#.*)?$")
_COMMIT = re.compile(r"#(?:commit:)?[0-9a-f]{40}$")
_ALIAS = re.compile(r"npm:((?:@[^/@\s]+/)?[^@/\s]+)(?:@.*)?")
_YARN = re.compile(r'^"?((?:@[^/@"\s]+/)?[^@"\s]+)@(?=[^\s])[^\n]*:$', re.MULTILINE)
_RESOLVED = re.compile(r'^ +resolved "([^"]+)"', re.MULTILINE)
_PNPM = re.compile(r"^  ['\"]?/?((?:@[^/@'\"\s]+/)?[^@/'\"\s(]+)[@/]\d[^\n]*:\s*$", re.MULTILINE)


def package(text: str) -> Iterator[Dependency]:
    """Yield what a package.json wants."""
    data = json(text)
    for section in _SECTIONS:
        for name, value in table(data.get(section)).items():
            one = _wanted(name, value if isinstance(value, str) else "")
            if one is not None:
                yield one


def scripts(text: str) -> dict[str, str]:
    """Return the scripts of a package.json that run when somebody installs it.

    Raises:
        NotReadError: It cannot be read.
    """
    found = table(json(text).get("scripts"))
    names = ("preinstall", "install", "postinstall", "prepare", "prepublish", "preprepare", "postprepare")
    return {name: found[name] for name in names if isinstance(found.get(name), str)}


def package_lock(text: str) -> Iterator[Dependency]:
    """Yield what a lock file of npm holds, in its old form and its new ones."""
    data = json(text)
    found = [
        (path.rpartition("node_modules/")[2], _resolved(one))
        for path, one in table(data.get("packages")).items()
        if "node_modules/" in path
    ]
    found += [(name, _resolved(one)) for name, one in table(data.get("dependencies")).items()]
    yield from odd(found, "npm")


def yarn_lock(text: str) -> Iterator[Dependency]:
    """Yield what a lock file of yarn holds."""
    entries = list(_YARN.finditer(text))
    ends = [*(one.start() for one in entries), len(text)][1:]
    found = [
        (one[1], address[1] if (address := _RESOLVED.search(text, one.end(), end)) is not None else "")
        for one, end in zip(entries, ends, strict=True)
    ]
    yield from odd(found, "npm")


def pnpm_lock(text: str) -> Iterator[Dependency]:
    """Yield what a lock file of pnpm holds."""
    for found in _PNPM.finditer(text):
        yield Dependency(ecosystem="npm", name=found[1])


def composer(text: str) -> Iterator[Dependency]:
    """Yield what a composer.json wants; PHP itself and its extensions have no vendor."""
    data = json(text)
    for section in ("require", "require-dev"):
        for name in table(data.get(section)):
            if "/" in name:
                yield Dependency(ecosystem="composer", name=name)


def _resolved(one: object) -> str:
    value = table(one).get("resolved")
    return value if isinstance(value, str) else ""


def _wanted(name: str, value: str) -> Dependency | None:
    value = value.strip()
    if value.startswith(_OWN):
        return None
    alias = _ALIAS.fullmatch(value)
    if alias is not None:
        return Dependency(ecosystem="npm", name=alias[1])
    source = value if _ELSEWHERE.search(value) else ""
    return Dependency(ecosystem="npm", name=name, source=source, pinned=bool(source and _COMMIT.search(source)))
