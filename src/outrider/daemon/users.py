"""Other users whose agents a daemon serves: who they are, what lets them in, and what they may ask of it.

A system's daemon runs as a user of its own. Those whom its configuration names may have their agents judged, look, and
answer their own agents' questions; whatever changes the guard is for the daemon's own user and for root.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

from outrider.config import load_config
from outrider.errors import BadInputError
from outrider.ledger.separation import user_id

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.config import Home
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

MAY_ASK: Final = frozenset({
    "status", "sync", "token", "verify", "spawn", "credential", "used", "issuer", "checked", "asks", "answer",
})  # fmt: skip
"""What another user may ask on the control channel."""

NO_LAUNCH: Final = (
    "the system's daemon judges agents and does not start them: `outrider run` needs a daemon of your own"
    " (OUTRIDER_HOME=~/.outrider)"
)
_REFUSED: Final = "this daemon belongs to another user, who alone may change it"


class Users:
    """The other users of one daemon. Without any, nobody but its own user and root reaches it."""

    def __init__(self, home: Home) -> None:
        """Read who they are from the configuration, once."""
        self._home = home
        try:
            named = load_config(home).daemon.users
        except BadInputError:
            named = ()  # The daemon says so itself, and does not start.
        found = {name: user_id(name) for name in named}
        for name, uid in found.items():
            if uid < 0:
                log.warning("there is no user %s, whose agents are to be served", name)
        self.ids = frozenset(uid for uid in found.values() if uid >= 0) - {os.getuid(), 0}

    def let_in(self) -> None:
        """Open the socket and the spool to others, if there are any; the kernel says who they are on every connection.

        The spool can be written to and neither be read, removed nor replaced: its directory is not theirs.
        """
        if not self.ids:
            return
        # outrider: allow code.python-world-writable -- who connects is told by the kernel and looked up in a list
        self._home.socket.chmod(0o666)
        open_spool(self._home.spool)

    def refuses(self, request: dict[str, Any], peer: Peer) -> dict[str, Any] | None:
        """Return the no to a request that is not another user's to make, or None."""
        if peer.uid not in self.ids or request.get("do") in MAY_ASK:
            return None
        return {"error": _REFUSED, "fix": "Ask as root: `sudo outrider ...`.", "exit_code": 4}


def open_spool(spool: Path) -> None:
    """Make the spool that other users' hooks add lines to, if it is not there."""
    fd = os.open(spool, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        os.fchmod(fd, 0o622)
    finally:
        os.close(fd)


def is_shared(home: Home) -> bool:
    """Whether other users may add to the spool."""
    try:
        return bool(home.spool.lstat().st_mode & 0o022)
    except OSError:
        return False


def concerns(parts: Parts, agent: Agent | None, peer: Peer) -> bool:
    """Whether an agent's questions are for the user behind ``peer`` to see and answer: their own, or all for its owner.

    A charter may narrow this further, by its approvers.
    """
    if peer.uid in {os.getuid(), 0} or not parts.config.daemon.users:
        return True
    return agent is not None and agent.attested.uid == peer.uid
