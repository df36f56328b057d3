"""What becomes of a recorded call under a draft, found without making a ruling: most calls stay as they were.

Of a call only what its policy reads is taken out of the leaf. Each effect is ruled on once for all effects that its
chain cannot tell apart: those with the same words whose paths end in the same place of :mod:`outrider.charter.walk`,
under the same labels and findings. The worst word of its effects, its findings and its budgets is the call's verdict,
as a ruling would have it; the rules and reasons of a call that is to be listed are not made here. Where a policy in
Cedar names counters nothing is told, and the call is ruled on whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.charter import ruling
from outrider.charter.patterns import PATH_VERBS
from outrider.charter.walk import NOWHERE, Line, Walk
from outrider.detect.catalogue import classes
from outrider.errors import CharterError
from outrider.events.call import Effect, Finding, Label
from outrider.events.counters import Counters
from outrider.events.decision import WORSE, Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable

    from outrider.charter.bound import Bound
    from outrider.charter.patterns import Scene
    from outrider.investigate.replay import Chains

MOST: Final = 100_000
"""Most effects, and most lists of effects, that are remembered; then all are forgotten."""

_MOST_LABELS: Final = 20_000
_NONE: Final = msgspec.Raw(b"")
_NOT_WALKED: Final = frozenset({"pattern", "remote"})
_TOLD: Final[dict[int, Verdict]] = {rank: verdict for verdict, rank in WORSE.items()}  # type: ignore[misc]


class Hit(msgspec.Struct, frozen=True, gc=False):
    """What is read of a rule that decided."""

    rule: str


class Was(msgspec.Struct, frozen=True, gc=False):
    """What is read of the decision that was made."""

    verdict: Verdict
    enforced: Verdict
    mode: str = "enforce"
    hits: tuple[Hit, ...] = ()


class Told(msgspec.Struct, frozen=True, gc=False):
    """What is read of a call's leaf."""

    agent: str
    effects: msgspec.Raw
    decision: Was
    labels: msgspec.Raw = _NONE
    findings: msgspec.Raw = _NONE
    values: tuple[str, ...] = ()
    counters: msgspec.Raw = _NONE
    cut: int = 0
    permission: bool = False


class Found(msgspec.Struct, frozen=True, gc=False):
    """What charters read of a finding."""

    rule: str
    severity: str
    confidence: str
    suppressed: str = ""
    excused: str = ""


told = msgspec.json.Decoder(Told).decode
_effects = msgspec.json.Decoder(tuple[Effect, ...]).decode
_labels = msgspec.json.Decoder(tuple[Label, ...]).decode
_found = msgspec.json.Decoder(tuple[Found, ...]).decode
_findings = msgspec.json.Decoder(tuple[Finding, ...]).decode
_counters = msgspec.json.Decoder(Counters).decode


class _Limits(msgspec.Struct, frozen=True):
    """What a chain's budgets come to."""

    calls: float = float("inf")
    spawns: float = float("inf")
    depth: float = float("inf")
    tokens: float = float("inf")
    cost: float = float("inf")

    def within(self, used: Counters) -> bool:
        """Tell whether no budget has a word on a call."""
        return (
            used.calls <= self.calls
            and used.spawns <= self.spawns
            and used.depth < self.depth
            and used.tokens < self.tokens
            and used.cost < self.cost
        )


class _Shared:
    """What is the same for all chains of the same policy sets, wherever their homes are."""

    def __init__(self, chain: tuple[Bound, ...], scenes: list[Scene]) -> None:
        self.line = Line(chain, scenes) if all(map(_is_plain, chain)) else None
        self.by_value = {verb for bound in chain for verb in bound.compiled.program.by_value}
        self.known: dict[Hashable, int] = {}
        self.looks = {
            verb: tuple(look for bound in chain if (look := bound.compiled.program.looks(verb)) is not None)
            for verb in PATH_VERBS
        }


class _Chain:
    """A chain where it is bound."""

    def __init__(self, chain: tuple[Bound, ...], home: str, shared: _Shared, scenes: list[Scene]) -> None:
        self.chain, self.home, self.shared = chain, home, shared
        self.walk = Walk(shared.line, scenes) if shared.line is not None else None
        self.limits = _limits_of(chain)
        self.undecided = ruling.settings_of(chain).undecided
        self.known: dict[Hashable, int] = {}


class Alike:
    """Tells what calls come to, and remembers what was found."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._bound: dict[Hashable, _Chain | None] = {}
        self._shared: dict[Hashable, _Shared] = {}
        self._agents: dict[str, _Chain | None] = {}
        self._names: dict[bytes, frozenset[str]] = {b"": frozenset()}
        self._kept = 0

    def verdict(self, call: Told) -> tuple[Verdict, str] | None:
        """Return the verdict and what its chain says where nothing can be decided; None where that is not told here."""
        try:
            chain = self._agents[call.agent]
        except KeyError:
            chain = self._agents[call.agent] = self._chain(call.agent)
        if chain is None:
            return None
        found = _found(call.findings) if bytes(call.findings) else ()
        labels = self._labels(bytes(call.labels))
        given = frozenset((one.rule, one.severity) for one in found)
        raw = bytes(call.effects)
        mark = (raw, labels, call.values, given)
        rank = chain.known.get(mark)
        if rank is None:
            rank = max((self._effect(chain, one, call, labels, given) for one in _effects(raw)), default=0)
            self._keep(chain.known, mark, rank)
        if found and rank < WORSE["deny"]:
            rank = max(rank, self._found(chain, raw, call, found))
        used = bytes(call.counters)
        if used and rank < WORSE["deny"] and not chain.limits.within(counters := _counters(used)):
            rank = max(rank, WORSE[ruling.word_on_budgets(chain.chain, _effects(raw), counters)])
        return _TOLD[rank], chain.undecided

    def _effect(
        self, chain: _Chain, effect: Effect, call: Told, labels: frozenset[str], given: frozenset[tuple[str, str]]
    ) -> int:
        placed = _placed(effect, chain.home)
        what: Hashable = (placed.value, placed.resolved)
        shared = chain.shared.known
        if placed.kind in {"path", "repo"} and placed.verb in PATH_VERBS:
            places = self._places(chain, placed)
            what, shared = (places, shared) if places is not None else (what, chain.known)
        mark = (placed.verb, placed.kind, placed.flags, what, labels, call.values, given)
        rank = shared.get(mark)
        if rank is None:
            values = dict.fromkeys(call.values, "a value")
            context = ruling.Context(
                labels=labels, findings=_findings(call.findings) if given else (),
                values={bound.digest: values for bound in chain.chain} if values else {},
            )  # fmt: skip
            rank = WORSE[ruling.word(chain.chain, placed, context)]
            self._keep(shared, mark, rank)
        return rank

    def _places(self, chain: _Chain, effect: Effect) -> Hashable | None:
        """Return where an effect's path ends and what policies ask of it besides; None if its name itself matters."""
        by_value = chain.shared.by_value
        if (
            chain.walk is None
            or effect.verb in by_value
            or None in by_value
            or not _NOT_WALKED.isdisjoint(effect.flags)
        ):
            return None
        one = chain.walk.end(effect.value)
        other = chain.walk.end(effect.resolved) if effect.resolved and effect.resolved != effect.value else one
        if NOWHERE in (one, other):
            return None
        asked = tuple(
            look(value) for look in chain.shared.looks[effect.verb] for value in (effect.value, effect.resolved)
        )
        return one, other, asked

    def _found(self, chain: _Chain, raw: bytes, call: Told, found: tuple[Found, ...]) -> int:
        mark = (frozenset(one.verb for one in _effects(raw)), found)
        rank = chain.shared.known.get(mark)
        if rank is None:
            findings = _findings(call.findings)
            context = ruling.Context(findings=findings, classes=classes(findings))
            rank = WORSE[ruling.word_on_findings(chain.chain, _effects(raw), context)]
            self._keep(chain.shared.known, mark, rank)
        return rank

    def _keep(self, known: dict[Hashable, int], mark: Hashable, rank: int) -> None:
        self._kept += 1
        if self._kept > MOST:
            for one in (*self._bound.values(), *self._shared.values()):
                if one is not None:
                    one.known.clear()
            self._kept = 1
        known[mark] = rank

    def _chain(self, agent: str) -> _Chain | None:
        try:
            chain, home = self._chains.of(agent)
        except CharterError:
            return None
        # The chains keep what they have bound, so that no number is used twice.
        mark = (*map(id, chain), home)
        if mark not in self._bound:
            self._bound[mark] = self._made(chain, home)
        return self._bound[mark]

    def _made(self, chain: tuple[Bound, ...], home: str) -> _Chain | None:
        if any("counters" in bound.charter.cedar for bound in chain if bound.charter is not None):
            return None
        by = {_scene(bound): bound.scene for bound in chain}
        order = list(by)
        mark = tuple((bound.digest, bound.ceiling, order.index(_scene(bound))) for bound in chain)
        shared = self._shared.get(mark)
        if shared is None:
            shared = self._shared[mark] = _Shared(chain, list(by.values()))
        return _Chain(chain, home, shared, list(by.values()))

    def _labels(self, raw: bytes) -> frozenset[str]:
        names = self._names.get(raw)
        if names is None:
            if len(self._names) >= _MOST_LABELS:
                self._names = {b"": frozenset()}
            names = self._names[raw] = frozenset(label.name for label in _labels(raw))
        return names


def _scene(bound: Bound) -> tuple[str, str]:
    return bound.scene.home, bound.scene.repo


def _is_plain(bound: Bound) -> bool:
    """Tell whether the places of a policy set are ones that a path can be walked to."""
    scene = bound.scene
    named = (scene.home, scene.repo)
    return not (scene.homes or scene.repos) and all(one.isascii() and not set(one) & set("*?[{") for one in named)


def _placed(effect: Effect, home: str) -> Effect:
    if effect.kind in {"path", "repo"} and (effect.value[:1] == "~" or effect.resolved[:1] == "~"):
        return msgspec.structs.replace(
            effect, value=_expand(effect.value, home), resolved=_expand(effect.resolved, home)
        )
    return effect


def _expand(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def _limits_of(chain: tuple[Bound, ...]) -> _Limits:
    budgets = [bound.charter.budget for bound in chain if bound.charter is not None]

    def least(name: str) -> float:
        return min((most for one in budgets if (most := getattr(one, name)) is not None), default=float("inf"))

    return _Limits(
        calls=least("calls"), spawns=least("spawns"), depth=least("spawn_depth"), tokens=least("tokens"),
        cost=least("cost"),
    )  # fmt: skip
