"""The bounded I/O between planning and deciding: exactly the facts that a plan wants, no more.

The agent runs on; what is true here may have changed when the host acts on the answer. That race is named in
SECURITY.md; nothing at this layer can close it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING

from outrider.events.call import PathFact, Want

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_WANTS = 256
"""Paths looked at for one call. A call that names more is not decided (see :func:`gather`)."""

_KERNEL_NAMES = hasattr(os, "O_PATH") and os.path.isdir("/proc/self/fd")  # noqa: PTH112 - plain text
MAX_CONTENT = 1024 * 1024

_OUR_OWN = re.compile(r"/proc/(?:thread-)?self/(?:task/[0-9]+/)?cwd(?:/|$)")
"""Paths that mean one thing to us and another to the agent: proc(5)."""


def gather(wants: Iterable[Want]) -> dict[str, PathFact]:
    """Return a fact for each want, by the path asked for; never raises for what stands on disk.

    Wants beyond :data:`MAX_WANTS` come back ``unresolvable``: judging then ends in ``error``, never in silence.
    """
    facts: dict[str, PathFact] = {}
    for want in wants:
        if len(facts) >= MAX_WANTS:
            facts[want.path] = PathFact(path=want.path, real="", state="unresolvable")
        elif want.path not in facts or want.content_limit:
            facts[want.path] = look(want)
    return facts


def look(want: Want) -> PathFact:
    """Return what stands at one path, following every symbolic link."""
    path = want.path
    if "\0" in path or not path.startswith("/") or _OUR_OWN.match(path):
        return PathFact(path=path, real="", state="unresolvable")
    try:
        real, mode = _found(path)
    except FileNotFoundError:
        return _missing(path)
    except NotADirectoryError:
        return PathFact(path=path, real=os.path.normpath(path), state="missing")
    except (OSError, ValueError):
        return PathFact(path=path, real="", state="unresolvable")
    if stat.S_ISLNK(mode):  # realpath() stops at a loop and returns a path that is itself a link.
        return PathFact(path=path, real="", state="unresolvable")
    if stat.S_ISDIR(mode):
        return PathFact(path=path, real=real, state="dir")
    if not stat.S_ISREG(mode):
        return PathFact(path=path, real=real, state="other")
    if not want.content_limit:
        return PathFact(path=path, real=real, state="file")
    content = _content(real, min(want.content_limit, MAX_CONTENT))
    digest = hashlib.sha256(content).hexdigest() if content is not None else ""
    return PathFact(path=path, real=real, state="file", content=content, digest=digest)


def _found(path: str) -> tuple[str, int]:
    """Return where a path leads and the mode of what stands there; raise as ``os.lstat`` does for what does not.

    The kernel resolves it in one step where it can be asked for the name of what it opened (``O_PATH`` opens nothing);
    where it can not, or the name is no path (removed meanwhile, another root), every part is looked at by itself.
    """
    if _KERNEL_NAMES:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            real, facts = os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd)  # noqa: PTH115 - plain text
        finally:
            os.close(fd)
        if facts.st_nlink and real.startswith("/"):
            return real, facts.st_mode
    real = os.path.realpath(path)
    return real, os.lstat(real).st_mode


def _missing(path: str) -> PathFact:
    """A path that is not there yet leads to where it would be made, if its ancestors can be resolved.

    A dangling link is not missing in that sense: writing to it makes its target, which ``realpath`` has named.
    """
    folder, _, name = path.rpartition("/")
    if folder and name not in {"", ".", ".."} and not os.path.lexists(path):
        # Nearly always only the last part is missing, and the kernel can be asked for the rest in one step.
        with contextlib.suppress(OSError, ValueError):
            above, mode = _found(folder)
            if stat.S_ISDIR(mode):
                return PathFact(path=path, real=f"{above.rstrip('/')}/{name}", state="missing")
    try:
        real = os.path.realpath(path)
        os.lstat(real)
    except FileNotFoundError:
        return PathFact(path=path, real=real, state="missing")
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return PathFact(path=path, real=os.path.normpath(path), state="missing")
        return PathFact(path=path, real="", state="unresolvable")
    # realpath() stops at a loop and returns a path that is itself a link.
    return PathFact(path=path, real="", state="unresolvable")


def _content(real: str, limit: int) -> bytes | None:
    """Return the whole content if it fits ``limit``, else None; O_NONBLOCK so that a pipe cannot hold us."""
    try:
        fd = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        data = os.read(fd, limit + 1)
    except OSError:
        return None
    finally:
        os.close(fd)
    return data if len(data) <= limit else None
