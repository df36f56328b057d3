"""Writes events: fills the envelope, cleans the strings, appends, and folds the event into the state.

The order is the point: an event is in the ledger's queue before the state knows it, and nobody is answered before
:meth:`Scribe.durable` has returned.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

import msgspec

from outrider.errors import RecordError
from outrider.events.codec import beside_digest, encode, encode_beside
from outrider.events.event import VERSION, Event
from outrider.events.record import AnyEvent, Beside, CallDecided, RecordGap, SecondLook
from outrider.gate.clean import clean_beside, clean_event, is_clean
from outrider.ledger.content.besides import closed

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.events.call import Severity
    from outrider.gate.keeping import Keeper, Raw
    from outrider.gate.sources import Sources

NOTHING = Beside()
_LEAF_ROOM = 14 * 1024
"""Bytes of effects and hits that a decision may carry before the mildest are left out."""

_JUMP = 2_000_000
"""Microseconds between two events by which a wall clock is not drawn but set."""

E = TypeVar("E", bound=Event)


class Log(Protocol):
    """What the gate needs of a ledger."""

    @property
    def size(self) -> int:
        """Number of events appended."""

    def append(self, build: Callable[[int], tuple[bytes, bytes]], *, seal: bool = False) -> int:
        """Append what ``build`` makes for the index it is given; return the index."""

    async def durable(self, n: int) -> None:
        """Return once event ``n`` is on disk."""


class Folding(Protocol):
    """What follows from the events, as far as the next one needs it.

    Attributes:
        sources: How far each source's events have come.
        last_ts: Wall clock of the last event, microseconds.
    """

    sources: Sources
    last_ts: int

    def apply(self, event: AnyEvent, beside: Beside, leaf_hash: str) -> None:
        """Take in an event that was appended."""


def wall_clock() -> int:
    """Return microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def steady_clock() -> int:
    """Return microseconds since the machine's boot, those included that it slept; nobody can set it."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


class Scribe:
    """The one writer of events on this host.

    Attributes:
        key: Key of every print.
        keeper: Seals what names somebody and stages content; None where besides are written as they are.
    """

    def __init__(
        self,
        log: Log,
        state: Folding,
        key: bytes,
        clock: Callable[[], int] = wall_clock,
        steady: Callable[[], int] | None = None,
    ) -> None:
        """Write to ``log``; a wall clock that jumps against ``steady`` is recorded, where one is given."""
        self._log = log
        self._state = state
        self.key = key
        self._clock = clock
        self._steady = steady
        self._apart = clock() - steady() if steady is not None else 0
        self.keeper: Keeper | None = None
        self._listening: list[Callable[[AnyEvent], None]] = []

    def listen(self, take: Callable[[AnyEvent], None]) -> None:
        """Have every event handed to ``take`` once it is folded into the state."""
        self._listening.append(take)

    def now(self) -> int:
        """Return the wall clock, microseconds since 1970 UTC. A jump of it is recorded before anything is judged by it.

        Raises:
            RecordError: It jumped, and that cannot be written.
        """
        if self._steady is not None:
            self._watch(self._steady)
        return self._clock()

    def write(
        self,
        kind: type[E],
        *,
        beside: Beside = NOTHING,
        told_by: str = "daemon",
        lost: int = 0,
        seal: bool = False,
        raw: Raw | None = None,
        **fields: Any,
    ) -> E:
        """Append one event and fold it into the state; it is not durable yet.

        Args:
            kind: Type of the event.
            beside: What lies beside it.
            told_by: The source; its sequence is continued.
            lost: How many of the source's messages are known to be missing before this one.
            seal: True if the commit that holds it must be sealed by a checkpoint.
            raw: Its content, whose commitment's salt stands in ``beside``.
            fields: The type's own fields, and ``agent``.

        Raises:
            RecordError: It cannot be appended; nothing has changed.
            BadInputError: It has no form that fits a leaf.
        """
        if self._steady is not None:
            self._watch(self._steady)
        state = self._state
        now = self._clock()
        clean = is_clean(fields, told_by, beside, self.key)
        cleaned = beside if clean else clean_beside(beside, self.key)
        keeper, salt = self.keeper, cleaned.salt
        if keeper is not None:
            cleaned = keeper.sealed(kind, cleaned, fields, staged=raw is not None)
        blob = encode_beside(closed(cleaned))
        envelope: dict[str, Any] = {
            "v": VERSION,
            "ts": now,
            "beside": beside_digest(blob),
            "back": max(0, state.last_ts - now),
        }
        made: list[tuple[AnyEvent, bytes]] = []

        def build(n: int) -> tuple[bytes, bytes]:
            told = state.sources.next(told_by, n, lost)
            event = cast("AnyEvent", kind(n=n, src=told, **envelope, **fields))
            if not clean:
                event = clean_event(event, self.key)
            if isinstance(event, CallDecided):
                event = fit(event)
            elif isinstance(event, SecondLook):
                event = _fit_look(event)
            leaf = encode(event)
            made.append((event, leaf))
            return leaf, blob

        self._log.append(build, seal=seal)
        event, leaf = made[-1]
        state.apply(event, cleaned, hashlib.sha256(b"\0" + leaf).hexdigest())
        if raw is not None and keeper is not None:
            keeper.stage(event, raw, salt)
        for take in self._listening:
            take(event)
        return cast("E", event)

    def _watch(self, steady: Callable[[], int]) -> None:
        """Record that the wall clock jumped, before anything is dated by it; that it is drawn slowly is no jump."""
        first = steady()
        now = self._clock()
        if steady() - first > _JUMP // 2:  # We stood still in between; the next event will tell.
            return
        before, self._apart = self._apart, now - first
        step = self._apart - before
        if abs(step) < _JUMP:
            return
        said = f"the wall clock jumped {'ahead' if step > 0 else 'back'} by {abs(step) / 1e6:.0f} s"
        since = max(0, now - step)
        try:
            self.write(RecordGap, what="clock", count=1, since=since, until=now, detail=said, seal=True)
        except RecordError:
            self._apart = before  # It is told of with the next event.
            raise

    async def durable(self, event: Event) -> None:
        """Return once ``event`` is on disk.

        Raises:
            RecordError: It could not be written.
        """
        await self._log.durable(event.n)


def fit(event: CallDecided) -> CallDecided:
    """Return the decision with as many effects as a leaf can hold, those that decided first, and ``cut`` counted.

    Only the record is shortened: the decision was made on all effects.
    """
    if len(event.effects) + len(event.findings) + len(event.decision.hits) < 24:
        return event
    decisive = [hit.effect for hit in event.decision.hits if hit.effect >= 0]
    order = list(dict.fromkeys([*decisive, *range(len(event.effects))]))
    room = _LEAF_ROOM
    hits = _take(event.decision.hits[:24], room // 3)
    findings = _take(event.findings[:24], room // 4)
    room -= len(msgspec.json.encode((hits, findings)))
    kept: list[int] = []
    for index in order:
        room -= len(msgspec.json.encode(event.effects[index])) + 1
        if room < 0:
            break
        kept.append(index)
    kept.sort()
    place = {old: new for new, old in enumerate(kept)}
    moved = tuple(msgspec.structs.replace(hit, effect=place.get(hit.effect, -1)) for hit in hits)
    return msgspec.structs.replace(
        event,
        effects=tuple(event.effects[i] for i in kept),
        findings=findings,
        decision=msgspec.structs.replace(event.decision, hits=moved),
        cut=len(event.effects) - len(kept),
    )


_RANK: Final[dict[Severity, int]] = {"high": 0, "medium": 1, "low": 2}


def _fit_look(event: SecondLook) -> SecondLook:
    """Return the look with as many findings as a leaf can hold, the worst first, and the rest counted."""
    worst = tuple(sorted(event.findings, key=lambda one: _RANK[one.severity]))
    findings = _take(worst, _LEAF_ROOM // 2)
    cut = len(worst) - len(findings)
    return msgspec.structs.replace(event, findings=findings, cut=cut) if cut else event


def _take(items: tuple[Any, ...], room: int) -> tuple[Any, ...]:
    kept = []
    for item in items:
        room -= len(msgspec.json.encode(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return tuple(kept)
