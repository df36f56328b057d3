"""Levers pulled on a running daemon: whom they reach is counted, the pull is durable, and then it is answered.

A person may pull any. An agent may stop itself and what descends from it, and nothing else.
"""

from __future__ import annotations

import asyncio
import difflib
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.daemon.callers import agent_of, person
from outrider.detect.redact import redact
from outrider.errors import BadInputError, RefusedError
from outrider.events.record import Beside, LeverPulled
from outrider.identity import place, process
from outrider.identity.ending import end_tree
from outrider.identity.ids import is_agent_id
from outrider.identity.levers import WORDS, Levers, Pulled, Who, scope_of
from outrider.identity.people import Pseudonyms

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.identity.registry import Agent

MAX_OBSERVE_US = 24 * 3600 * 1_000_000
_LISTED = 100
"""Agents that an answer lists by id; all of them are counted."""


class _Order(msgspec.Struct, frozen=True):
    """A lever as it was asked for."""

    lever: str
    kind: str = ""
    value: str = ""
    why: str = ""
    us: int = 0
    dry: bool = False
    kill: bool = False


class Levering:
    """Pulls levers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def pull(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Answer one request, whose ``lever`` is one of :data:`outrider.identity.levers.WORDS`.

        Raises:
            BadInputError: It does not say what, or names nobody.
            RefusedError: It is not for whoever asks.
        """
        try:
            order = msgspec.convert({key: value for key, value in request.items() if key != "do"}, _Order)
        except msgspec.ValidationError as error:
            raise BadInputError(f"not a lever: {error}") from error
        if order.lever not in WORDS:
            raise BadInputError(f"there is no lever {order.lever!r}", fix=f"There are: {', '.join(WORDS)}.")
        scope = self._scope(order)
        reached = self._reached(order, scope)
        told = {
            "lever": order.lever,
            "scope": scope,
            "living": len(reached),
            "agents": [agent.id for agent in reached[:_LISTED]],
            "confined": sum(1 for agent in reached if agent.planned),
            "started": [agent.id for agent in reached if agent.how == "run"][:_LISTED],
        }
        if order.dry:
            return {**told, "dry": True}
        by = self._allowed(order, scope, peer)
        event = self._write(order, scope, by, peer)
        ended = end_revoked(self._parts) if order.lever == "revoke" else 0
        await self._parts.scribe.durable(event)
        killed = await asyncio.to_thread(_end, reached) if order.kill else []
        return {**told, "event": event.n, "until": event.until, "ended": ended, "killed": killed}

    def _write(self, order: _Order, scope: str, by: str, peer: Peer) -> LeverPulled:
        scribe = self._parts.scribe
        above = ", ".join(f"{one.pid}:{one.comm}" for one in process.ancestors(peer.pid)[:8])
        private = {"human": place.os_user(peer.uid), "process": f"{peer.pid} below {above}"}
        return scribe.write(
            LeverPulled,
            beside=Beside(private=private),
            lever=order.lever,
            by=by,
            why=redact(" ".join(order.why.split()), scribe.key)[:200],
            until=scribe.now() + order.us if order.lever == "observe" else 0,
            scope=scope,
            seal=True,
        )

    def _scope(self, order: _Order) -> str:
        """Return whom an order reaches.

        Raises:
            BadInputError: Nobody can be reached by that name, or a time is missing or too long.
        """
        if order.lever == "observe" and not 0 < order.us <= MAX_OBSERVE_US:
            raise BadInputError("observing lasts between a second and a day", fix="For example: --for 1h.")
        if order.kill and order.lever not in {"quarantine", "revoke"}:
            raise BadInputError(f"{order.lever} ends no process", fix="Leave --kill out.")
        value = order.value.strip()
        state = self._parts.state
        if order.kind == "charter":
            names = sorted(state.in_force)
            if value not in names:
                near = difflib.get_close_matches(value, names, 1)
                fix = f"Did you mean {near[0]}?" if near else "`outrider charter list` lists them."
                raise BadInputError(f"there is no charter {value!r}", fix=fix)
        elif order.kind == "sponsor" and not value.startswith("p_"):
            value = Pseudonyms(self._parts.scribe.key).of(value)
        elif order.kind in {"lineage", "agent"}:
            value = self._agent(value)
        scope = scope_of(order.kind, value)
        held = {one.scope for one in state.levers.standing(self._parts.scribe.now())}
        if order.lever == "release" and scope not in held:
            if state.levers.final(scope) is not None:
                raise RefusedError("a revocation is final: what it reached does not come back", fix="Start anew.")
            raise BadInputError(f"nothing is in force for {scope}", fix="`outrider status` shows what is.")
        return scope

    def _agent(self, text: str) -> str:
        """Return the id of the agent that ``text`` is, or ends."""
        registry = self._parts.state.registry
        if registry.by_id(text) is not None or is_agent_id(text):
            return text
        found = [agent.id for agent in registry.everyone() if text and agent.id.endswith(text.upper())]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInputError(f"several agents end in {text!r}", fix="Give more of the id.")
        raise BadInputError(f"there is no agent {text!r}", fix="`outrider agents` lists them.")

    def _allowed(self, order: _Order, scope: str, peer: Peer) -> str:
        """Return who pulls the lever.

        Raises:
            RefusedError: An agent asks, for more than itself and what descends from it.
        """
        agent = agent_of(self._parts, peer)
        kind, _, value = scope.partition(":")
        stops = order.lever in {"quarantine", "revoke"} and kind in {"lineage", "agent"}
        if agent is not None and stops and not order.kill:
            line = self._parts.state.registry.lineage(value)
            if any(one.id == agent.id for one in line):
                return agent.id
        person(self._parts, peer)
        return Pseudonyms(self._parts.scribe.key).of(place.os_user(peer.uid))

    def _reached(self, order: _Order, scope: str) -> list[Agent]:
        """Return the living agents that a lever reaches, or that a release frees."""
        state, now = self._parts.state, self._parts.scribe.now()
        living = state.registry.living()
        if order.lever == "release":
            return [agent for agent in living if _holds(state.levers, state.who(agent), scope, now)]
        tried = Levers()
        until = now + order.us
        word = "quarantine" if order.lever == "revoke" and scope[:5] != "agent" else order.lever
        tried.apply(LeverPulled(v=1, n=1 << 62, ts=now, lever=word, by="", why="", scope=scope, until=until))
        if order.lever == "observe":
            return [
                agent
                for agent in living
                if agent.mode == "enforce"
                and tried.observes((state.who(one) for one in state.registry.lineage(agent.id)), now)
            ]
        return [agent for agent in living if tried.stops(state.who(agent)) is not None]


def _holds(levers: Levers, who: Who, scope: str, now: int) -> bool:
    pulled = levers.stops(who)
    watched = any(one.scope == scope and one.lever == "observe" for one in levers.standing(now))
    return (pulled is not None and pulled.scope == scope) or (watched and scope in set(who.scopes()))


def end_revoked(parts: Parts) -> int:
    """Record the end of every living agent that was revoked, children first; return how many there were."""
    levers, state = parts.state.levers, parts.state
    if not levers.revokes:
        return 0
    found = [(agent, levers.revoked(state.who(agent))) for agent in state.registry.living()]
    ended = sorted(((agent, by) for agent, by in found if by is not None), key=lambda one: -one[0].born_n)
    for agent, by in ended:
        parts.enrolment.end(agent, "revoked", by.why or f"revoked by {by.by}")
    return len(ended)


def described(parts: Parts, now: int) -> list[dict[str, Any]]:
    """Return what is in force, for a status: each with how many living agents it holds."""
    state = parts.state
    standing = state.levers.standing(now)
    if not standing:
        return []
    living = [state.who(agent) for agent in state.registry.living()]
    return [{**msgspec.structs.asdict(one), "living": _count(one, living)} for one in standing]


def _count(pulled: Pulled, living: list[Who]) -> int:
    return sum(1 for who in living if pulled.scope in set(who.scopes()))


def _end(agents: list[Agent]) -> list[int]:
    """End the processes of those agents that Outrider started itself; nothing of any other."""
    started = [agent.attested for agent in agents if agent.how == "run"]
    return [pid for host in started for pid in end_tree(host.pid, host.start)]
