"""How the kernel holds an agent, as its birth says it."""

from __future__ import annotations

import msgspec


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an agent's process tree is held by the kernel, as applied before its first instruction.

    Attributes:
        files: ``landlock:`` and the version of its interface, or empty where files are not held.
        view: Whether it has a file system and a network of its own to look at.
        network: ``proxy``, ``port`` or ``told`` (see :mod:`outrider.confine.plan`).
        calls: Whether system calls are filtered.
        seen: Whether what its processes do is heard from the kernel (:mod:`outrider.events.done`).
        whole: Whether files, network and system calls are all held.
        lacks: What is not held: its name, and the first patterns that it is about.
        scrubbed: Names of variables that were taken out of its environment.
        kept: Names of variables with secrets that its charter lets it keep.
        lent: Secrets and files that no charter grants and that its command needs for itself.
        reaches: Hosts that no charter grants and that its command needs for itself.
    """

    files: str = ""
    view: bool = False
    network: str = ""
    calls: bool = False
    seen: bool = False
    whole: bool = False
    lacks: tuple[str, ...] = ()
    scrubbed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    lent: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
