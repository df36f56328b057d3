"""Whether agents could touch the record: who owns it, and what the users that agents run as may read and write.

Computed from the disk and the user database each time, never configured: ``separate-user`` is said only where no user
that agents run as can read the keys, write the record, or put something else in its place. What cannot be looked at
counts as no separation.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from outrider.config import Home

LEVELS: Final = ("local", "separate-user", "witnessed", "hub")
"""Assurance levels, the weakest first; see SECURITY.md."""

_MIGHTY: Final = frozenset({"sudo", "wheel", "admin", "docker", "lxd", "incus", "libvirt", "disk", "kmem", "root"})
"""Groups whose members can become root, or read and write the disk, by what is usual on Linux."""

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_MOST: Final = 5


class Separation(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between agents and the record.

    Attributes:
        owner: Name of the user that owns the record.
        agents: Names of the users that agents run as.
        why: What keeps it from being separate, a sentence each without its full stop; empty if it is.
        notes: What a reader must know though files are separate: rights to become root.
    """

    owner: str
    agents: tuple[str, ...]
    why: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def separate(self) -> bool:
        """Whether no user that agents run as can touch the record."""
        return not self.why


class Assurance(msgspec.Struct, frozen=True, kw_only=True):
    """How much the record proves.

    Attributes:
        level: One of :data:`LEVELS`.
        separation: What stands between agents and the record.
    """

    level: str
    separation: Separation


def assured(separation: Separation, *, witnessed: bool) -> Assurance:
    """Return the assurance: ``witnessed`` where a quorum cosigned lately, else what the users' rights give."""
    level = "witnessed" if witnessed else "separate-user" if separation.separate else "local"
    return Assurance(level=level, separation=separation)


def separation(home: Home, agents: Iterable[int]) -> Separation:
    """Return what stands between the users with the ids ``agents`` and the record of ``home``.

    Args:
        home: The home that holds record and keys.
        agents: Ids of the users that agents run as; unknown ones are negative and left out.
    """
    try:
        owner = home.record.stat().st_uid
    except OSError as error:
        return Separation(owner="", agents=(), why=(f"the record cannot be looked at: {error.strerror}",))
    users = sorted({uid for uid in agents if uid >= 0})
    why: list[str] = []
    notes: list[str] = []
    if not users:
        why.append("nobody can say which users agents run as")
    for uid in users:
        if uid == owner:
            why.append(f"agents run as {name(uid)}, who owns the record")
        elif uid == 0:
            why.append("agents run as root")
        else:
            why += _reach(home, uid)
            notes += _rights(uid)
    return Separation(
        owner=name(owner), agents=tuple(name(uid) for uid in users), why=tuple(why), notes=tuple(notes)
    )  # fmt: skip


def name(uid: int) -> str:
    """Return the name of a user, ``uid:<n>`` for one that the user database does not know."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid:{uid}"


def user_id(text: str) -> int:
    """Return the id of a user named by name or number, -1 where there is none of that name."""
    if text.isdecimal():
        return int(text)
    try:
        return pwd.getpwnam(text).pw_uid
    except KeyError:
        return -1


def _groups(uid: int) -> frozenset[int]:
    try:
        known = pwd.getpwuid(uid)
        return frozenset(os.getgrouplist(known.pw_name, known.pw_gid))
    except (KeyError, OverflowError):
        # A user without an entry is usually in the group of its own number, as containers start them.
        return frozenset({uid})


def _rights(uid: int) -> Iterator[str]:
    names = set()
    for gid in _groups(uid):
        with contextlib.suppress(KeyError, OverflowError):
            names.add(grp.getgrgid(gid).gr_name)
    if mighty := sorted(names & _MIGHTY):
        yield f"{name(uid)} is in {', '.join(mighty)}, which can become root or write the disk"
    with contextlib.suppress(OSError):
        for path in sorted(Path("/etc/sudoers.d").iterdir()):
            text = path.read_text(errors="replace")
            if any(line.split()[:1] == [name(uid)] for line in text.splitlines()):
                yield f"{path} lets {name(uid)} run commands as others"


def _reach(home: Home, uid: int) -> list[str]:
    """Say what a user may do to the record, its keys, or what leads to them; at most five sentences."""
    groups = _groups(uid)
    found: list[str] = []
    for path, wants in _places(home):
        try:
            facts = path.lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            found.append(f"{path} cannot be looked at: {error.strerror}")
            continue
        if stat.S_ISLNK(facts.st_mode):
            continue  # Whoever may change where it leads may write the directory that it lies in.
        if _listed(path):
            found.append(f"{path} has an access list, and those are not read")
        found += [f"{name(uid)} can {what} {path}" for what, bit in wants if _may(facts, uid, groups, bit)]
        if len(found) >= _MOST:
            return found[:_MOST]
    return found


_READ = ("read", stat.S_IROTH)
_WRITE = ("write", stat.S_IWOTH)


def _places(home: Home) -> Iterator[tuple[Path, tuple[tuple[str, int], ...]]]:
    """Yield what agents must not reach, and what they must not do to it."""
    below = (home.record, home.record / "journal", home.keys, home.charters, home.run)
    for directory in below:
        yield directory, (_WRITE,)
    for path in (home.config, home.socket.parent / "daemon.lock"):
        yield path, (_WRITE,)
    with contextlib.suppress(OSError):
        for key in sorted(home.keys.rglob("*")):
            yield key, (_READ, _WRITE) if not key.is_dir() else (_WRITE,)
    with contextlib.suppress(OSError):
        for folder in (home.record / "journal", home.record / "pack"):
            for path in sorted(folder.glob("*.seg*"))[-3:]:
                yield path, (_WRITE,)
        for path in sorted(home.record.iterdir()):
            yield path, (_WRITE,)
    program = (Path(sys.executable).resolve(), _PACKAGE, _PACKAGE / "daemon" / "service.py")
    for path in program:
        yield path, (_WRITE,)
    for start in (home.root.resolve(), *program):
        for above in (start, *start.parents):
            yield above, (_WRITE,)


def _may(facts: os.stat_result, uid: int, groups: frozenset[int], bit: int) -> bool:
    """Whether the permission bits let a user do what ``bit`` (of the others' three) stands for: path_resolution(7)."""
    mode = facts.st_mode
    if facts.st_uid == uid:
        return True  # An owner may change the bits.
    if stat.S_ISDIR(mode) and bit == stat.S_IWOTH and mode & stat.S_ISVTX:
        return False  # In a sticky directory nobody moves what is another's.
    return bool(mode & (bit << 3 if facts.st_gid in groups else bit))


def _listed(path: Path) -> bool:
    """Whether a POSIX access list adds to the permission bits: acl(5)."""
    if not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(path, "system.posix_acl_access"))
    except OSError as error:
        return error.errno not in {errno.ENODATA, errno.ENOTSUP, errno.ENOENT}
