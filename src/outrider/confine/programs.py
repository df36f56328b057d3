"""What a command needs to run: its file, every name on the way to it, its interpreter, and what these are part of.

A person named the command by starting it, so that these can be lent for reading. A home, the root and what is directly
below the root are part of no installation.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path, PurePosixPath

_LINKS = 16
_HEAD = 256
"""Bytes of a script that are looked at for its interpreter; the kernel looks at as many (execve(2))."""

_INTERPRETERS = 3


def program_files(path: str, *, home: str, search: str) -> tuple[str, ...]:
    """Return what a command is to be lent for reading.

    ``PREFIX/bin/NAME`` is part of ``PREFIX``: an interpreter's libraries lie there. ``ROOT/shims/NAME`` is a version
    manager's, and part of ``ROOT``. What lies in a ``node_modules`` is part of all of it. A script needs the program
    that its first line names as well, and a link each name that it leads over.

    Args:
        path: Absolute path of the command, as it was found; links are not followed yet. Empty for none.
        home: The home of whoever starts it.
        search: Where programs are looked for by name: the value of ``PATH``.
    """
    found: dict[str, None] = {}
    for _ in range(_INTERPRETERS):
        if not path.startswith("/"):
            break
        for name in _on_the_way(path):
            found[name] = None
            if whole := _installation(name, home):
                found[whole] = None
        path = _interpreter(os.path.realpath(path), search)
    return tuple(found)


def file_alone(path: str) -> tuple[str, ...]:
    """Return a command's file and where it leads: what is lent to one that an agent starts."""
    return tuple(dict.fromkeys((path, os.path.realpath(path)))) if path.startswith("/") else ()


def _on_the_way(path: str) -> tuple[str, ...]:
    """Return a path, what each link leads to as it is written, and where the last one leads."""
    found = {os.path.normpath(path): None}
    real = os.path.realpath(path)
    for _ in range(_LINKS):
        try:
            path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))  # noqa: PTH115, PTH118, PTH120 - lexical: what it leads over counts
        except OSError:
            break
        found[path] = None
    found[real] = None
    return tuple(found)


def _installation(path: str, home: str) -> str:
    """Return the directory of the installation that a program is part of, empty for none."""
    names = PurePosixPath(path).parts
    if "node_modules" in names:
        whole = names[: names.index("node_modules") + 1]
    elif names[-2] in {"bin", "sbin", "shims"}:
        whole = names[:-2]
    else:
        return ""
    top = str(PurePosixPath(*whole))
    above = {home, str(Path.home()), *map(str, (*PurePosixPath(home).parents, *Path.home().parents))}
    return "" if len(whole) < 3 or whole[-1] == ".local" or top in above else top


def _interpreter(path: str, search: str) -> str:
    """Return the absolute path of the program that a script's first line names; empty if it is no script."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - one read
            head = file.read(_HEAD)
    except OSError:
        return ""
    if not head.startswith(b"#!"):
        return ""
    try:
        words = shlex.split(head[2:].partition(b"\n")[0].decode("utf-8", "replace"))
    except ValueError:
        return ""
    if not words or PurePosixPath(words[0]).name != "env":
        return words[0] if words else ""
    name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
    places = (f"{folder}/{name}" for folder in search.split(":") if folder.startswith("/") and name)
    return next((one for one in places if os.access(one, os.X_OK)), "")
