"""What a person may ask a running daemon: how it is, what waits for an answer, to pause, to resume, to end.

A request from inside an agent's process tree may look but not touch: an agent that could pause its guard would.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from outrider import __version__
from outrider.charter.narrow import effective
from outrider.daemon.asks import Asking
from outrider.daemon.assured import assurance
from outrider.daemon.brokering import Brokering
from outrider.daemon.callers import person
from outrider.daemon.casework import Casework
from outrider.daemon.delegation import Delegation
from outrider.daemon.erasing import Erasing
from outrider.daemon.issuing import Issuing
from outrider.daemon.levers import Levering, described
from outrider.daemon.versions import Versions
from outrider.detect.redact import redact
from outrider.errors import BadInputError, OutriderError
from outrider.events.record import LeverPulled
from outrider.identity import place
from outrider.identity.people import Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from outrider.daemon.sensing import Sensing
    from outrider.daemon.watches import Watches
    from outrider.daemon.wiring import Parts
    from outrider.events.event import Event
    from outrider.events.message import Peer

MAX_PAUSE_US = 24 * 3600 * 1_000_000


class Controls:
    """Answers control requests."""

    def __init__(self, parts: Parts, stop: Callable[[str], None], watches: Watches, sensing: Sensing) -> None:
        self._parts = parts
        self._watches = watches
        self._sensing = sensing
        self._stop = stop
        self._started = parts.scribe.now()
        delegation = Delegation(parts)
        asking = Asking(parts)
        issuing = Issuing(parts)
        erasing = Erasing(parts)
        self.broker = broker = Brokering(parts, issuing)
        self._verbs: dict[str, Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]]] = {
            "status": self._status,
            "sync": self._sync,
            "pause": self._pause,
            "resume": self._resume,
            "lever": Levering(parts).pull,
            "case": Casework(parts).note,
            "asks": asking.asks,
            "answer": asking.answer,
            "token": delegation.token,
            "verify": delegation.verify,
            "spawn": delegation.spawn,
            "credential": broker.credential,
            "used": broker.used,
            "issuer": issuing.published,
            "checked": issuing.checked,
            "rotate": issuing.rotate,
            "erase": erasing.erase,
            "content": erasing.read,
            "roll": self._roll,
            "charters": Versions(parts).charters,
            "down": self._down,
        }

    async def handle(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Return the answer to one request; ``{"error": ..., "fix": ..., "exit_code": ...}`` if it is no."""
        verb = self._verbs.get(str(request.get("do", "")))
        if verb is None:
            return {"error": f"unknown control request {request.get('do')!r}", "fix": "", "exit_code": 2}
        try:
            return await verb(request, peer)
        except OutriderError as error:
            return {"error": str(error), "fix": error.fix, "exit_code": error.exit_code}

    async def _status(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        parts = self._parts
        state = parts.state
        now = parts.scribe.now()
        living = state.registry.living()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started": self._started,
            "events": parts.ledger.size,
            "durable": parts.ledger.durable_size,
            "checkpoint": parts.ledger.checkpoint.size,
            "seal_problem": parts.ledger.seal_problem,
            "living": len(living),
            "observing": sum(1 for agent in living if agent.mode == "observe"),
            "unclaimed": sum(1 for agent in living if agent.charter == "unclaimed"),
            "unmeasured": dict(Counter(name for agent in living for name in parts.enrolment.unmeasured(agent))),
            "outgrown": [agent.id for agent in living if agent.outgrown],
            "opaque_runs": sum(state.opaque.get(agent.id, 0) for agent in living),
            "undeclared": self._watches.undeclared,
            "untold": self._watches.untold,
            "sensor": self._sensing.told(),
            "advice": msgspec.structs.asdict(state.corrections.tally),
            "blind": parts.workers.blind,
            "second_look": parts.second_looks.problems,
            "paused_until": state.paused_until if state.paused(now) else 0,
            "paused_why": state.paused_why if state.paused(now) else "",
            "levers": described(parts, now),
            "asks": state.asks.waiting(now),
            "charters": dict(sorted(state.in_force.items())),
            "refused": parts.charters.refused,
            "undecided_allow": self._undecided_allow(),
            "facts": [[head.ecosystem, head.kind, head.count, head.made] for head in parts.facts.facts.heads],
            "http": parts.config.http.enabled,
            "http_problem": parts.http_problem,
            "issuer_problem": parts.issuer_problem,
            "witnesses": parts.witnesses.told(),
            "timestamps": parts.timestamps.told(),
            "assurance": msgspec.to_builtins(assurance(parts)),
        }

    def _undecided_allow(self) -> list[str]:
        shelf = self._parts.charters
        return [name for name in shelf.names if effective(shelf.line(name)).undecided == "allow"]

    async def _sync(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Make everything appended so far durable and sealed."""
        checkpoint = self._parts.ledger.seal()
        return {"events": self._parts.ledger.size, "checkpoint": checkpoint.size}

    async def _pause(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        person(self._parts, peer)
        why = str(request.get("why", "")).strip()
        lasts = request.get("us")
        if not why:
            raise BadInputError("a pause needs a reason", fix='Say it: `outrider pause 10m --why "..."`.')
        if not isinstance(lasts, int) or not 0 < lasts <= MAX_PAUSE_US:
            raise BadInputError("a pause lasts between a second and a day", fix="For example: `outrider pause 10m`.")
        until = self._parts.scribe.now() + lasts
        event = self._pull("pause", peer, why=redact(why, self._parts.scribe.key)[:200], until=until)
        await self._parts.scribe.durable(event)
        return {"until": until, "event": event.n}

    async def _resume(self, _request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        person(self._parts, peer)
        event = self._pull("resume", peer, why="")
        await self._parts.scribe.durable(event)
        return {"event": event.n}

    async def _roll(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Move the living agents of a charter to its newest version."""
        name = str(request.get("charter", ""))
        parts = self._parts
        parts.charters.refresh()
        if request.get("dry"):
            newest, stale = parts.enrolment.stale(name)
            return {"charter": name, "digest": newest.line[0], "moved": [one.id for one in stale], "dry": True}
        person(parts, peer)
        moved = parts.enrolment.roll(name)
        ids = [event.agent for event in moved]
        if moved:
            await parts.scribe.durable(moved[-1])
        return {
            "charter": name,
            "digest": parts.state.in_force.get(name, ""),
            "moved": ids,
            "outgrown": [agent.id for agent in map(parts.state.registry.by_id, ids) if agent and agent.outgrown],
            "events": [event.n for event in moved],
        }

    async def _down(self, _request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        person(self._parts, peer)
        self._stop(f"asked to by process {peer.pid}")
        return {"pid": os.getpid()}

    def _pull(self, lever: str, peer: Peer, *, why: str, until: int = 0) -> Event:
        by = Pseudonyms(self._parts.scribe.key).of(place.os_user(peer.uid))
        return self._parts.scribe.write(LeverPulled, lever=lever, by=by, why=why, until=until, seal=True)
