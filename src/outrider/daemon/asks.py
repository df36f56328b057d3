"""Questions that wait for a person, shown and answered on a running daemon.

An agent may look at them and answers none: who answers is told by the process that asks and by what started it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outrider.charter.narrow import approvers
from outrider.charter.ruling import settings_of
from outrider.daemon.callers import agent_of, person
from outrider.daemon.proposals import proposals
from outrider.daemon.users import concerns
from outrider.detect.redact import redact
from outrider.errors import BadInputError, RefusedError
from outrider.events.asked import Answered, Reach
from outrider.events.record import AskAnswered, Beside
from outrider.gate.words import doing
from outrider.identity import place, process
from outrider.identity.people import Pseudonyms

if TYPE_CHECKING:
    from outrider.charter.narrow import Effective
    from outrider.daemon.wiring import Parts
    from outrider.events.message import Peer
    from outrider.gate.asks import Question

_SAY_YES = "say yes when asked, or "


class _Order(msgspec.Struct, frozen=True):
    """An answer as it was given."""

    question: int
    yes: bool
    reach: Reach = "once"
    why: str = ""


class Asking:
    """Shows and answers questions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def asks(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Return the questions that wait; with ``all``, also those of living agents that are over.

        What the calls say is shown to a person only: one agent's commands are no other's business.

        Raises:
            RefusedError: The process that asks cannot be seen.
        """
        is_person = agent_of(self._parts, peer) is None
        now = self._parts.scribe.now()
        by_id = self._parts.state.registry.by_id
        found = [one for one in self._parts.state.asks.everyone() if concerns(self._parts, by_id(one.agent), peer)]
        shown = found if request.get("all") else [one for one in found if one.waits(now)]
        texts = self._parts.state.asks.text if is_person else lambda _n: ""
        return {"asks": [{**self._told(one, now), "call": texts(one.n)} for one in shown]}

    async def answer(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        """Record a person's answer to a question; it holds from the agent's next call on.

        Raises:
            BadInputError: There is no such question, it is over, or it cannot be answered so.
            RefusedError: An agent asks, or somebody whom the charter does not let answer.
        """
        try:
            order = msgspec.convert({key: value for key, value in request.items() if key != "do"}, _Order)
        except msgspec.ValidationError as error:
            raise BadInputError(f"not an answer: {error}") from error
        person(self._parts, peer)
        scribe, state = self._parts.scribe, self._parts.state
        now = scribe.now()
        one = next((one for one in state.asks.everyone() if one.n == order.question), None)
        if one is None or not concerns(self._parts, state.registry.by_id(one.agent), peer):
            fix = "`outrider asks` lists those that wait; a question ends with its agent, and when the call has run."
            raise BadInputError(f"there is no question {order.question}", fix=fix)
        self._approves(one, peer)
        if now >= one.until or one.over >= 0:
            fix = "Let the agent make the call again: that asks anew."
            raise BadInputError(f"question {one.n} is over: nobody answered it in time, and that is a no", fix=fix)
        _check(one, order)
        event = scribe.write(
            AskAnswered,
            agent=one.agent,
            beside=Beside(private=self._who(peer)),
            answer=Answered(
                question=one.n,
                yes=order.yes,
                reach=order.reach if order.yes else "once",
                until=now + one.until - one.ts if order.yes and order.reach == "once" else 0,
                by=Pseudonyms(scribe.key).of(place.os_user(peer.uid)),
                why=redact(" ".join(order.why.split()), scribe.key)[:200],
            ),
            seal=True,
        )
        await scribe.durable(event)
        told = {**self._told(one, now), "event": event.n, "yes": order.yes, "answer": msgspec.to_builtins(event.answer)}
        if order.yes and order.reach == "charter":
            told["changes"] = msgspec.to_builtins(proposals(one, state, self._parts.home))
        return told

    def _approves(self, one: Question, peer: Peer) -> None:
        """Let a person answer a question, or raise.

        Raises:
            RefusedError: A charter of the agent's chain leaves it to others.
        """
        user, groups = place.os_user(peer.uid), place.os_groups(peer.uid)
        mine = {user, *(f"group:{name}" for name in groups)}
        settings = self._settings(one)
        if settings is not None and not all(mine & set(listed) for listed in settings.ask_approvers):
            raise RefusedError(
                f"question {one.n} is for {approvers(settings)} to answer, and you are {user}",
                fix="Ask them, or change approvers in [ask] of the charter and roll it.",
            )

    def _settings(self, one: Question) -> Effective | None:
        agent = self._parts.state.registry.by_id(one.agent)
        return settings_of(self._parts.chains.of(agent)) if agent is not None else None

    def _who(self, peer: Peer) -> dict[str, str]:
        above = ", ".join(f"{one.pid}:{one.comm}" for one in process.ancestors(peer.pid)[:8])
        return {"human": place.os_user(peer.uid), "process": f"{peer.pid} below {above}"}

    def _told(self, one: Question, now: int) -> dict[str, Any]:
        agent, settings = self._parts.state.registry.by_id(one.agent), self._settings(one)
        return {
            "question": one.n,
            "asked": one.ts,
            "until": one.until,
            "by": one.by,
            "waits": one.waits(now),
            "agent": one.agent,
            "charter": agent.charter if agent is not None else "",
            "for": approvers(settings) if settings is not None else "",
            "tool": one.name,
            "what": [doing(effect) for effect in _in_question(one)],
            "because": [reason for reason, _ in one.reasons if reason],
            "instead": [unlock.removeprefix(_SAY_YES) for _, unlock in one.reasons if unlock],
            "answer": msgspec.to_builtins(one.answer) if one.answer is not None else None,
            "used": one.used is not None,
            "lapsed": one.over >= 0,
        }


def _in_question(one: Question) -> list[Any]:
    """Return the effects that rules spoke of, or all where they spoke of the call as a whole."""
    places = dict.fromkeys(at for _, _, _, at in one.said if 0 <= at < len(one.effects))
    return [one.effects[at] for at in places] or list(one.effects)


def _check(one: Question, order: _Order) -> None:
    """Let an answer be given to a question, or raise.

    Raises:
        BadInputError: A yes to it would not be about one thing.
    """
    if not order.yes or order.reach == "charter":
        return
    if not one.whole:
        raise BadInputError(
            f"question {one.n} cannot be answered with yes: the call does more than the record names",
            fix="Have the agent make it in smaller steps.",
        )
    if order.reach == "agent" and (why := one.no_standing_yes()):
        raise BadInputError(
            f"question {one.n} cannot be answered for all that this agent does: {why}",
            fix=f"Answer it once: `outrider answer {one.n} yes`.",
        )
