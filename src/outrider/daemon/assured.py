"""How much this host's record proves, as its daemon knows it: who cosigned it, and which users its agents ran as."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from outrider.ledger.separation import Assurance, assured, separation, user_id

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts


def assurance(parts: Parts) -> Assurance:
    """Return the assurance level, computed now.

    Counted are the users of all agents that the record knows, gone ones too: who could once write it could have.
    """
    users = parts.config.daemon.users
    ids = {agent.attested.uid for agent in parts.state.registry.everyone()}
    ids |= {user_id(one) for one in users} if users else {os.getuid()}
    witnessed = parts.witnesses.level() == "witnessed"
    return assured(separation(parts.home, ids), witnessed=witnessed)
