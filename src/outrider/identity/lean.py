"""Agents as they are kept in memory: what a thousand of them have in common is there once."""

from __future__ import annotations

import sys

import msgspec

from outrider.events.attestation import Attestation
from outrider.identity.agent import Agent, Common

_MOST = 4096


class Shelf:
    """What is shared: chains, of charters and of processes; what agents of a class have in common; user ids."""

    def __init__(self) -> None:
        self._chains: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._common: dict[Common, Common] = {}
        self._uids: dict[int, int] = {}

    def chain(self, chain: tuple[str, ...]) -> tuple[str, ...]:
        """Return an equal chain, one and the same for all who ask."""
        if len(self._chains) > _MOST:
            self._chains.clear()
        return self._chains.setdefault(chain, chain)

    def common(self, one: Common) -> Common:
        """Return an equal one, one and the same for all who ask."""
        if len(self._common) > _MOST:
            self._common.clear()
        found = self._common.get(one)
        if found is None:
            chain, planned = self.chain(one.chain), self.chain(one.planned)
            found = msgspec.structs.replace(one, chain=chain, planned=planned)
            self._common[found] = found
        return found

    def lean(self, agent: Agent, above: Agent | None) -> Agent:
        """Return the agent as it is to be kept, below its parent."""
        return msgspec.structs.replace(
            agent,
            like=self.common(agent.like),
            root=above.root if above is not None else agent.id if agent.root == agent.id else agent.root,
            parent=above.id if above is not None else agent.parent,
            attested=self.attested(agent.attested),
            ended=sys.intern(agent.ended),
        )

    def attested(self, whole: Attestation) -> Attestation:
        """Return an equal attestation that shares what it can."""
        return Attestation(
            pid=whole.pid,
            start=whole.start,
            boot=sys.intern(whole.boot),
            uid=self._uids.setdefault(whole.uid, whole.uid),
            exe=sys.intern(whole.exe),
            argv0=sys.intern(whole.argv0),
            # The nearest is its own; those above are shared by whoever was started from the same terminal.
            ancestors=self.chain((*whole.ancestors[:1], *map(sys.intern, whole.ancestors[1:]))),
            commit=sys.intern(whole.commit),
            branch=sys.intern(whole.branch),
            container=sys.intern(whole.container),
        )
