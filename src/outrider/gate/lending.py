"""What an agent is lent: asked for like any other call, judged by its charters' ``use_credential``, then recorded.

The order is the point. The decision is durable before anybody abroad is asked, and ``credential.issued`` before the
agent has what it names, so that there is no session abroad that the record does not know.

What the host is told is not enough here. An agent that is only observed keeps what it has, but is lent nothing that its
charters would refuse it, and ``*`` is no name: the agent's own charter says which of ours it may use.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.charter.model import from_canonical
from outrider.charter.names import parse_name
from outrider.errors import RefusedError
from outrider.events import message as m
from outrider.events.call import Call
from outrider.events.codec import decode
from outrider.events.credential import CredentialIssued, CredentialUsed
from outrider.events.record import Beside, CallDecided, Entity
from outrider.gate import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.gate.apply import Gate
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.registry import Agent

DOOR = "broker"
OURS = "brokered:"
"""How the names of what the broker lends begin."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that the gate let through.

    Attributes:
        agent: Whose it is.
        call: The call that it was judged as.
        name: The credential as charters name it.
        event: Index of the decision.
    """

    agent: Agent
    call: Call
    name: str
    event: int


class Lending:
    """Judges requests for credentials and records what comes of them."""

    def __init__(
        self, *, scribe: Scribe, state: State, results: Results, gate: Gate, read: Callable[[int], tuple[bytes, bytes]]
    ) -> None:
        """Wire it.

        Args:
            scribe: Writes events.
            state: What is true now.
            results: Closes the calls.
            gate: Judges them.
            read: Returns the leaf of an event, and what lies beside it.
        """
        self._scribe = scribe
        self._state = state
        self._read = read
        self._results = results
        self._gate = gate

    async def judge(self, agent: Agent, name: str) -> Asked:
        """Let the gate judge the use of a credential.

        Raises:
            RefusedError: It says no, or would ask a person, and none is there.
        """
        call = Call(
            door=DOOR,
            session=agent.session,
            host_agent=agent.host_agent,
            call_id=f"credential-{secrets.token_hex(8)}",
            tool="credential",
            name="outrider credential",
            args={"credential": name},
            cwd=agent.cwd,
        )
        message = m.CallAsked(door=DOOR, session=agent.id, event="lend", cwd=agent.cwd, call=call)
        answer = await self._gate.judge(message, call, agent)
        if answer.verdict in {"deny", "ask"}:
            raise RefusedError(answer.reason, rule="use_credential")
        asked = Asked(agent=agent, call=call, name=name, event=answer.event)
        why = self._previewed(asked) or self._unnamed(asked)
        if why:
            await self.closed(asked, ok=False)
            raise RefusedError(why, rule="use_credential")
        return asked

    def _previewed(self, asked: Asked) -> str:
        """Return why an agent that is only observed, or whose guard is paused, is lent nothing; empty if it may be."""
        event = decode(self._read(asked.event)[0])
        if not isinstance(event, CallDecided) or event.decision.verdict == "allow":
            return ""
        return words.refusal(event.decision, event.effects, event.n)

    def _unnamed(self, asked: Asked) -> str:
        """Return why an agent is not lent what its own charter does not name; empty if it does."""
        charter = from_canonical(self._state.charters[asked.agent.digest][1].encode())
        texts = (text for text in charter.may.get("use_credential", ()) if text.startswith(OURS))
        if any(parse_name(text).fullmatch(asked.name) for text in texts):
            return ""
        return (
            f"charter {charter.name} allows {asked.name} by no name, and Outrider lends only what is named; "
            f'your person can add it to the charter: use_credential = ["{asked.name}"]'
        )

    async def issued(self, asked: Asked, **fields: Any) -> CredentialIssued:
        """Record what was lent, durably; ``fields`` are the event's own."""
        session = str(fields["session"])
        event = self._scribe.write(
            CredentialIssued,
            agent=asked.agent.id,
            name=asked.name,
            intent=asked.event,
            beside=Beside(entities=(Entity("credential", "credential", session),)),
            seal=True,
            **fields,
        )
        await self.closed(asked, ok=True)
        return event

    async def used(self, agent: Agent, **fields: Any) -> CredentialUsed:
        """Record that a credential was shown, durably; ``fields`` are the event's own."""
        entity = Entity("credential", "credential", str(fields["session"]))
        event = self._scribe.write(CredentialUsed, agent=agent.id, beside=Beside(entities=(entity,)), **fields)
        await self._scribe.durable(event)
        return event

    async def closed(self, asked: Asked, *, ok: bool) -> None:
        """Record how the request ended, durably, with all that was written before."""
        await self._scribe.durable(self._results.came_back(asked.call, asked.agent, "lent", ok=ok))
