"""Calls that a policy cannot tell apart are ruled on once.

Of a recorded call only what its policy reads is taken out of the leaf, most of it as the bytes that stand there: the
effects, the names of the labels, the findings, the values, and the decision that was made. Two calls of agents with
the same chain and places in which these are the same are decided the same. What names a call (its time, its number, the
event that a label came from) is not read by any policy. Counts for budgets are read by nobody who is within them, but
by policies written in Cedar that name them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.errors import CharterError
from outrider.events.call import Label
from outrider.events.counters import Counters

if TYPE_CHECKING:
    from outrider.charter.bound import Bound
    from outrider.investigate.replay import Chains

MOST: Final = 200_000
"""Most sorts of calls that are remembered, some 30 MB; then all are forgotten."""

_MOST_LABELS: Final = 20_000

_NONE: Final = msgspec.Raw(b"")


class Told(msgspec.Struct, frozen=True, gc=False):
    """What is read of a call's leaf."""

    agent: str
    effects: msgspec.Raw
    decision: msgspec.Raw
    labels: msgspec.Raw = _NONE
    findings: msgspec.Raw = _NONE
    values: msgspec.Raw = _NONE
    counters: msgspec.Raw = _NONE
    cut: int = 0
    permission: bool = False


Sort = bytes
"""A digest of what is the same for all calls that are decided alike."""

told = msgspec.json.Decoder(Told).decode
_labels = msgspec.json.Decoder(tuple[Label, ...]).decode
_counters = msgspec.json.Decoder(Counters).decode


class _Limits(msgspec.Struct, frozen=True):
    """What a chain's budgets come to, and which chain it is."""

    number: int
    calls: float = float("inf")
    spawns: float = float("inf")
    depth: float = float("inf")
    tokens: float = float("inf")
    cost: float = float("inf")
    named: bool = False

    def within(self, used: Counters) -> bool:
        """Tell whether no budget has a word on a call."""
        return not self.named and (
            used.calls <= self.calls
            and used.spawns <= self.spawns
            and used.depth < self.depth
            and used.tokens < self.tokens
            and used.cost < self.cost
        )


class Alike:
    """Sorts calls, and remembers how each sort was decided."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._numbers: dict[tuple[int, ...], _Limits] = {}
        self._agents: dict[str, _Limits | None] = {}
        self._names: dict[bytes, bytes] = {}
        self._known: dict[Sort, str] = {}

    def sort(self, call: Told) -> Sort | None:
        """Return the sort of a call; None where its agent's chain cannot be made."""
        try:
            limits = self._agents[call.agent]
        except KeyError:
            limits = self._agents[call.agent] = self._limits(call.agent)
        if limits is None:
            return None
        counters = bytes(call.counters)
        if counters and limits.within(_counters(counters)):
            counters = b""
        parts = (
            b"%d %d" % (limits.number, call.cut), bytes(call.effects), bytes(call.decision),
            self._labels(bytes(call.labels)), bytes(call.findings), bytes(call.values), counters,
        )  # fmt: skip
        return hashlib.blake2b(b"\0".join(parts), digest_size=16).digest()

    def known(self, sort: Sort) -> str | None:
        """Return how a sort of call was decided, or None."""
        return self._known.get(sort)

    def learn(self, sort: Sort, kind: str) -> None:
        """Remember how a sort of call was decided."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[sort] = kind

    def _limits(self, agent: str) -> _Limits | None:
        try:
            chain, _ = self._chains.of(agent)
        except CharterError:
            return None
        mark = tuple(map(id, chain))  # The chains keep what they have bound, so that no number is used twice.
        limits = self._numbers.get(mark)
        if limits is None:
            limits = self._numbers[mark] = _limits_of(len(self._numbers), chain)
        return limits

    def _labels(self, raw: bytes) -> bytes:
        names = self._names.get(raw)
        if names is None:
            if len(self._names) >= _MOST_LABELS:
                self._names.clear()
            held = sorted({label.name for label in _labels(raw)}) if raw else []
            names = self._names[raw] = msgspec.json.encode(held)
        return names


def _limits_of(number: int, chain: tuple[Bound, ...]) -> _Limits:
    charters = [bound.charter for bound in chain if bound.charter is not None]
    budgets = [charter.budget for charter in charters]

    def least(name: str) -> float:
        return min((most for one in budgets if (most := getattr(one, name)) is not None), default=float("inf"))

    return _Limits(
        number=number, calls=least("calls"), spawns=least("spawns"), depth=least("spawn_depth"),
        tokens=least("tokens"), cost=least("cost"), named=any("counters" in one.cedar for one in charters),
    )  # fmt: skip
