"""The ruling: every policy set of a chain asked about every effect of a call, and the worst word taken.

Sets are never merged (Cedar unions permits, so a merged set would permit what each alone denies). Each bound set is
asked on its own with its own bindings and the caller's context, about every effect, in its written and in its resolved
form. Then the chain's settings are applied to the call as a whole: unreadable text, programs that are not seen into,
findings, budgets.

What ``observe`` observes: the refusals of a charter in that mode are told but not enforced, and so are all refusals
under a context in that mode (a preview), except those of the floor, of any ``[never]``, and errors of neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from outrider.charter.bound import Asker, Bound
from outrider.charter.explain import About, Part, budget_hits, code_hits, hit_of, opaque_hit, unparsed_hit
from outrider.charter.model import Charter, Mode, Undecided
from outrider.charter.narrow import Effective, effective, opaques
from outrider.charter.patterns import MATTER
from outrider.charter.values import Entity, Uid
from outrider.events.call import Effect, Finding, Label
from outrider.events.counters import Counters
from outrider.events.decision import WORSE, RuleHit, Verdict, worst

MAX_HITS = 24
"""Most hits that a ruling carries, the worst first: a call with a thousand refused effects explains enough of them."""

_HOST = re.compile(r"\[?[a-z0-9][a-z0-9.:_-]*\]?(?::[0-9]+)?")
_NONE: frozenset[str] = frozenset()
_NO_VALUES: Mapping[str, Mapping[str, str]] = {}


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the effects.

    Attributes:
        labels: What the agent's context carries, this call's own reads included; names, or labels with origins.
        findings: What detectors said about the call.
        counters: This call included.
        mode: ``observe`` for a preview: everything is told, only the floor and ``[never]`` are enforced.
        now: Wall clock, microseconds since 1970 UTC.
        confined: Whether the agent's process tree is held by the kernel.
        agent: Id of the agent, the principal's.
        classes: Per rule of a finding, the numbers of the weakness classes that it is for.
        values: Per digest of a charter, the labels that the call's own values bring as that charter sees its tools,
            each with the argument that brings it.
    """

    labels: frozenset[str] | tuple[Label, ...] = _NONE
    findings: tuple[Finding, ...] = ()
    counters: Counters = Counters()
    mode: Mode = "enforce"
    now: int = 0
    confined: bool = False
    agent: str = "agent"
    values: Mapping[str, Mapping[str, str]] = _NO_VALUES
    classes: Mapping[str, tuple[int, ...]] = {}


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a chain says about a call.

    Attributes:
        verdict: The worst word of all, whatever the modes.
        enforced: What the host is to be told: observed refusals left out, ``error`` replaced by ``undecided``.
        hits: What decided, the worst first; for an allow, the agent's own charter's permits and what it is told.
        grant: True if the host is told an affirmative allow.
        undecided: The chain's strictest.
        opaque: The chain's strictest.
        mode: The mode in force for the agent's own charter: the context's, or else the charter's.
        floor: The floor's own worst word, of all hits and not only of those that are named.
    """

    verdict: Verdict
    enforced: Verdict
    hits: tuple[RuleHit, ...]
    grant: bool
    undecided: Undecided
    opaque: str
    mode: Mode
    floor: Verdict = "allow"


class _Chain(NamedTuple):
    """What is the same for every call under one chain of charter versions.

    Attributes:
        settings: Of the whole chain.
        own: Digest of the agent's own charter, or empty.
        observing: Digests of the charters whose refusals are only observed.
        parts: The settings of the enforcing charters, and those of the observing ones, each with the name and digest
            that speak for them: a charter that observes must not take the enforcement from one that does not.
    """

    settings: Effective
    own: str
    observing: frozenset[str]
    parts: tuple[Part, ...]


def context_of(context: Context) -> dict[str, Any]:
    """Return the Cedar context of a call, its effects' ``flags`` left empty."""
    labels = context.labels
    names = labels if isinstance(labels, frozenset) else frozenset(label.name for label in labels)
    seconds = context.now // 1_000_000
    counters = context.counters
    return {
        "labels": names,
        "findings": frozenset(finding.rule for finding in context.findings) if context.findings else _NONE,
        "severities": frozenset(finding.severity for finding in context.findings) if context.findings else _NONE,
        "flags": _NONE,
        "counters": {"calls": counters.calls, "spawns": counters.spawns, "depth": counters.depth},
        "time": {
            "epoch": seconds,
            "hour": seconds // 3600 % 24,
            "minute": seconds // 60 % 60,
            "weekday": (seconds // 86_400 + 3) % 7,
        },
        "confined": context.confined,
    }


@lru_cache(maxsize=512)
def _chain_of(charters: tuple[_Held, ...]) -> _Chain:
    line = [held.charter for held in charters]
    enforcing = [one for one in line if one.mode != "observe"]
    observing = [one for one in line if one.mode == "observe"]
    return _Chain(
        effective(line),
        line[0].digest if line else "",
        frozenset(one.digest for one in observing),
        tuple(
            Part(effective(some), some[0].name, some[0].digest, opaques(some), tuple(some))
            for some in (enforcing, observing)
            if some
        )
        or (Part(effective(()), "floor", "", opaques(())),),
    )


def advised(chain: Sequence[Bound], findings: Sequence[Finding]) -> tuple[RuleHit, ...]:
    """Return what a chain wants an agent told of findings about what it has already done: nothing is refused any more.

    Findings of others' rules have no weakness class here: a charter speaks of them by rule, pattern or severity.
    """
    line = _chain_of(tuple(_Held(bound.charter) for bound in chain if bound.charter is not None))
    return tuple(hit for part in line.parts for hit in code_hits((), findings, part, {}))


class _Held:
    """A charter that hashes by its digest."""

    __slots__ = ("charter", "digest")

    def __init__(self, charter: Charter) -> None:
        self.charter = charter
        self.digest = charter.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.digest == self.digest


def _is_known(effect: Effect) -> bool:
    """Whether an inexact effect can be judged all the same: a branch that could be any, a host written out."""
    return effect.verb == "push" or (effect.kind == "host" and _HOST.fullmatch(effect.value) is not None)


class _Case:
    """One call before one chain."""

    def __init__(self, chain: Sequence[Bound], effects: Sequence[Effect], context: Context) -> None:
        self.chain = chain
        self.effects = effects
        self.context = context
        self.line = _chain_of(tuple(_Held(bound.charter) for bound in chain if bound.charter is not None))
        own = [bound.name for bound in chain if not bound.ceiling and bound.charter is not None]
        principal = Entity({}, frozenset(Uid("Charter", name) for name in own))
        self.asker = Asker(Uid("Agent", context.agent), principal, context_of(context))
        self.hits: list[RuleHit] = []

    def judge(self) -> Ruling:
        """Return the ruling."""
        for position, effect in enumerate(self.effects):
            self.each(position, effect)
        self.hits += budget_hits(self.chain, self.effects, self.context.counters)
        if self.context.findings:
            for part in self.line.parts:
                self.hits += code_hits(self.effects, self.context.findings, part, self.context.classes)
        return _sum_up(self.hits, self.line, self.context.mode)

    def each(self, position: int, effect: Effect) -> None:
        """Add what the chain says about one effect, whatever it is."""
        if effect.verb == "unparsed":
            self.hits += [unparsed_hit(position, effect, part) for part in self.line.parts]
        elif effect.verb == "opaque":
            self.opaque(position, effect)
        else:
            self.effect(position, effect)

    def opaque(self, position: int, effect: Effect) -> None:
        """Add what the chain says about something that is not seen into."""
        for part in self.line.parts:
            self.hits += opaque_hit(position, effect, part, confined=self.context.confined)

    def effect(self, position: int, effect: Effect) -> None:
        """Ask every set about one effect."""
        flags: tuple[str, ...] = ()
        inexact = False
        context = self.asker.context
        if effect.flags:
            context["flags"] = frozenset(effect.flags)
            flags = tuple(flag for flag in effect.flags if flag in MATTER)
            inexact = "inexact" in effect.flags and not _is_known(effect)
        forms = [effect.value]
        if effect.resolved and effect.resolved != effect.value:
            forms.append(effect.resolved)
        labels = context["labels"]
        brought = self.context.values
        for bound in self.chain:
            if brought:
                context["labels"] = labels.union(brought.get(bound.digest, ()))
            word, value = None, effect.value
            for form in forms:
                other = bound.judge((effect.verb, effect.kind, form, flags), self.asker)
                if inexact:
                    other = bound.judge_inexact(other)
                if word is None or WORSE[other.verdict] > WORSE[word.verdict]:
                    word, value = other, form
            if word is not None and (word.verdict != "allow" or bound.digest == self.line.own):
                arguments = brought.get(bound.digest, {})
                self.hits.append(hit_of(word, About(bound, position, effect, value, self.context.labels, arguments)))
        context["labels"] = labels
        if inexact:
            self.opaque(position, effect)
        context["flags"] = _NONE


def settings_of(chain: Sequence[Bound]) -> Effective:
    """Return what the charters of a chain come to, setting by setting."""
    return _chain_of(tuple(_Held(bound.charter) for bound in chain if bound.charter is not None)).settings


def rule(chain: Sequence[Bound], effects: Sequence[Effect], context: Context) -> Ruling:
    """Return what a chain of policy sets says about a call.

    Args:
        chain: Every set that bounds the agent: the floor, its own charter, what that extends, and the ceilings of every
            ancestor agent with what theirs extend. The order matters only for who is named first.
        effects: What the call would do, resolved.
        context: What is known beside.
    """
    return _Case(chain, effects, context).judge()


def word(chain: Sequence[Bound], effect: Effect, context: Context) -> Verdict:
    """Return the worst that a chain says of one effect of a call; what it says of the call as a whole is left out."""
    case = _Case(chain, (effect,), context)
    case.each(0, effect)
    return worst([hit.verdict for hit in case.hits])


def word_on_findings(chain: Sequence[Bound], effects: Sequence[Effect], context: Context) -> Verdict:
    """Return the worst that a chain says of what detectors found in a call."""
    line = _chain_of(tuple(_Held(bound.charter) for bound in chain if bound.charter is not None))
    hits = (hit for part in line.parts for hit in code_hits(effects, context.findings, part, context.classes))
    return worst([hit.verdict for hit in hits])


def word_on_budgets(chain: Sequence[Bound], effects: Sequence[Effect], counters: Counters) -> Verdict:
    """Return the worst that a chain says of how much its agent has used."""
    return worst([hit.verdict for hit in budget_hits(chain, effects, counters)])


def _sum_up(hits: list[RuleHit], line: _Chain, preview: Mode) -> Ruling:
    settings = line.settings
    verdict: Verdict = "allow"
    enforced: Verdict = "allow"
    ground: Verdict = "allow"
    for one in hits:
        if one.charter == "floor" and WORSE[one.verdict] > WORSE[ground]:
            ground = one.verdict
        if WORSE[one.verdict] > WORSE[verdict]:
            verdict = one.verdict
        said: Verdict = settings.undecided if one.verdict == "error" else one.verdict
        if WORSE[said] > WORSE[enforced] and _counts(one, line, preview):
            enforced = said
    hits.sort(key=_severity)
    return Ruling(
        verdict=verdict,
        enforced=enforced,
        hits=tuple(hits[:MAX_HITS]),
        grant=settings.grant and verdict == "allow",
        undecided=settings.undecided,
        opaque=settings.opaque,
        mode="observe" if preview == "observe" else settings.mode,
        floor=ground,
    )


def _severity(one: RuleHit) -> tuple[int, bool]:
    """The worst first, and of these the floor's: what no charter can change is said even where there is much to say."""
    return -WORSE[one.verdict], one.charter != "floor"


def _counts(one: RuleHit, line: _Chain, preview: Mode) -> bool:
    """Return whether a refusal is enforced: the floor and ``[never]`` always, others unless observed."""
    if one.charter == "floor" or ".never." in one.rule:
        return True
    return preview != "observe" and one.digest not in line.observing
