"""Refusals in words: the rule, one sentence why, what to do instead, and what would allow it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from outrider.charter.bound import NOBODY, UNKNOWN, Bound, Info, Judged
from outrider.charter.narrow import Effective
from outrider.events.call import Effect, Finding, Label
from outrider.events.decision import RuleHit, Verdict
from outrider.events.record import Counters

_WRITES = frozenset({"write", "commit", "push", "connect", "call", "deploy", "spawn", "install"})
"""Verbs under which what a call holds leaves it: a finding in a search pattern is only told."""

_DO = {
    "exec": "run", "read": "read", "write": "write", "delete": "delete", "connect": "connect to", "call": "call",
    "spawn": "start", "install": "install", "commit": "commit to", "push": "push to", "deploy": "deploy",
    "use_credential": "use", "prompt": "prompt",
}  # fmt: skip
_SHOWN = 160
_STEP_DOWN = {"high": "medium", "medium": "low", "low": "low"}


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"


class Part(NamedTuple):
    """Charters that speak with one voice about a call as a whole.

    Attributes:
        settings: Their settings.
        name: Name of the first.
        digest: Digest of the first.
        opaques: Every word that they say on ``opaque``.
    """

    settings: Effective
    name: str
    digest: str
    opaques: frozenset[str]


class About(NamedTuple):
    """What a hit is about.

    Attributes:
        bound: The policy set.
        position: Position of the effect.
        effect: The effect.
        value: The form of it that was judged.
        labels: What the context carries.
    """

    bound: Bound
    position: int
    effect: Effect
    value: str
    labels: frozenset[str] | tuple[Label, ...]


def hit_of(word: Judged, about: About) -> RuleHit:
    """Return the hit for one policy set's word on one effect."""
    bound, position, effect, value, _ = about
    verdict: Verdict = word.verdict  # type: ignore[assignment]
    if word.policy == UNKNOWN:
        return _not_known(bound, position, effect, value)
    if word.policy == NOBODY:
        return _not_permitted(bound, position, effect, value)
    info = bound.compiled.infos[word.policy]
    if verdict == "allow":
        return RuleHit(rule=info.rule, verdict=verdict, charter=bound.name, digest=bound.digest, effect=position)
    reason, unlock = _why(info, verdict, about)
    if value != effect.value:
        reason += f" ({_short(effect.value)} leads to {_short(value)}.)"
    return RuleHit(
        rule=info.rule,
        verdict=verdict,
        charter=bound.name,
        digest=bound.digest,
        effect=position,
        reason=reason,
        advice=info.advice or _advice(info, effect),
        unlock=unlock,
    )


def _why(info: Info, verdict: Verdict, about: About) -> tuple[str, str]:
    """Return the reason and what would allow it."""
    effect, name, shown = about.effect, about.bound.name, _short(about.value)
    if verdict == "error":
        return (
            f"A policy of charter {name} ({info.rule}) could not be evaluated for {effect.verb} {shown}.",
            f"correct policy {info.rule} of charter {name}",
        )
    do = _DO.get(effect.verb, effect.verb)
    if info.section == "floor":
        return f"{info.reason} ({effect.verb} {shown})", "nothing: a person does this outside an agent"
    if info.section == "never":
        return (
            f'Charter {name} never lets an agent {do} "{info.text}" ({shown}).',
            f'remove "{info.text}" from [never] {info.verb} of charter {name}',
        )
    if info.section == "ask":
        return (
            f'Under charter {name} a person decides about {effect.verb} "{info.text}" ({shown}).',
            f'a person\'s yes; or remove "{info.text}" from [ask] {info.verb} of charter {name}',
        )
    if info.section == "flow":
        carries = f"The agent's context carries {info.text}{_since(info, about)}"
        return (
            f"{carries}, and charter {name} lets none such {do} {shown}.",
            f'add "{shown}" to except of [flow] {info.text} of charter {name}',
        )
    return (
        info.reason or f"Policy {info.rule} of charter {name} refuses {effect.verb} {shown}.",
        f"change policy {info.rule} in [cedar] of charter {name}",
    )


def _since(info: Info, about: About) -> str:
    origins = [label.origin for label in about.labels if isinstance(label, Label) and label.name == info.text]
    return f" (since event {min(origins)})" if origins and min(origins) >= 0 else ""


def _advice(info: Info, effect: Effect) -> str:
    if info.section == "never":
        return "Work without it: ask the person you work for if you need what it holds."
    if info.section == "flow":
        return f"Hand this step to a person or to an agent whose context does not carry {info.text}."
    if effect.verb == "push" and "inexact" in effect.flags:
        return "Name the branch: git push REMOTE BRANCH."
    if info.section == "ask":
        return "Say what you want to do and why, and wait for the answer."
    return f"Find a way without this {effect.verb}, or ask the person you work for."


def _not_known(bound: Bound, position: int, effect: Effect, value: str) -> RuleHit:
    return RuleHit(
        rule=f"{bound.name}.undecided",
        verdict="error",
        charter=bound.name,
        digest=bound.digest,
        effect=position,
        reason=f"Part of what this would {_DO.get(effect.verb, effect.verb)} is not known before it runs: "
        f"{_short(value)}.",
        advice="Write the path, host or name out, without variables and substitutions.",
        unlock=f'write it out; or add "*" to [may] {effect.verb} of charter {bound.name}',
    )


def _not_permitted(bound: Bound, position: int, effect: Effect, value: str) -> RuleHit:
    name, verb, shown = bound.name, effect.verb, _short(value)
    charter = bound.charter
    may = dict(charter.may) if charter is not None else {}
    declared = may.get(verb, may.get("write", ()) if verb == "delete" else ())
    near = difflib.get_close_matches(shown, declared, 1, 0.5) if len(declared) <= 200 else []
    hint = f' The nearest it permits is "{near[0]}".' if near else ""
    where = "[may] or [delegate]" if bound.ceiling else "[may]"
    whose = " (a parent's)" if bound.ceiling else ""
    advice = "Stay with what the charter permits: " + ", ".join(declared[:4]) + "." if declared else (
        f"Find a way without this {verb}, or ask the person you work for."
    )  # fmt: skip
    return RuleHit(
        rule=f"{name}.may.{verb}",
        verdict="deny",
        charter=name,
        digest=bound.digest,
        effect=position,
        reason=f"Charter {name}{whose} does not permit to {_DO.get(verb, verb)} {shown}.{hint}",
        advice=advice,
        unlock=f'add "{shown}" to {where} {verb} of charter {name}',
    )


def unparsed_hit(position: int, effect: Effect, part: Part) -> RuleHit:
    """Return the hit for text that could not be read."""
    why = effect.note or "the text could not be read"
    return RuleHit(
        rule=f"{part.name}.undecided",
        verdict="error",
        charter=part.name,
        digest=part.digest,
        effect=position,
        reason=f"It could not be decided: {why}. Undecided means {part.settings.undecided} for charter {part.name}.",
        advice="Say it more plainly: one command at a time, with paths and hosts written out.",
        unlock=f'write the command so that it can be read; or set undecided = "allow" in charter {part.name}',
    )


def opaque_hit(position: int, effect: Effect, part: Part, *, confined: bool) -> list[RuleHit]:
    """Return the hit for a program whose inner effects are not seen; none where it may run."""
    said = part.opaques
    if "deny" in said or ("confined" in said and not confined):
        verdict: Verdict = "deny"
    elif "ask" in said:
        verdict = "ask"
    else:
        return []
    why = "opaque is deny" if "deny" in said else "the agent is not confined" if verdict == "deny" else "opaque is ask"
    return [
        RuleHit(
            rule=f"{part.name}.may.opaque",
            verdict=verdict,
            charter=part.name,
            digest=part.digest,
            effect=position,
            reason=f"What {_short(effect.value)} does inside is not seen, and {why} in the charters of this agent.",
            advice="Run the steps one by one, so that each can be judged.",
            unlock=f'set opaque = "allow" in [may] of charter {part.name} and of every charter above it',
        )
    ]


def budget_hits(chain: Sequence[Bound], effects: Sequence[Effect], counters: Counters) -> Iterator[RuleHit]:
    """Yield the hits for limits that this call would pass."""
    spawning = any(effect.verb == "spawn" for effect in effects)
    for bound in chain:
        budget = bound.charter.budget if bound.charter is not None else None
        if budget is None:
            continue
        over = []
        if budget.calls is not None and counters.calls > budget.calls:
            over.append(("calls", budget.calls, "call"))
        if spawning and budget.spawns is not None and counters.spawns > budget.spawns:
            over.append(("spawns", budget.spawns, "child"))
        if spawning and budget.spawn_depth is not None and counters.depth + 1 > budget.spawn_depth:
            over.append(("spawn_depth", budget.spawn_depth, "generation"))
        for key, limit, noun in over:
            yield RuleHit(
                rule=f"{bound.name}.budget.{key}",
                verdict="deny",
                charter=bound.name,
                digest=bound.digest,
                reason=f"This {noun} is beyond the budget of charter {bound.name}: {key} = {limit}.",
                advice="Finish with what is done, and say what is left to the person you work for.",
                unlock=f"raise {key} in the budget of charter {bound.name}",
            )


def code_hits(effects: Sequence[Effect], findings: Sequence[Finding], part: Part) -> Iterator[RuleHit]:
    """Yield the hits for findings. A detector that is not sure counts one severity less.

    A finding is refused only where the call would write it or carry it out; otherwise it is told.
    """
    carries = any(effect.verb in _WRITES for effect in effects)
    for finding in findings:
        severity = _STEP_DOWN[finding.severity] if finding.confidence == "low" else finding.severity
        treatment = getattr(part.settings, severity)
        if treatment == "note":
            continue
        refuse = treatment == "fix" and carries
        yield RuleHit(
            rule=f"{part.name}.code.{finding.rule}",
            verdict="deny" if refuse else "allow",
            charter=part.name,
            digest=part.digest,
            reason=finding.message,
            advice=finding.advice,
            unlock=f'set {severity} = "tell" in [code] of charter {part.name}' if refuse else "",
        )
