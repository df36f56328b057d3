"""What agents of a new charter need: by five questions, or by what a repository holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Literal

import click
import msgspec

from outrider.cli import survey
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

Git = Literal["nothing", "commit", "branches"]

_GIT: Final[tuple[Git, ...]] = ("nothing", "commit", "branches")
_MANIFESTS: Final = {
    "pyproject.toml": "pypi", "requirements.txt": "pypi", "setup.py": "pypi", "package.json": "npm",
    "Cargo.toml": "cargo", "go.mod": "go", "Gemfile": "gem", "pom.xml": "maven", "build.gradle": "maven",
    "composer.json": "composer",
}  # fmt: skip
"""File to the registry that it names packages of."""


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a class of agents needs.

    Attributes:
        what: What it is for, one sentence.
        writes: Whether it changes files of the repository.
        hosts: Hosts beyond package registries and this machine.
        git: Whether it commits, and whether it pushes branches as well.
        installs: Registries that it installs from.
        life: Longest life, such as ``8h``.
    """

    what: str
    writes: bool = True
    hosts: tuple[str, ...] = ()
    git: Git = "commit"
    installs: tuple[str, ...] = ()
    life: str = "8h"


def asked(root: Path) -> Needs:
    """Ask five questions on the terminal; what a repository installs from is looked up and not asked.

    Raises:
        BadInputError: Nobody is here to answer.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadInputError("nobody is here to answer", fix="Use --from-repo: it asks nothing.")
    what = click.prompt("1. What are these agents for, in a sentence", err=True)
    writes = click.confirm("2. Do they change files of the repository", default=True, err=True)
    hosts = click.prompt(
        "3. Which hosts do they need, beside package registries (names, spaces between)", default="", err=True
    )
    git: Git = "nothing"
    if writes:
        git = click.prompt("4. What may they do in git", type=click.Choice(_GIT), default="commit", err=True)
    life = click.prompt("5. How long may one live", default="8h", err=True)
    installs = installed(root) if writes else ()
    return Needs(what=what, writes=writes, hosts=tuple(hosts.split()), git=git, installs=installs, life=life)


def looked_up(root: Path) -> Needs:
    """Return what a repository's own files say that its agents need; no push, since nothing there says so."""
    _, why = survey.suits(root)
    host = survey.remote_host(root)
    return Needs(
        what=f"Works in {root.name}: {why}.", hosts=(host,) if host else (), git="commit", installs=installed(root)
    )


def installed(root: Path) -> tuple[str, ...]:
    """Return the registries that the manifests at the top of a repository name packages of."""
    return tuple(dict.fromkeys(kind for name, kind in _MANIFESTS.items() if (root / name).is_file()))
