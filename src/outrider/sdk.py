"""For programs that make agents: ask who one is, hand on less, become a child.

    from outrider import sdk

    mine = sdk.token()                                              # asked of the daemon, once
    theirs = sdk.narrow(mine, "reviewer", may={"connect": []})      # offline, about 0.1 ms
    child = sdk.spawn(["python", "review.py"], theirs)              # or: sdk.become(theirs) in the child itself
    shown = sdk.credential("https://vault.example")                 # for others: who this agent is, for five minutes

Nothing here can widen anything: what a child may do is what its charter, its narrowing and every ancestor allow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from outrider.config import Home
from outrider.daemon.control import ask
from outrider.errors import OutriderError
from outrider.identity.ids import agent_id
from outrider.identity.tokens import Handed, ends, narrow_with

__all__ = ["Child", "become", "credential", "narrow", "spawn", "token"]


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that was made.

    Attributes:
        agent: Its id.
        charter: Its charter.
        parent: Its parent's id.
        depth: Generations below its root.
        expires: When its life is over, microseconds since 1970 UTC.
        event: Index of its birth in the record.
    """

    agent: str
    charter: str
    parent: str
    depth: int
    expires: int
    event: int


def token(*, home: Home | None = None) -> str:
    """Return a token that speaks for the agent in whose process tree this runs.

    Raises:
        OutriderError: This runs in no agent's tree, or the agent may do nothing.
        UnavailableError: No daemon answers.
    """
    return str(_asked({"do": "token"}, home)["token"])


def credential(audience: str, *, bind: str = "", home: Home | None = None) -> str:
    """Return a token that says outside who this agent is: for one audience and five minutes.

    Args:
        audience: Whom it is for; the agent's charter names it (``brokered:audience:AUDIENCE``).
        bind: Thumbprint of the key that it is bound to (RFC 7638), or empty.
        home: Outrider's home.

    Raises:
        OutriderError: This runs in no agent's tree, or the agent may not have it.
        UnavailableError: No daemon answers.
    """
    return str(_asked({"do": "credential", "service": "token", "audience": audience, "jkt": bind}, home)["token"])


def narrow(
    text: str,
    charter: str,
    *,
    may: Mapping[str, Sequence[str]] | None = None,
    seconds: int = 0,
    calls: int | None = None,
    spawns: int | None = None,
    purpose: str = "",
) -> str:
    """Return the token of a child, made without asking anybody.

    Args:
        text: The token that it is made from.
        charter: Agent class of the child; its parent's charter must let it start that class.
        may: Verb to the patterns that alone it may do of that verb; an empty list forbids the verb.
        seconds: How long it lives; as long as what it is made from if 0.
        calls: Calls that it may make.
        spawns: Children that it may start.
        purpose: What it is for, for the record.

    Raises:
        BadInputError: ``text`` is no token.
    """
    until = ends(text)
    if seconds:
        until = min(until, time.time_ns() // 1000 + seconds * 1_000_000)
    handed = Handed(
        agent=agent_id(),
        charter=charter,
        expires=until,
        may={verb: tuple(patterns) for verb, patterns in (may or {}).items()},
        calls=calls,
        spawns=spawns,
        purpose=purpose,
    )
    return narrow_with(text, handed)


def become(text: str, *, home: Home | None = None) -> Child:
    """Make this process the child that a token names; what it starts from now on is bound by it.

    Raises:
        OutriderError: The token does not hold, was used already, or the child may not be born.
    """
    return msgspec.convert(_asked({"do": "spawn", "token": text, "cwd": os.getcwd()}, home), Child)  # noqa: PTH109


def spawn(command: Sequence[str], text: str, **options: Any) -> subprocess.Popen[Any]:
    """Start a program as the child that a token names; it is born before its first instruction.

    Args:
        command: The program and its arguments.
        text: The token.
        options: For :class:`subprocess.Popen`.
    """
    read, write = os.pipe()
    try:
        os.write(write, text.encode())
        os.close(write)
        launcher = [sys.executable, "-P", "-m", "outrider", "spawn", "--token", f"/dev/fd/{read}", "--", *command]
        return subprocess.Popen(launcher, pass_fds=(read,), **options)
    finally:
        os.close(read)


def _asked(request: dict[str, Any], home: Home | None) -> dict[str, Any]:
    answer = ask((home or Home.default()).socket, request)
    if "error" in answer:
        error = OutriderError(str(answer["error"]), fix=str(answer.get("fix", "")))
        error.exit_code = int(answer.get("exit_code", 1))
        raise error
    return answer
