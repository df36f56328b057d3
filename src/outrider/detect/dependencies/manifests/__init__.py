"""Readers of manifests and lock files: from the text of a file to the packages that it wants.

Which reader reads a file is told by the file's name. Readers are linear in the text, and never raise but
:class:`NotReadError`: a manifest that cannot be read has not been checked, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Final

from outrider.detect.dependencies.manifests import (
    commands,
    indexes,
    java,
    javascript,
    locks,
    places,
    python,
    tables,
)
from outrider.detect.dependencies.manifests.broken import NotReadError
from outrider.detect.dependencies.names import Dependency

Reader = Callable[[str], Iterable[Dependency]]

MAX_TEXT: Final = 512 * 1024
"""Characters of the longest manifest that is read while an agent waits."""
MOST: Final = 5_000
"""Packages of one manifest that are looked at."""

_READERS: Final[tuple[tuple[str, Reader], ...]] = (
    (r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", python.requirements),
    (r"pyproject\.toml", python.pyproject),
    (r"Pipfile", python.pipfile),
    (r"setup\.cfg", python.setup_cfg),
    (r"setup\.py", python.setup_py),
    (r"(?:environment|env|conda)(?:[-_.].*)?\.ya?ml", python.environment),
    (r"(?:uv|poetry|pdm)\.lock", locks.tables("pypi")),
    (r"package\.json", javascript.package),
    (r"package-lock\.json|npm-shrinkwrap\.json", javascript.package_lock),
    (r"yarn\.lock", javascript.yarn_lock),
    (r"pnpm-lock\.yaml", javascript.pnpm_lock),
    (r"\.?mcp\.json|claude_desktop_config\.json|\.claude\.json|settings(?:\.local)?\.json", places.mcp),
    (r"Cargo\.toml", tables.cargo),
    (r"Cargo\.lock", locks.tables("cargo")),
    (r"go\.mod", places.go_mod),
    (r"Gemfile|gems\.rb|.*\.gemspec", places.gems),
    (r"pom\.xml", java.pom),
    (r"build\.gradle(?:\.kts)?", java.gradle),
    (r"libs\.versions\.toml", java.catalogue),
    (r"composer\.json", javascript.composer),
    (r".*\.(?:cs|fs|vb)proj|Directory\.(?:Packages|Build)\.props|packages\.config", java.dotnet),
    (r"(?:Dockerfile|Containerfile)(?:\..*)?|.*\.[Dd]ockerfile", places.dockerfile),
    (r"(?:docker-)?compose(?:[-_.].*)?\.ya?ml", places.compose),
    (r"Gemfile\.lock|gems\.locked", locks.gemfile_lock),
    (r"Pipfile\.lock", locks.pipfile_lock),
    (r"composer\.lock", locks.composer_lock),
    (r"gradle\.lockfile|buildscript-gradle\.lockfile", locks.gradle_lock),
    (r"\.npmrc|\.yarnrc(?:\.yml)?|bunfig\.toml", indexes.index("npm")),
    (r"pip\.(?:conf|ini)", indexes.index("pypi")),
    (r"(?i:nuget\.config)", indexes.index("nuget")),
    (r".*\.(?:sh|bash)|(?:GNU)?[Mm]akefile|[Jj]ustfile|.*\.mk", commands.commands),
    (r"Aptfile|apt(?:-packages|-requirements)?\.txt", places.apt),
)  # fmt: skip
_BY_LINE: Final = frozenset(
    {python.requirements, places.go_mod, places.gems, places.dockerfile, places.compose, places.workflow, places.apt,
     java.gradle, java.dotnet, commands.commands, locks.gemfile_lock, locks.gradle_lock}
)  # fmt: skip
"""Readers that understand a piece of a file as well as the whole."""
_BESIDE: Final[dict[Reader, tuple[Reader, ...]]] = {
    places.dockerfile: (commands.commands,), places.workflow: (commands.commands,),
    places.gems: (indexes.index("gem"),),
    java.pom: (indexes.index("maven"),), java.gradle: (indexes.index("gradle", "maven"),),
}  # fmt: skip
"""What else is looked for in files that one reader reads."""
_BY_NAME: Final = tuple((re.compile(pattern), reader) for pattern, reader in _READERS)
LISTS: Final[dict[str, Reader]] = {
    "pypi": python.requirements, "conda": python.environment, "gem": places.gems,
}  # fmt: skip
"""Readers of the lists that a command can name, by ecosystem."""
_CONTINUES: Final = re.compile(r"^\s*(?:-r|--requirement|eval_gemfile|gemspec)\b", re.MULTILINE)
_WORKFLOW: Final = re.compile(r"(?:^|/)\.github/(?:workflows|actions)/.*\.ya?ml$|(?:^|/)action\.ya?ml$")
_CARGO: Final = re.compile(r"(?:^|/)\.cargo/config(?:\.toml)?$")
_FOLDER: Final = re.compile(r"(?:^|/)requirements/[^/]+\.(?:txt|in)$")


def reader_of(path: str) -> Reader | None:
    """Return what reads a file of this name, or None if it is no manifest."""
    name = path.rpartition("/")[2]
    for pattern, reader in _BY_NAME:
        if pattern.fullmatch(name):
            return reader
    if _WORKFLOW.search(path):
        return places.workflow
    if _CARGO.search(path):
        return indexes.index("cargo")
    return python.requirements if _FOLDER.search(path) else None


def reads_pieces(reader: Reader) -> bool:
    """Return whether a reader understands a piece of a file that it sees nothing else of."""
    return reader in _BY_LINE


def continues(text: str) -> bool:
    """Return whether a list goes on in another file."""
    return _CONTINUES.search(text) is not None


def wanted(reader: Reader, text: str) -> frozenset[Dependency]:
    """Return the packages that a manifest wants, at most :data:`MOST`.

    Raises:
        NotReadError: It cannot be read.
    """
    found: set[Dependency] = set()
    for one in chain(reader(text), *(beside(text) for beside in _BESIDE.get(reader, ()))):
        found.add(one)
        if len(found) >= MOST:
            break
    return frozenset(found)


__all__ = ["LISTS", "MAX_TEXT", "NotReadError", "Reader", "continues", "reader_of", "reads_pieces", "wanted"]
