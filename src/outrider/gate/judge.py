"""The heart: what would this call do, and what do the charters say? Pure, both halves.

``plan`` reads the call's text. Between the two, :mod:`outrider.gate.gather` looks up the facts that the plan wants.
``decide`` knows the agent's chain, its labels and its counters, and never looks anything up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from outrider.charter.ruling import Context, Ruling, rule
from outrider.detect.catalogue import classes
from outrider.events.call import Effect, Finding, Label
from outrider.events.decision import Decision, RuleHit, Verdict
from outrider.flow.course import completes, past
from outrider.flow.labels import brings
from outrider.gate.provenance import Told, value_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outrider.charter.bound import Bound
    from outrider.events.asked import Asked
    from outrider.events.counters import Counters
    from outrider.events.sequence import Sequence as Steps

Mode = Literal["enforce", "observe"]
MAX_HITS = 16
PENDING = -1
"""Origin of a label that the call under judgement itself brings."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent brings to a call, apart from the call.

    Attributes:
        chain: Every policy set that bounds it, the floor first.
        labels: What its context carries.
        counters: This call included.
        mode: Its mode.
        now: Wall clock, microseconds since 1970 UTC.
        agent: Its id.
        held: Whether the kernel holds its process tree.
        paused: True while a person has paused enforcement on this host.
    """

    chain: tuple[Bound, ...]
    labels: tuple[Label, ...]
    counters: Counters
    mode: Mode = "enforce"
    now: int = 0
    agent: str = "agent"
    held: bool = False
    paused: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what it was made of.

    Attributes:
        decision: The verdict.
        labels: Labels in force while judging, those of the call's own reads included.
        adds: Labels that an allow puts on the agent.
        told: Findings that do not stop the call but that the agent is told of.
        values: Labels of the call's own values, of all charters of the chain.
        sequences: Findings about the call and those before it.
        asked: That a person decides it, and what came of that so far.
    """

    decision: Decision
    labels: tuple[Label, ...]
    adds: tuple[Label, ...]
    told: tuple[RuleHit, ...] = ()
    values: tuple[str, ...] = ()
    sequences: tuple[Finding, ...] = ()
    asked: Asked | None = None


_UNTOLD = Told()


def decide(
    effects: Sequence[Effect],
    findings: Sequence[Finding],
    setting: Setting,
    carried: Sequence[Label],
    told: Told = _UNTOLD,
) -> Judged:
    """Return the decision on a call.

    Args:
        effects: What it would do, paths resolved.
        findings: What detectors saw in it.
        setting: What the agent brings.
        carried: Labels of the files that it would read.
        told: The values that it is given, and what its agent was told before.
    """
    brought = value_labels(setting.chain, effects, told)
    bringing = brings(effects, findings)
    own = {f"sequence.{name}": one for bound in setting.chain for name, one in _sequences(bound)}
    sequences = tuple(completes(told.course, past(effects, bringing, refused=False, home=told.home), own))
    reads = [effect for effect in effects if effect.verb in {"read", "use_credential"}]
    within = {*carried} | {Label(name, PENDING) for name in brings(reads, findings)}
    labels = _merge(setting.labels, within)
    ruling = rule(
        setting.chain,
        effects,
        Context(
            labels=labels,
            findings=(*findings, *sequences),
            counters=setting.counters,
            mode=setting.mode,
            now=setting.now,
            agent=setting.agent,
            confined=setting.held,
            values=brought,
            classes=classes(findings),
        ),
    )
    adds = _merge((), {*carried} | {Label(name, PENDING) for name in bringing})
    known = set(setting.labels)
    adds = tuple(label for label in adds if label not in known)
    stops = tuple(hit for hit in ruling.hits if hit.verdict != "allow")
    advised = tuple(hit for hit in ruling.hits if hit.verdict == "allow" and hit.advice)
    decision = Decision(
        verdict=ruling.verdict,
        enforced=enforce(ruling, setting),
        hits=stops[:MAX_HITS],
        grant=ruling.grant and ruling.verdict == "allow",
        mode="observe" if setting.paused else ruling.mode,
    )
    return Judged(
        decision=decision,
        labels=labels,
        adds=adds,
        told=advised[:MAX_HITS],
        sequences=sequences,
        values=tuple(sorted({label for labels in brought.values() for label in labels})),
    )


def _sequences(bound: Bound) -> Iterable[tuple[str, Steps]]:
    return bound.charter.sequences.items() if bound.charter is not None else ()


def enforce(ruling: Ruling, setting: Setting) -> Verdict:
    """Return what the host is told: the ruling's own word, or, under a pause, only what the floor refuses."""
    if not setting.paused:
        return ruling.enforced
    return ruling.undecided if ruling.floor == "error" else ruling.floor


def _merge(held: Sequence[Label], more: set[Label]) -> tuple[Label, ...]:
    return tuple(sorted({*held, *more}))
