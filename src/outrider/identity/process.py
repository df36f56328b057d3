"""What the kernel says about processes: who is whose parent, since when, running what.

A process is named by pid and start time together, because pids are used again. Everything is read from ``/proc``
(Linux: proc(5), pidfd_open(2)). On a system without it every question gets its empty answer and :func:`unavailable`
says why; that is tested by pointing elsewhere, it has not been tried on macOS.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from outrider.events.attestation import Attestation

PROC = "/proc"
MAX_DEPTH = 64
"""How many generations are followed upwards."""

HOOK_ARGUMENTS = (b"--door", b"--event")
"""What the command line of every hook client holds, and so that of a shell which only runs one."""

WRAPPER_TICKS = 3000
"""A process that exists to run a hook starts at most this many clock ticks (30 s at 100 Hz) before the client."""

_MAX_CMDLINE = 64 * 1024
_MAX_SMALL = 64 * 1024
_MAX_ENVIRON = 256 * 1024
_CONTAINER = re.compile(rb"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])")


class ProcessFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One process at the moment of reading.

    Attributes:
        pid: Process id as this process sees it.
        ppid: Its parent's, 0 for none that can be seen.
        start: Start time in clock ticks since boot.
        uid: Owner of its ``/proc`` entry: its effective user id, or 0 if it made itself undumpable.
        comm: The kernel's name of it, at most 15 bytes.
        exe: Path of its executable; empty unless :func:`describe` was asked, or if it may not be read.
    """

    pid: int
    ppid: int
    start: int
    uid: int
    comm: str
    exe: str = ""


def unavailable() -> str:
    """Return why processes cannot be attested on this system, or the empty string if they can."""
    if read(os.getpid()) is not None:
        return ""
    return f"{PROC} does not describe processes on this system, so no process can be attested"


def read(pid: int) -> ProcessFacts | None:
    """Return what ``/proc/<pid>/stat`` says, or None if there is no such process, or only its zombie."""
    try:
        fd = os.open(f"{PROC}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        raw = os.read(fd, 2048)
        uid = os.fstat(fd).st_uid
    except OSError:
        return None
    finally:
        os.close(fd)
    # The name may hold spaces and brackets, so fields are counted from the last bracket.
    close = raw.rfind(b")")
    fields = raw[close + 2 :].split(b" ", 20)
    if close < 0 or len(fields) < 21 or fields[0] in (b"Z", b"X", b"x"):
        return None
    comm = raw[raw.find(b"(") + 1 : close].decode("utf-8", "replace")
    return ProcessFacts(pid=pid, ppid=int(fields[1]), start=int(fields[19]), uid=uid, comm=comm)


def describe(pid: int) -> ProcessFacts | None:
    """Return :func:`read`'s facts together with the path of the executable."""
    facts = read(pid)
    if facts is None:
        return None
    try:
        return msgspec.structs.replace(facts, exe=_clean(str(Path(f"{PROC}/{pid}/exe").readlink())))
    except OSError:
        return facts


def parent(facts: ProcessFacts) -> ProcessFacts | None:
    """Return the parent of a process, or None where it cannot be seen.

    A parent that started after its child is another process that got the pid meanwhile, and is not returned.
    """
    if facts.ppid <= 0:
        return None
    above = read(facts.ppid)
    return above if above is not None and above.start <= facts.start else None


def ancestors(pid: int, limit: int = MAX_DEPTH) -> tuple[ProcessFacts, ...]:
    """Return the parents of ``pid``, nearest first, at most ``limit``; without ``pid`` itself."""
    found: list[ProcessFacts] = []
    here = read(pid)
    while here is not None and len(found) < limit:
        here = parent(here)
        if here is not None:
            found.append(here)
    return tuple(found)


def alive(pid: int, start: int) -> bool:
    """Return whether the process that had ``pid`` and started at ``start`` still runs."""
    facts = read(pid)
    return facts is not None and facts.start == start


def descends(pid: int, from_pid: int, from_start: int) -> bool:
    """Return whether ``pid`` is the process ``(from_pid, from_start)`` or was started by it or below it.

    A process whose parents have died was handed to init and does not descend from them any more.
    """
    here = read(pid)
    for _ in range(MAX_DEPTH):
        if here is None:
            return False
        if here.pid == from_pid:
            return here.start == from_start
        here = parent(here)
    return False


_REAPERS = frozenset({"systemd", "init", "launchd", "tini", "dumb-init", "docker-init", "catatonit"})
"""Names of processes that orphans are handed to, apart from process 1."""


def cut_off(pid: int, since: int) -> bool:
    """Return whether a process has lost the ancestors that would say who started it, and no terminal speaks for it.

    True if the leader of its session (credentials(7)) is not above it any more, or if it has no controlling terminal
    and the orphan that it comes from began after ``since`` (clock ticks since boot). A double fork and ``setsid`` look
    so. A program that makes a terminal of its own does not: this is a hurdle, no proof.
    """
    here = read(pid)
    raw = small_file(f"{PROC}/{pid}/stat", 2048)
    fields = raw[raw.rfind(b")") + 2 :].split(b" ", 6)
    if here is None or len(fields) < 6:
        return True
    session, terminal = int(fields[3]), int(fields[4])
    chain = (here, *ancestors(pid))
    # Session 0 was begun outside of our process namespace: its leader cannot be seen, which says nothing.
    if session and not any(one.pid == session for one in chain):
        return True
    if terminal or pid == 1:  # Process 1 is nobody's orphan.
        return False
    # In a container the session may be that of process 1 itself, which is above every orphan as well: what counts is
    # the topmost process that was handed to a reaper, or started by it.
    top = [one for one in chain if one.pid != 1 and one.comm not in _REAPERS]
    return not top or top[-1].start > since


def boot_id() -> str:
    """Return the kernel's id of this boot (random(4)), or the empty string."""
    return small_file(f"{PROC}/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def container_of(pid: int) -> str:
    """Return the 64 hex digits that container runtimes put into a process's cgroup path, or the empty string.

    Inside a container with a cgroup namespace of its own the path does not show the id: the answer is then empty.
    """
    found = _CONTAINER.findall(small_file(f"{PROC}/{pid}/cgroup"))
    return found[-1].decode() if found else ""


def cmdline(pid: int) -> tuple[bytes, ...]:
    """Return the arguments of a process (the first 64 KiB), or nothing if they may not be read."""
    raw = small_file(f"{PROC}/{pid}/cmdline", _MAX_CMDLINE)
    return tuple(raw.rstrip(b"\0").split(b"\0")) if raw else ()


def home_of(pid: int) -> str:
    """Return ``HOME`` as the process was started with, or the empty string.

    That is what ``~`` means to it and to its shells. It is the process's word, not the kernel's: a parent's charter is
    therefore always judged with the parent's own home.
    """
    for entry in small_file(f"{PROC}/{pid}/environ", _MAX_ENVIRON).split(b"\0"):
        if entry.startswith(b"HOME="):
            home = _clean(os.fsdecode(entry[5:]))
            return os.path.normpath(home) if home.startswith("/") else ""
    return ""


def host_process(
    client_pid: int, bound: Callable[[int, int], object] = lambda _pid, _start: None
) -> ProcessFacts | None:
    """Return the process that an agent's host is: the nearest one above the hook client that outlives the hook.

    Hosts start hooks directly or through ``sh -c``; a binding to such a shell would end with its first call. A parent
    is therefore passed over if its own command line holds the hook's arguments and it started at most 30 s before the
    client. Passing over too much only widens the binding to a process further up, which the sender descends from too.
    A process that an agent is ``bound`` to (by pid and start time) is never passed over: what is below it is that
    agent's, or a child's.
    """
    client = read(client_pid)
    if client is None:
        return None
    here = parent(client)
    for _ in range(8):
        if here is None or client.start - here.start > WRAPPER_TICKS:
            break
        line = b" ".join(cmdline(here.pid))
        if not all(word in line for word in HOOK_ARGUMENTS) or bound(here.pid, here.start):
            break
        here = parent(here)
    return describe(here.pid) if here is not None else None


def attest(
    host: ProcessFacts,
    *,
    uid: int,
    above: tuple[ProcessFacts, ...] = (),
    exe: str = "",
    head: tuple[str, str] = ("", ""),
) -> Attestation:
    """Return what a birth event says about its host process.

    Args:
        host: From :func:`host_process`.
        uid: User id of the client, as the socket's peer credentials say.
        above: The host's own ancestors, nearest first; the first 16 are named.
        exe: SHA-256 of the executable, from :mod:`outrider.identity.digest`, or empty.
        head: Commit and branch of its repository, from :func:`outrider.identity.place.head_of`; empty where unknown.
    """
    return Attestation(
        pid=host.pid,
        start=host.start,
        boot=boot_id(),
        uid=uid,
        exe=exe,
        argv0=Path(host.exe).name if host.exe else host.comm,
        ancestors=tuple(f"{one.pid}:{_clean(one.comm)}" for one in above[:16]),
        commit=head[0],
        branch=head[1],
        container=container_of(host.pid),
    )


def watch(pid: int) -> int | None:
    """Return a file descriptor that becomes readable when ``pid`` ends (pidfd_open(2)); the caller closes it.

    None where the system has no such thing or the process is gone: poll :func:`alive` instead. The caller compares
    the start time after opening, since the pid may have changed hands before.
    """
    opener = getattr(os, "pidfd_open", None)
    if opener is None:
        return None
    try:
        return int(opener(pid))
    except OSError:
        return None


def small_file(path: str | os.PathLike[str], limit: int = _MAX_SMALL) -> bytes:
    """Return the first ``limit`` bytes of a file, or nothing if it cannot be read or is not a regular file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return b""
    try:
        chunks: list[bytes] = []
        left = limit
        while left > 0:
            chunk = os.read(fd, min(left, 65536))
            if not chunk:
                break
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _clean(text: str) -> str:
    """Return ``text`` as valid Unicode: undecodable bytes of a file name are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
