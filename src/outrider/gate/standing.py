"""What stops an agent before any charter is asked: its life is over, or a person has pulled a lever.

Nothing loosens these: no mode, no pause, no charter.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from outrider.errors import RefusedError
from outrider.events.decision import Decision, RuleHit

if TYPE_CHECKING:
    from outrider.charter.model import Budget
    from outrider.gate.judge import Judged
    from outrider.gate.state import State
    from outrider.identity.birth import Birth
    from outrider.identity.levers import Pulled
    from outrider.identity.registry import Agent

QUARANTINE = "lever.quarantine"
REVOKED = "lever.revoked"
EXPIRED = "identity.expired"


def stopped(agent: Agent, state: State, now: int) -> RuleHit | None:
    """Return why an agent may do nothing at all at ``now`` (microseconds since 1970 UTC); None if it may."""
    pulled = state.levers.stops(state.who(agent))
    if pulled is not None:
        return _lever_hit(agent, pulled, now)
    if agent.expires and now > agent.expires:
        return RuleHit(
            rule=EXPIRED,
            verdict="deny",
            charter=agent.charter,
            digest=agent.digest,
            reason="this agent's life is over: its charter gives it a time to live, and that has passed",
            advice="finish by telling your user what is left to do; a new session gets a new life",
        )
    return None


def refuse(judged: Judged, hit: RuleHit, agent: Agent) -> Judged:
    """Return the judgement of a call of an agent that may do nothing."""
    decision = Decision(verdict="deny", enforced="deny", hits=(hit, *judged.decision.hits)[:16], mode=agent.mode)
    return msgspec.structs.replace(judged, decision=decision)


def observed(agent: Agent, state: State, now: int) -> bool:
    """Tell whether a lever lets an agent be observed only at ``now``."""
    return state.levers.observes((state.who(one) for one in state.registry.lineage(agent.id)), now)


def check_birth(birth: Birth, parent: Agent | None, state: State, now: int) -> None:
    """Let an agent be born, or raise.

    Raises:
        RefusedError: A lever keeps agents like it from being born, or its parent may do nothing.
    """
    who = state.who_would_be(birth)
    pulled = state.levers.stops(who)
    if pulled is None and parent is not None:
        pulled = state.levers.stops(state.who(parent))
    if pulled is not None:
        raise RefusedError(
            f"no agent can be born here: {_said(birth.charter, pulled, now)}",
            fix="Stop, and tell your person.",
            rule=QUARANTINE if pulled.lever == "quarantine" else REVOKED,
        )


def check_budget(parent: Agent, budget: Budget, state: State, charter: str) -> None:
    """Let a child be born as far as its parent's budget goes, or raise.

    A child that a judged call announced was counted with that call; one that comes unannounced is counted here.

    Args:
        parent: The parent.
        budget: The least of every limit that binds the parent.
        state: What is true now.
        charter: The parent's charter, for the sentence.

    Raises:
        RefusedError: The parent has no child left, or stands too deep to have any.
    """
    over = ""
    used = state.registry.counters(parent.id).spawns
    if budget.spawn_depth is not None and parent.depth + 1 > budget.spawn_depth:
        over = f"spawn_depth = {budget.spawn_depth}"
    elif budget.spawns is not None and used >= budget.spawns and not state.registry.announced(parent.id):
        over = f"spawns = {budget.spawns}"
    if over:
        raise RefusedError(
            f"no further agent can be born of {parent.id}: its budget under charter {charter} says {over}",
            fix="Finish with what is done, and tell your person what is left.",
            rule=f"{charter}.budget.{over.partition(' ')[0]}",
        )


def check_return(agent: Agent, state: State, now: int) -> None:
    """Let an ended agent go on, or raise.

    Raises:
        RefusedError: It was revoked.
    """
    pulled = state.levers.revoked(state.who(agent))
    if pulled is not None:
        raise RefusedError(
            f"agent {agent.id} cannot go on: {_said(agent.charter, pulled, now)}",
            fix="Stop, and tell your person. Only a new session can go on with the work.",
            rule=REVOKED,
        )


def _lever_hit(agent: Agent, pulled: Pulled, now: int) -> RuleHit:
    if pulled.lever == "quarantine":
        unlock = f"release it: outrider release {option(pulled.scope)}"
        advice = "stop here, try nothing else, and tell your person; only they can release it"
        rule = QUARANTINE
    else:
        unlock = "nothing: a revocation is final for the agents that it reached"
        advice = "stop here, try nothing else, and tell your person"
        rule = REVOKED
    return RuleHit(
        rule=rule,
        verdict="deny",
        charter=agent.charter,
        digest=agent.digest,
        reason=_said(agent.charter, pulled, now),
        advice=advice,
        unlock=unlock,
    )


def option(scope: str) -> str:
    """Return a scope as the command line takes it: ``--charter coder``."""
    kind, _, value = scope.partition(":")
    return f"--{kind} {value}"


_REACHED = {
    "charter": "this agent class (charter {value})",
    "sponsor": "every agent of this sponsor",
    "lineage": "this agent's lineage",
    "agent": "this agent",
}


def _said(charter: str, pulled: Pulled, now: int) -> str:
    """Return one sentence: who is stopped, since when, and why."""
    kind, _, value = pulled.scope.partition(":")
    who = _REACHED.get(kind, "this agent").format(value=value if value == charter else f"{value}, which binds it too")
    how = "is in quarantine since" if pulled.lever == "quarantine" else "was revoked at"
    because = f", because: {pulled.why}" if pulled.why else ""
    return f"{who} {how} {_clock(pulled.ts, now)}{because}"


def _clock(ts: int, now: int) -> str:
    when = dt.datetime.fromtimestamp(ts / 1_000_000, tz=dt.UTC)
    today = dt.datetime.fromtimestamp(now / 1_000_000, tz=dt.UTC)
    return when.strftime("%H:%M UTC" if when.date() == today.date() else "%Y-%m-%d %H:%M UTC")
