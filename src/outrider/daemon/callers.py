"""Who asks on the control channel: a person, or something inside an agent's process tree.

The kernel names the process at the other end of the socket; its ancestors say whether an agent started it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.errors import RefusedError
from outrider.identity import process

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.identity.registry import Agent

_OWN = "Ask from a terminal of your own."


def agent_of(parts: Parts, peer: Peer) -> Agent | None:
    """Return the agent whose process tree a request comes from; None for nobody's.

    Raises:
        RefusedError: The process that asks cannot be seen.
    """
    here = process.read(peer.pid) if peer.pid else None
    if here is None:
        raise RefusedError("the process that asks cannot be seen", fix=_OWN)
    return parts.state.registry.nearest_ancestor_agent((here, *process.ancestors(peer.pid)))


def person(parts: Parts, peer: Peer) -> None:
    """Refuse a request that comes from an agent's process tree.

    Raises:
        RefusedError: It does, or the kernel does not say where it comes from.
    """
    agent = agent_of(parts, peer)
    if agent is not None:
        raise RefusedError(
            f"this was asked from inside the process tree of agent {agent.id}; agents cannot change their guard",
            fix=_OWN,
        )
    first = _first_host(parts)
    if first >= 0 and process.cut_off(peer.pid, first):
        raise RefusedError(
            "nobody can say who started the process that asks: it was cut off from what did, as an agent could",
            fix=_OWN,
        )


def _first_host(parts: Parts) -> int:
    """Return when the first host process of an agent of this boot started, in clock ticks; -1 for none."""
    boot = process.boot_id()
    hosts = [agent.attested for agent in parts.state.registry.everyone()]
    return min((host.start for host in hosts if host.pid > 0 and host.boot == boot), default=-1)
