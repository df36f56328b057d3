"""What doors hand to the gate, and what the gate hands back: neither knows the host's JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from outrider.events.call import Call


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The process at the other end of the socket, as the kernel names it (SO_PEERCRED).

    Attributes:
        pid: Process id, 0 where the transport cannot say (HTTP).
        uid: User id, -1 where unknown.
    """

    pid: int
    uid: int


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every message from a door carries.

    Attributes:
        door: Name of the door.
        session: The host's id of the session.
        host_agent: The host's id of the sub-agent, or empty.
        cwd: Absolute working directory, or empty where the host does not say.
        event: The host's own name of the event.
        transcript: Path of the host's own transcript, or empty.
    """

    door: str
    session: str
    event: str
    host_agent: str = ""
    cwd: str = ""
    transcript: str = ""


class SessionStarted(_Message, frozen=True, kw_only=True, tag=True):
    """A session begins, resumes, or was cleared. ``source`` is the host's word for which."""

    source: str = ""


class PromptSubmitted(_Message, frozen=True, kw_only=True, tag=True):
    """A person (or a program) gave the agent an instruction."""

    prompt: str


class CallAsked(_Message, frozen=True, kw_only=True, tag=True):
    """The agent asks to do something; the answer decides."""

    call: Call


class PermissionAsked(_Message, frozen=True, kw_only=True, tag=True):
    """The host is about to ask its user about a call; it carries no call id."""

    call: Call


class CallReturned(_Message, frozen=True, kw_only=True, tag=True):
    """A call came back.

    Attributes:
        call: The call as the host repeats it.
        ok: Whether the host says that it succeeded.
        output: Text of the result, or of the error.
        duration_ms: How long the host says it took, or -1.
        child: The host's id of the sub-agent that this call ran, or empty.
    """

    call: Call
    ok: bool
    output: str
    duration_ms: int = -1
    child: str = ""


class BatchReturned(_Message, frozen=True, kw_only=True, tag=True):
    """The host lists the calls of one model turn: those we never saw asked are a gap.

    Attributes:
        calls: ``(call id, host's tool name)`` of each.
    """

    calls: tuple[tuple[str, str], ...]


class SubagentStarted(_Message, frozen=True, kw_only=True, tag=True):
    """The host made a sub-agent: ``host_agent`` is its id, ``agent_type`` the host's word for its kind."""

    agent_type: str = ""


class SubagentStopped(_Message, frozen=True, kw_only=True, tag=True):
    """A sub-agent is done; ``output`` is what it hands to its parent."""

    output: str = ""


class SessionEnded(_Message, frozen=True, kw_only=True, tag=True):
    """The session is over. ``reason`` is the host's word."""

    reason: str = ""


class SettingsChanged(_Message, frozen=True, kw_only=True, tag=True):
    """The host is about to take over a changed configuration file."""

    source: str = ""
    path: str = ""


class HostNote(_Message, frozen=True, kw_only=True, tag=True):
    """Anything else that the host tells; recorded, never judged.

    Attributes:
        known: False if this version of the door has never heard of the event.
        fields: Names of the fields that came with it, sorted. Never their values.
    """

    known: bool = True
    fields: tuple[str, ...] = ()


Message = (
    SessionStarted | PromptSubmitted | CallAsked | PermissionAsked | CallReturned | BatchReturned
    | SubagentStarted | SubagentStopped | SessionEnded | SettingsChanged | HostNote
)  # fmt: skip


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate says; a door renders it in its host's words.

    Attributes:
        verdict: ``silent`` (no opinion: the host's own rules go on), ``allow`` (only where a charter grants),
            ``ask``, ``deny``, or ``error`` rendered as what the charter's ``undecided`` says.
        reason: For the agent: what is wrong, what to do instead, how to get it allowed. Empty when silent.
        context: Guidance to be put into the agent's context, or empty.
        event: Index of the event that recorded it, or -1.
    """

    verdict: Literal["silent", "allow", "ask", "deny"] = "silent"
    reason: str = ""
    context: str = ""
    event: int = -1


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """What a hook client must print and how it must exit: the host's own protocol, ready to send."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0


def text_of(value: Any) -> str:
    """Return the text in a host's JSON value: strings joined by newlines, depth first, keys left out.

    Doors use it for tool results whose shape they do not know; numbers and booleans are written as JSON would.
    Iterative, so that deep nesting cannot exhaust the stack.
    """
    out: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            out.append(item)
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))
        elif item is not None:
            out.append(msgspec.json.encode(item).decode())
    return "\n".join(out)
