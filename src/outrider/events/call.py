"""What an agent asks to do, in our normal form: the host that carried it is forgotten here.

A :class:`Call` is one request; its :class:`Effect` list says what it would really do; a :class:`Finding` says what
a detector saw in it; a :class:`Label` marks what the agent's context carries.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Verb = Literal[
    "exec", "read", "write", "delete", "connect", "call", "spawn", "install", "commit", "push", "deploy",
    "use_credential", "prompt", "unparsed", "opaque",
]  # fmt: skip
VERBS: tuple[str, ...] = Verb.__args__  # type: ignore[attr-defined]

ResourceKind = Literal[
    "path", "host", "command", "package", "tool", "repo", "credential", "charter", "text", "agent"
]  # fmt: skip

Tool = Literal[
    "shell", "read", "write", "edit", "search", "fetch", "websearch", "spawn", "mcp", "settings", "prompt",
    "credential", "other"
]  # fmt: skip
"""The normal tools. Every door maps its host's own names to these; ``other`` is named, never dropped."""

Severity = Literal["high", "medium", "low"]
Confidence = Literal["high", "medium", "low"]
Excused = Literal["", "added", "standing", "listed"]
"""Who lets a finding be: a comment that the same change brings, a comment that stood there before, the repository's
list of suppressions; empty for nobody."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One thing an agent asks to do.

    Attributes:
        door: Name of the door it came through, such as ``claude_code``.
        session: The host's id of the session.
        host_agent: The host's id of the sub-agent, or empty for the session's main agent.
        call_id: The host's id of this call; a door makes one up where the host has none.
        tool: The normal tool.
        name: The host's own name of the tool, such as ``Bash`` or ``mcp__github__get_issue``.
        args: The tool's input exactly as the host sent it.
        cwd: Absolute working directory, as the host said it.
        mode: The host's permission mode, or empty.
    """

    door: str
    session: str
    call_id: str
    tool: Tool
    name: str
    args: dict[str, Any]
    cwd: str
    host_agent: str = ""
    mode: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing a call would really do: a verb on a resource.

    Attributes:
        verb: What is done.
        kind: What sort of resource it is done to.
        value: The resource. A path is absolute and lexically normal (no ``..``, ``~`` expanded) or, where it can
            not be known, exactly as written; a host is ``name`` or ``name:port`` in lower case; a package is
            ``pypi:name``; a tool is ``mcp:server/tool``; a command is the program's name; a repo is
            ``remote/branch`` for ``push`` and the work tree for ``commit``.
        resolved: For a path, where it leads once symbolic links are followed, if that differs from ``value``.
            Judged as well as ``value``; the worse verdict wins.
        start: Byte offset in the call's text at which the evidence starts.
        end: Byte offset just behind the evidence. ``start == end == 0`` means the whole call.
        flags: Facts about the effect that policy may ask for, sorted: ``elevated`` (sudo and its kin),
            ``recursive`` (all below it as well), ``forced``, ``remote`` (runs on another host), ``pattern``
            (``value`` holds a glob), ``inexact`` (part of ``value`` could not be known), ``names`` (names below it
            are listed, what is in the files is not read), ``hooks_off`` (starts an agent host with its hooks
            switched off), ``detached`` (starts an agent whose parent nobody could tell), ``guard_off`` (changes or
            ends Outrider), ``unasked`` (starts an agent that asks nobody), ``upload`` (a connect that carries data
            out), ``sent`` (read in a call that carries data out), ``sweep`` (one of many hosts or ports that are
            asked), ``tunnel`` (lets others reach this host), ``covert`` (a looked-up name made of other data),
            ``hunts`` (looks elsewhere for files named like keys),
            ``published`` (others will take it), ``moved`` (what is deleted comes to be elsewhere), ``shown`` (the
            environment, printed as a whole), ``looks`` (a connect
            that only asks what is there), ``invisible`` (hidden by the shell's own
            quoting or encoding), ``discards`` (throws away work that git cannot bring back), ``git-own`` (git's own
            writing in its folder, which sets no key and puts no program there), ``git-safe`` and ``git-exec`` (sets
            a key of git's configuration that runs nothing, or that makes git run something), ``listed`` and
            ``suspect`` (a package's name that a list of names holds, or that what is known of names speaks against),
            ``lent`` (a credential that the broker makes for the agent).
        note: Why, for a person, where the effect is not obvious: ``could not read the text after line 3``.
    """

    verb: Verb
    kind: ResourceKind
    value: str
    resolved: str = ""
    start: int = 0
    end: int = 0
    flags: tuple[str, ...] = ()
    note: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a detector says about a call's content.

    Attributes:
        rule: Rule id, such as ``secret.aws-access-key``.
        severity: How bad it is if it is so.
        confidence: How sure the detector is.
        where: Which part of the call, such as ``args.content``.
        start: Character offset in that part.
        end: Character offset just behind.
        message: One sentence for a person; never holds the secret itself.
        advice: What to write instead, one sentence.
        print: Keyed print of the matched value, hex, where the value must not be shown.
        suppressed: The reason that somebody gave for letting it be, or empty.
        excused: Who gave it.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    where: str
    message: str
    advice: str
    start: int = 0
    end: int = 0
    print: str = ""
    suppressed: str = ""
    excused: Excused = ""


class Label(msgspec.Struct, frozen=True, order=True):
    """A mark on an agent's context or on a file, with the event that it came from.

    Attributes:
        name: ``untrusted``, ``secret``, ``pii`` or a charter's own.
        origin: Index of the event in the record; -1 while the event that brings it is being judged.
    """

    name: str
    origin: int


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about the world that judging needs, to be gathered with bounded I/O.

    Attributes:
        path: Absolute path.
        content_limit: Bytes of content wanted, 0 for none (only where it leads and what it is).
    """

    path: str
    content_limit: int = 0


class PathFact(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a path.

    Attributes:
        path: The path that was asked for.
        real: Where it leads with every symbolic link followed; for a path that does not exist, its nearest existing
            ancestor resolved, plus the rest. Empty if it could not be resolved (a loop, no permission).
        state: What stands there.
        content: The bytes wanted, if they were wanted and could be read whole; else None.
        digest: SHA-256 of ``content``, hex, or empty.
    """

    path: str
    real: str
    state: Literal["file", "dir", "missing", "other", "unresolvable"]
    content: bytes | None = None
    digest: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a call would do, and which facts are needed before it can be judged.

    Attributes:
        effects: Effects in the order in which they would happen; paths not yet resolved.
        wants: Facts to gather, without duplicates.
        text: The text that the effects' offsets point into (a command line), or empty.
        written: Paths and the texts that a command line puts into them, where both are known.
    """

    effects: tuple[Effect, ...]
    wants: tuple[Want, ...] = ()
    text: str = ""
    written: tuple[tuple[str, str], ...] = ()
