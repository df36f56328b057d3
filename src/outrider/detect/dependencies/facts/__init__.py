"""Names that are known, as data: one file an ecosystem, and the names under which modules are wrongly asked for.

The lists were written for Outrider by hand, from general knowledge of widely used packages, and are under its own
licence. They hold facts (a package of this name exists and is widely used), no text of anybody's.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

MADE = "2026-11-27"
"""The day on which the lists were last looked through."""


@cache
def listed(ecosystem: str) -> tuple[str, ...]:
    """Return the names of an ecosystem that the package knows, as written there; none for one that it does not."""
    file = files(__name__).joinpath(f"{ecosystem}.txt")
    if not file.is_file():
        return ()
    lines = file.read_text("utf-8").splitlines()
    return tuple(name for line in lines if not line.startswith("#") for name in line.split())


@cache
def meant(ecosystem: str) -> dict[str, str]:
    """Return what is meant by names of modules that are no names of packages, or of somebody else's.

    A value is the package's name, or ``-`` for what comes with the language itself. A name that is a package of its own
    as well, which honest projects use, ends with ``~``.
    """
    file = files(__name__).joinpath(f"{ecosystem}-modules.txt")
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        names, _, package = line.partition(":")
        found.update(dict.fromkeys(names.split(), package.strip()))
    return found
