"""Where a call is made from: the three directories that its paths are read against."""

from __future__ import annotations

import posixpath
import re

import msgspec

_OPEN = re.compile(r"/dev/fd/[0-9]+")
_IGNORED = frozenset(
    {"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"}
    | {"/dev/random", "/dev/urandom", "-", ""}
)

INTO = "if it is a folder"
"""Note of a write of a file below a copy's destination: it happens if that is a folder."""
AT_HEAD = "the branch checked out in "
"""In the note of a push whose branch is the one that a work tree is on; the work tree's path follows.

What stands before it says that the remote is not named either.
"""


class Place(msgspec.Struct, frozen=True):
    """Where a call is made from.

    Attributes:
        home: Absolute home directory of the user that the agent runs as.
        repo: Absolute work tree that the agent was born in.
        cwd: Absolute working directory of the call.
        guards: Process ids of Outrider itself.
    """

    home: str
    repo: str
    cwd: str
    guards: tuple[int, ...] = ()

    @property
    def user(self) -> str:
        """Name of the user, as far as the home directory tells."""
        return posixpath.basename(self.home)


def normal(path: str) -> str:
    """Return an absolute path lexically normal: no ``.``, ``..`` or doubled slash. Case is kept.

    Two leading slashes are one: POSIX leaves them to the system, and Linux and macOS make nothing of them.
    """
    if "//" not in path and "/." not in path and (path[-1:] != "/" or path == "/"):
        return path
    plain = posixpath.normpath(path)
    return plain[1:] if plain.startswith("//") else plain


def tilde(path: str, place: Place) -> str:
    """Return ``path`` with a leading ``~`` or ``~user`` replaced by a home directory.

    The home of another user is taken to stand beside ours; ``root`` has its own.
    """
    head, slash, rest = path.partition("/")
    name = head[1:]
    if not name or name == place.user:
        base = place.home
    elif name == "root":
        base = "/root"
    elif name in {"+", "-"}:
        return path
    else:
        base = posixpath.join(posixpath.dirname(place.home), name)
    return base + slash + rest


_DRIVE = re.compile(r"([A-Za-z]):[\\/]")


def from_windows(path: str) -> str:
    r"""Return where WSL finds a path of Windows.

    ``C:\Users`` is ``/mnt/c/Users``, and ``\\host\share`` is ``/mnt/host/share``.
    """
    found = _DRIVE.match(path)
    if found:
        return f"/mnt/{found[1].lower()}/" + path[3:].replace("\\", "/")
    return "/mnt/" + path[2:].replace("\\", "/") if path.startswith("\\\\") else path


def literal_prefix(pattern: str) -> str:
    """Return the longest leading directory of an absolute pattern that holds no glob character."""
    cut = min((at for at in map(pattern.find, "*?[{") if at >= 0), default=len(pattern))
    return pattern if cut == len(pattern) else pattern[: pattern.rfind("/", 0, cut)] or "/"


def is_ignored(path: str) -> bool:
    """Return whether reading or writing ``path`` touches nothing that lasts: ``-``, ``/dev/null`` and their kin."""
    return path in _IGNORED or _OPEN.fullmatch(path) is not None
