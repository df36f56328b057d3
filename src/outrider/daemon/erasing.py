"""Erasing content on a person's word: keys, salts and names are destroyed, and an event says so with its basis.

What is to be done is noted before it is begun, so that a crash in between is finished, and told, at the next start.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.daemon.callers import person
from outrider.detect.redact import redact
from outrider.errors import BadInputError, RefusedError
from outrider.events.codec import decode, decode_beside
from outrider.events.content import ContentErased, ContentRead
from outrider.events.record import AgentBorn
from outrider.identity import place
from outrider.identity.people import Pseudonyms
from outrider.ledger.content.keyring import NOBODY

if TYPE_CHECKING:
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.identity.agent import Agent

NOTE = "erasing"
_MOST_EVENTS = 100
_LISTED = 10


class _Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    subject: str = ""
    agent: str = ""
    born: int = -1
    events: tuple[int, ...] = ()
    basis: str = ""
    dry: bool = False


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be destroyed, as it is noted before it is begun."""

    what: str
    handle: str
    events: tuple[int, ...]
    slots: tuple[int, ...]
    keys: tuple[str, ...]
    contents: int
    size: int
    basis: str
    by: str


class Erasing:
    """Answers the control requests that erase content, and that read it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def erase(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Erase what is kept of a subject, an agent or events; with ``dry`` only say how much that is.

        Raises:
            BadInputError: Not exactly one of them is named, it is not known, or no basis is given.
            RefusedError: An agent asks, or what is to be erased is of an agent that lives.
            RecordError: The disk refuses.
        """
        try:
            order = msgspec.convert({key: value for key, value in request.items() if key != "do"}, _Order)
        except msgspec.ValidationError as error:
            raise BadInputError(f"not an erasure: {error}") from error
        if not order.dry:
            person(self._parts, peer)
            if not order.basis.strip():
                raise BadInputError("an erasure needs its basis", fix='Say it: --basis "request of 3 May, article 17".')
        await self._parts.keep.once()  # What waits in staging would come back otherwise.
        plan = await asyncio.to_thread(self._plan, order, peer)
        told = msgspec.to_builtins(plan)
        living = self._living(plan)
        if order.dry:
            return {**told, "dry": True, "living": [agent.id for agent in living[:_LISTED]]}
        if living:
            raise RefusedError(
                f"{len(living)} of its agents live, the first is {living[0].id}: their names are needed to judge them",
                fix="Wait for their end, or end them: `outrider revoke --agent ID --why TEXT`.",
            )
        event = await self._carry_out(plan)
        return {**told, "event": event.n}

    async def finish(self) -> None:
        """Finish and tell an erasure that a crash cut short.

        Raises:
            RecordError: The disk refuses.
        """
        noted = self._parts.contents.noted(NOTE)
        if noted:
            await self._carry_out(msgspec.json.decode(noted, type=_Plan))

    async def read(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Record that a person reads what is kept of an event; they read it themselves.

        Raises:
            BadInputError: No index is given, or nothing is kept of that event.
            RefusedError: An agent asks.
        """
        person(self._parts, peer)
        n = request.get("of")
        if not isinstance(n, int) or not 0 <= n < self._parts.ledger.size:
            raise BadInputError("there is no such event")
        await self._parts.keep.once()
        if await asyncio.to_thread(self._parts.contents.read, n) is None:
            raise BadInputError(f"nothing is kept of event {n}: it was erased, or never kept")
        why = redact(str(request.get("why", "")), self._parts.scribe.key)[:200]
        event = self._parts.scribe.write(ContentRead, of=n, by=self._who(peer), why=why)
        await self._parts.scribe.durable(event)
        return {"event": event.n}

    def _plan(self, order: _Order, peer: Peer) -> _Plan:
        contents = self._parts.contents
        if sum((bool(order.subject), bool(order.agent), bool(order.events))) != 1:
            raise BadInputError("an erasure is of one subject, one agent, or events")
        what, handle = "event", ""
        slots: tuple[int, ...] = ()
        keys: tuple[str, ...] = ()
        if order.subject:
            what, handle = "subject", self._subject(order.subject)
            keys = (contents.keyring.kid(handle).hex(),)
        elif order.agent:
            what, handle = "agent", order.agent
            slots = (self._slot(order),)
        elif len(order.events) > _MOST_EVENTS:
            raise BadInputError(f"at most {_MOST_EVENTS} events are erased at once", fix="Erase them in parts.")
        named = {what: handle} if handle else {"events": order.events}
        found = contents.count(**named)
        if what == "event" and not found.contents:
            raise BadInputError("nothing is kept of that")
        return _Plan(
            what=what, handle=handle, events=order.events, slots=slots, keys=keys, contents=found.contents,
            size=found.size, basis=redact(" ".join(order.basis.split()), self._parts.scribe.key)[:500],
            by=self._who(peer),
        )  # fmt: skip

    def _subject(self, name: str) -> str:
        found = name if name.startswith("p_") else Pseudonyms(self._parts.scribe.key).of(name)
        if found == NOBODY or not self._parts.contents.keyring.kid(found):
            raise BadInputError(
                f"nothing is kept of {name!r}",
                fix="Name a sponsor as `outrider agents --all` shows it, or by pseudonym (p_...).",
            )
        return found

    def _slot(self, order: _Order) -> int:
        """Return the number of an agent's key, which stands beside its birth.

        Raises:
            BadInputError: There is no such agent, or it was erased before.
        """
        known = self._parts.state.registry.by_id(order.agent)
        at = known.born_n if known is not None else order.born
        try:
            leaf, blob = self._parts.ledger.read(at)
        except BadInputError as error:
            raise BadInputError(f"there is no agent {order.agent!r}", fix="`outrider agents --all` lists.") from error
        born, sealed = decode(leaf), decode_beside(blob).sealed
        if not isinstance(born, AgentBorn) or born.agent != order.agent:
            raise BadInputError(f"event {at} is not the birth of {order.agent}")
        if sealed is None or not self._parts.contents.keyring.holds(sealed.slot):
            raise BadInputError(f"{order.agent} has no key: it was erased before, or born before there were any")
        return sealed.slot

    def _living(self, plan: _Plan) -> list[Agent]:
        living = self._parts.state.registry.living()
        return [one for one in living if plan.handle and plan.handle in (one.id, one.sponsor)]

    async def _carry_out(self, plan: _Plan) -> ContentErased:
        parts = self._parts
        await asyncio.to_thread(parts.contents.note, NOTE, msgspec.json.encode(plan))
        named: dict[str, Any] = {plan.what: plan.handle} if plan.handle else {"events": plan.events}
        await asyncio.to_thread(lambda: parts.contents.erase(**named, slots=plan.slots))
        event = parts.scribe.write(
            ContentErased, what=plan.what, handle=plan.handle, events=plan.events, upto=parts.ledger.size,
            keys=plan.keys, slots=plan.slots, contents=plan.contents, size=plan.size, basis=plan.basis, by=plan.by,
            seal=True,
        )  # fmt: skip
        await parts.scribe.durable(event)
        parts.forget()
        await asyncio.to_thread(parts.contents.note, NOTE, b"")
        return event

    def _who(self, peer: Peer) -> str:
        return Pseudonyms(self._parts.scribe.key).of(place.os_user(peer.uid))
