"""Which version of each charter is in force, who signed it, and which living agents stand under another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer


class Versions:
    """Tells them; anybody may ask."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def charters(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Return each charter in force or refused, by name.

        ``older`` are the living agents whose own line is not the one in force: their charter was edited, or what it
        extends, since they were born or last rolled.
        """
        charters = self._parts.charters
        if charters.refresh():
            await self._parts.ledger.durable(self._parts.ledger.size - 1)
        return {"charters": {name: self._one(name) for name in sorted({*charters.names, *charters.refused})}}

    def _one(self, name: str) -> dict[str, Any]:
        parts = self._parts
        known = parts.charters.get(name)
        living = [agent for agent in parts.state.registry.living() if agent.charter == name]
        try:
            older = parts.enrolment.stale(name)[1]
        except BadInputError:
            older = []
        return {
            "in_force": known.digest if known is not None else "",
            "signer": parts.state.signers.get(name, "") if known is not None else "",
            "refused": parts.charters.refused.get(name, ""),
            "living": len(living),
            "older": [{"agent": agent.id, "digest": agent.digest, "born": agent.born_ts} for agent in older],
        }
