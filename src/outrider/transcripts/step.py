"""One step of a transcript, whichever host wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from outrider.events.call import Tool

What = Literal["began", "prompt", "call", "result", "ended", "unread", "doubt"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a transcript says.

    Attributes:
        what: ``began`` (a session or a sub-agent, before all else of it), ``prompt``, ``call``, ``result``, ``ended``;
            ``unread``: something that could not be read; ``doubt``: something that does not fit together, as after
            an edit.
        session: The host's id of the session.
        agent: The host's id of the sub-agent, or empty for the session's main agent.
        parent: Of a sub-agent or a session that another one started: the host's id of that one, or empty.
        ts: Microseconds since 1970 UTC; 0 where the host wrote no time.
        line: Where it stands: 1 for the first line, message or row.
        file: The file that it stands in, as whoever reads several together says; else empty.
        id: The host's id of the call; of a result, of the call that it answers; made up where the host has none.
        name: The host's own name of the tool.
        tool: The normal tool.
        args: The tool's input in the normal tool's words; what the host says beyond those stays.
        ok: Of a result: whether the host says that the call succeeded.
        text: The prompt, the output, or why something is unread or doubtful.
        cwd: Absolute working directory, or empty.
        model: The model that the host names, or empty.
        version: The host's version, or empty.
        branch: The branch that was checked out, or empty.
    """

    what: What
    session: str
    line: int
    agent: str = ""
    parent: str = ""
    ts: int = 0
    id: str = ""
    name: str = ""
    tool: Tool = "other"
    args: dict[str, Any] = {}
    ok: bool = True
    text: str = ""
    cwd: str = ""
    model: str = ""
    version: str = ""
    branch: str = ""
    file: str = ""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How one host keeps transcripts.

    Attributes:
        name: As in ``outrider import NAME``.
        door: Name of the host's door, as in the record.
        title: The host's name for a person.
        where: Where the host keeps them, for a person.
        finds: Patterns of the files below a folder that are transcripts of this host.
        read: A file to its steps. Bounded memory, whatever the file's size; what cannot be read is a step too.
        tried: The version whose transcripts were seen to be read rightly, or what its form was taken from.
        also: A main transcript to those of its sub-agents, which are read together with it by time.
    """

    name: str
    door: str
    title: str
    where: str
    finds: tuple[str, ...]
    read: Callable[[Path], Iterator[Step]]
    tried: str
    also: Callable[[Path], list[Path]] = lambda _: []
