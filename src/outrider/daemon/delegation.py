"""Delegation on a running daemon: an agent asks for a token that speaks for it; a process becomes a child.

Who asks is told by the process tree, not by what it says. A token is a bearer's word for less: from inside the tree of
an agent it counts only if that agent is in the token's own line, so that nobody slips out of one lineage into another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outrider.daemon.callers import agent_of
from outrider.errors import BadInputError, RefusedError
from outrider.events.record import TokenIssued
from outrider.gate.spawning import Spawning, handed_of
from outrider.gate.standing import stopped
from outrider.identity import process
from outrider.identity.ids import agent_id
from outrider.identity.levers import Who
from outrider.identity.tokens import Handed, Line, Subject, Tokens
from outrider.ledger.keys import token_key

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.events.record import AgentBorn
    from outrider.identity.registry import Agent

_WANTED = ("may", "calls", "spawns", "purpose")
LONGEST_US = 366 * 24 * 3600 * 1_000_000


class Delegation:
    """Answers agents that delegate."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tokens = Tokens(token_key(parts.home.keys / "token.key"))
        self._spawning = Spawning(
            scribe=parts.scribe,
            state=parts.state,
            enrolment=parts.enrolment,
            results=parts.results,
            gate=parts.gate,
        )

    async def token(self, _request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Return a token that speaks for the agent whose process tree the request comes from.

        Raises:
            RefusedError: It comes from no agent's, or that agent may do nothing.
        """
        agent = self._caller(peer)
        state, scribe = self._parts.state, self._parts.scribe
        who = state.who(agent)
        subject = Subject(
            agent=agent.id,
            charter=agent.charter,
            charters=tuple(sorted(who.charters)),
            above=who.above,
            sponsor=agent.sponsor,
            born=agent.born_n,
            expires=agent.expires,
        )
        text = self._tokens.mint(subject)
        line = self._tokens.verify(text, now=scribe.now())
        event = scribe.write(TokenIssued, agent=agent.id, id=line.ids[0], expires=agent.expires, seal=True)
        await scribe.durable(event)
        return {"token": text, "agent": agent.id, "charter": agent.charter, "expires": agent.expires, "event": event.n}

    async def verify(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        """Say whom a token speaks for and until when.

        Raises:
            RefusedError: It does not hold, or is revoked.
        """
        line = self._line(str(request.get("token", "")))
        return {"agent": line.agent, "expires": line.expires, "blocks": len(line.ids), "ids": list(line.ids)}

    async def spawn(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Make the asking process a child: of the agent that it descends from, or of the one that its token names.

        Raises:
            BadInputError: It does not say what the child is to be.
            RefusedError: It may not be born.
        """
        here = process.describe(peer.pid) if peer.pid else None
        if here is None:
            raise RefusedError("the process that asks cannot be seen")
        cwd = str(request.get("cwd", ""))
        cwd = cwd if cwd.startswith("/") else ""
        if text := str(request.get("token", "")):
            line = self._line(text)
            births = await self._by_token(line, here, peer, cwd)
            if not births:
                raise BadInputError("this token makes nobody: it is the agent's own", fix="Narrow it first.")
            return _told(births[-1])
        parent = self._caller(peer)
        handed = self._fresh(request, parent)
        return _told(await self._spawning.spawn(parent, handed, here, cwd=cwd))

    async def _by_token(self, line: Line, here: process.ProcessFacts, peer: Peer, cwd: str) -> list[AgentBorn]:
        """Let everybody be born whom a token makes and who is not yet, parents first.

        Raises:
            RefusedError: The token is another lineage's, was used already, or one of them may not be born.
        """
        registry = self._parts.state.registry
        names = [line.subject.agent, *(one.agent for one in line.handed)]
        asks = agent_of(self._parts, peer)
        if asks is not None and asks.id not in names:
            raise RefusedError(
                f"the token comes from another lineage than agent {asks.id}, in whose process tree it was shown",
                fix="An agent makes its children from its own token.",
                rule="identity.token",
            )
        if line.handed and registry.by_id(line.agent) is not None:
            raise RefusedError(
                f"agent {line.agent} was born already: a token makes one agent, once",
                fix="Make another token.",
                rule="identity.token",
            )

        births = []
        for at, one in enumerate(line.handed):
            if registry.by_id(one.agent) is None:
                parent = self._living(names[at])
                births.append(await self._spawning.spawn(parent, one, here, cwd=cwd, token=line.ids[at + 1]))
        return births

    def _fresh(self, request: dict[str, Any], parent: Agent) -> Handed:
        now = self._parts.scribe.now()
        lasts = request.get("us", 0)
        if not isinstance(lasts, int) or not 0 <= lasts <= LONGEST_US:
            raise BadInputError("a life lasts between a second and a year")
        wanted: dict[str, Any] = {
            name: request[name] for name in ("may", "calls", "spawns", "purpose") if name in request
        }
        until = min(parent.expires, now + lasts) if lasts else parent.expires
        charter = str(request.get("charter", "")) or parent.charter
        made: dict[str, Any] = {"agent": agent_id(), "charter": charter, "expires": until, **wanted}
        return handed_of(made)

    def _caller(self, peer: Peer) -> Agent:
        agent = agent_of(self._parts, peer)
        if agent is None:
            raise RefusedError(
                "this was not asked from inside the process tree of an agent, and only agents delegate",
                fix="`outrider run` starts an agent.",
            )
        return self._living(agent.id)

    def _living(self, identifier: str) -> Agent:
        state, now = self._parts.state, self._parts.scribe.now()
        agent = state.registry.by_id(identifier)
        if agent is None or agent.ended:
            raise RefusedError(f"agent {identifier} is not alive, and only the living delegate", rule="identity.token")
        hit = stopped(agent, state, now)
        if hit is not None:
            raise RefusedError(f"{hit.reason}; {hit.advice}", rule=hit.rule)
        return agent

    def _line(self, text: str) -> Line:
        """Return a token that holds now: verified, and reached by no lever.

        Raises:
            BadInputError: It is no token.
            RefusedError: It does not hold.
        """
        state = self._parts.state
        line = self._tokens.verify(text, now=self._parts.scribe.now())
        for who in whom(line):
            pulled = state.levers.stops(who)
            if pulled is not None:
                raise RefusedError(
                    f"this token is void: {pulled.lever} of {pulled.scope}" + (f", {pulled.why}" if pulled.why else ""),
                    rule=f"lever.{pulled.lever}",
                )
        return line


def whom(line: Line) -> tuple[Who, ...]:
    """Return everybody that a token speaks of, as levers see them: a lever that reaches one of them voids it."""
    subject = line.subject
    found = [
        Who(
            agent=subject.agent,
            above=subject.above,
            charters=frozenset(subject.charters),
            charter=subject.charter,
            sponsor=subject.sponsor,
            born=subject.born,
        )
    ]
    for one in line.handed:
        last = found[-1]
        found.append(
            msgspec.structs.replace(
                last,
                agent=one.agent,
                above=(last.agent, *last.above),
                charters=last.charters | {one.charter},
                charter=one.charter,
            )
        )
    return tuple(found)


def _told(born: AgentBorn) -> dict[str, Any]:
    return {
        "agent": born.agent,
        "charter": born.charter,
        "parent": born.parent,
        "depth": born.depth,
        "expires": born.expires,
        "event": born.n,
    }
