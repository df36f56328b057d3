"""What the kernel could attest of a process."""

from __future__ import annotations

import msgspec


class Attestation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the host's kernel and git could attest at a birth.

    Attributes:
        pid: The agent's host process.
        start: Its start time in clock ticks since boot; with ``pid`` and ``boot`` it names one process for ever.
        boot: Boot id.
        uid: Its user id.
        exe: SHA-256 of its executable, or empty.
        argv0: Base name of its program.
        ancestors: ``pid:program`` of its parents, nearest first.
        commit: Commit that its repository stood at, or empty.
        branch: Branch, or empty.
        container: Container id, or empty.
    """

    pid: int = 0
    start: int = 0
    boot: str = ""
    uid: int = -1
    exe: str = ""
    argv0: str = ""
    ancestors: tuple[str, ...] = ()
    commit: str = ""
    branch: str = ""
    container: str = ""
