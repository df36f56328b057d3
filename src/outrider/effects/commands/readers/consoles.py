"""Readers of clients of services: what takes something away there is a change of what is deployed."""

from __future__ import annotations

import re

from outrider.effects.commands.invocation import Invocation
from outrider.effects.commands.roles import ROLES, host_of
from outrider.effects.shell.state import Flow

_TAKES = re.compile(
    r"-{0,2}(delete|del|rm|remove|remove-secret|purge|destroy|drop|forget|prune|archive|unarchive|revoke|transfer|rename|"
    r"reset|rotate|alter|unsafe-allow-remove-all|disable|terminate|flushall|flushdb|reset-offsets|visibility)\Z"
)
"""Words that take something away on a service, or put it out of reach."""


def taken(run: Invocation) -> str:
    """Return which word of the command takes something away on the service, or an empty text."""
    for word in run.words:
        found = _TAKES.match(word.text.lower())
        if found:
            return found[1]
    return ""


def console(run: Invocation) -> Flow:
    """A client of a service: reaching it is ``connect``; taking something away there is ``deploy``."""
    what = "delete" if "-delete-" in run.name else taken(run)
    if what:
        run.emit("deploy", "tool", f"{run.name}:{what}", run.at, ("forced",))
    words = [word.text for word in run.words]
    for place, word in enumerate(run.words):
        text = word.text.removeprefix("rest:")
        before = words[place - 1] if place else ""
        if before in {"--rsh", "--remote-path", "--password-command"}:
            ROLES["escape" if before == "--rsh" else "shell"](run, word)
        elif re.match(r"(?:https?|sftp|ssh)://", text):
            run.emit("connect", "host", host_of(text), word, ("upload",))
        elif "backup" in words[:place] and word.text.startswith(("/", "~", ".")):
            run.path("read", word, ("recursive",))
    run.opaque("talks to a service that its set-up names")
    return Flow(origin="network")


READERS = {"console": console}
