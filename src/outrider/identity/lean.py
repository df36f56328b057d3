"""Agents as they are kept in memory: what a thousand of them have in common is there once.

Strings that many agents share are interned (which ends with the last of them), and so are chains of charters.
"""

from __future__ import annotations

import sys

import msgspec

from outrider.events.attestation import Attestation
from outrider.identity.agent import Agent

_MOST = 4096
_SHARED = ("charter", "digest", "sponsor", "how", "door", "mode", "home", "repo", "cwd", "ended")


class Shelf:
    """Chains, of charters and of processes, that are shared."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, ...], tuple[str, ...]] = {}

    def chain(self, chain: tuple[str, ...]) -> tuple[str, ...]:
        """Return an equal chain, one and the same for all who ask."""
        if len(self._chains) > _MOST:
            self._chains.clear()
        return self._chains.setdefault(chain, chain)

    def lean(self, agent: Agent, above: Agent | None) -> Agent:
        """Return the agent as it is to be kept, below its parent."""
        return msgspec.structs.replace(
            agent,
            root=above.root if above is not None else agent.id if agent.root == agent.id else agent.root,
            parent=above.id if above is not None else agent.parent,
            chain=self.chain(agent.chain),
            planned=self.chain(agent.planned),
            attested=self.attested(agent.attested),
            **{name: sys.intern(getattr(agent, name)) for name in _SHARED},
        )

    def attested(self, whole: Attestation) -> Attestation:
        """Return an equal attestation that shares what it can."""
        return Attestation(
            pid=whole.pid,
            start=whole.start,
            boot=sys.intern(whole.boot),
            uid=whole.uid,
            exe=sys.intern(whole.exe),
            argv0=sys.intern(whole.argv0),
            # The nearest is its own; those above are shared by whoever was started from the same terminal.
            ancestors=self.chain((*whole.ancestors[:1], *map(sys.intern, whole.ancestors[1:]))),
            commit=sys.intern(whole.commit),
            branch=sys.intern(whole.branch),
            container=sys.intern(whole.container),
        )
