"""What came into an agent's context and brought what a call acted on, or told the agent to do such a thing. Ranked.

Three things are held against every prompt, result and hand-over before the call, and only prints of them are kept:

- the values that the call is given (where it goes, what it names; what it carries counts little), by where each stands:
  in a sentence that orders something most, in a field that a tool made least;
- the act itself, a verb with an object: an instruction that names no value is found by what it asks for;
- the fingerprints of the control arguments and the things that the call names, for calls whose values are not prints
  of the first kind (paths, commands).

Each counts the more the fewer events hold it; what a result merely echoes of its own call counts nothing; what an event
is not the first to bring counts less.

Which events hold something wanted is seen on the bytes that lie beside them. Where that are more than can be compared,
those are that hold what the fewest hold; how many were left out is told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING, Any, Final

import msgspec

from outrider.events.model_input import ModelInput
from outrider.events.record import Beside, Entity
from outrider.flow.values import SIZE
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

MOST_EVENTS: Final = 20_000
"""Most events of one agent's context looked at, the newest."""

SPREAD: Final = frozenset({"host", "ip", "email", "url", "path", "package", "commit", "repo", "credential", "digest"})
"""Kinds of things that tie a call to what came before it."""

MOST_LATE: Final = 16
"""Most requests looked at that were recorded behind an event and may have been sent before it."""

MOST_COMPARED: Final = 128
"""Most events of one context that are compared because of what they hold. To these come the first that holds each
thing wanted, and the prompts."""

MOST_PROMPTS: Final = 100
"""Prompts that are compared however common it is what they hold, the latest ones."""

MOST_KEPT: Final = 40_000
"""Events of contexts that are kept for the next search of the same question."""

_MOST_CUT: Final = 512

CAME_IN: Final = ("agent.prompted", "call.result", "agent.born", "model.input")

_GIVEN: Final = {"whole": 1.0, "part": 0.5, "carried": 0.5}
"""What a value of a call weighs, by what it is to the call."""
_PLACES: Final = (("user", 0.9), ("order", 1.0), ("text", 0.6), ("field", 0.2))
"""What a value weighs where it stands, for those who look for an instruction."""
_AGAIN: Final = 0.6
_ACT, _ACTS_COUNT = 0.5, 2.0
_OLD, _THING, _OLD_AGAIN = 0.15, 1.0, 0.5

Things = frozenset[tuple[str, str]]


class Wanted(msgspec.Struct, frozen=True):
    """What a call acted on.

    Attributes:
        prints: Fingerprints of its control arguments.
        things: The things that it names.
        values: Prints of the values that it is given, to what each weighs.
        acts: Prints of the acts that it is.
    """

    prints: frozenset[bytes] = frozenset()
    things: Things = frozenset()
    values: Mapping[bytes, float] = {}
    acts: frozenset[bytes] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.prints or self.things or self.values or self.acts)


class Carrier(msgspec.Struct, frozen=True):
    """An event that holds some of what is wanted.

    Attributes:
        n: It.
        prints: The fingerprints that it shares.
        things: The things that it shares.
        values: The values that it shares, to what each weighs.
        acts: The acts that it asks for.
        orders: Whether it tells the agent to do something that the call does, or orders a value that it is given.
        score: How much of what could be traced it brought; 0 to 1.
    """

    n: int
    prints: frozenset[bytes]
    things: Things
    values: Mapping[bytes, float]
    acts: frozenset[bytes]
    orders: bool
    score: float

    def narrowed(self) -> Wanted:
        """Return what to look for where this event had it from."""
        return Wanted(self.prints, self.things, self.values, self.acts)


class _Heard(msgspec.Struct, frozen=True):
    """One event of a context, and what of the wanted it holds, with the weight of the place for values."""

    n: int
    prints: frozenset[bytes]
    things: Things
    values: Mapping[bytes, float]
    acts: frozenset[bytes]
    orders: bool


class _Chosen(msgspec.Struct, frozen=True):
    """The events of a context that are compared, in order; and, for a birth, the call behind it."""

    compared: dict[int, _Lain]
    handed: dict[int, int]


class _Lain(msgspec.Struct, frozen=True, gc=False):
    """What is compared of what lies beside an event: of thousands, the rest is not read."""

    entities: tuple[Entity, ...] = ()
    prints: bytes = b""
    control: bytes = b""
    said: dict[str, bytes] = {}


_NOTHING: Final = _Lain()
_NONE: Final[frozenset[Any]] = frozenset()
_decode: Final = msgspec.msgpack.Decoder(_Lain).decode


@lru_cache(4_096)
def _cutter(size: int, length: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """Return what cuts bytes of one length; what does not fill a piece at their end is left out."""
    count, more = divmod(length, size)
    if count > _MOST_CUT:
        return lambda prints: tuple(prints[at : at + size] for at in range(0, count * size, size))
    return struct.Struct(f"{size}s" * count + "x" * more).unpack


def pieces(prints: bytes, size: int = 8) -> tuple[bytes, ...]:
    """Return the prints in a concatenation of them."""
    return _cutter(size, len(prints))(prints)


def split(prints: bytes, size: int = 8) -> frozenset[bytes]:
    """Return the different prints in a concatenation of them."""
    return frozenset(pieces(prints, size))


def wanted(beside: Beside) -> Wanted:
    """Return what a call acted on, from what lies beside it."""
    values: dict[bytes, float] = {}
    for kind, weight in _GIVEN.items():
        for one in split(beside.said.get(kind, b""), SIZE):
            values[one] = max(weight, values.get(one, 0.0))
    return Wanted(split(beside.control), said(beside)[1], values, split(beside.said.get("acts", b""), SIZE))


def payload(beside: Beside) -> Wanted:
    """Return what a call carried rather than what steered it: fingerprints of its arguments less those of control."""
    return Wanted(prints=split(beside.prints) - split(beside.control))


def said(beside: Beside | _Lain) -> tuple[frozenset[bytes], Things]:
    """Return every fingerprint and every thing of an event."""
    return split(beside.prints) | split(beside.control), _things(beside.entities)


def _things(entities: Iterable[Entity]) -> Things:
    return frozenset((x.kind, x.value) for x in entities if x.kind in SPREAD and x.role != "is")


def _given(beside: _Lain) -> frozenset[bytes]:
    """Return the values that a call was given."""
    return frozenset().union(*(pieces(beside.said.get(kind, b""), SIZE) for kind in _GIVEN))


class Contexts:
    """What came into agents' contexts, for the searches of one question.

    Attributes:
        view: The view.
    """

    def __init__(self, view: View, prints: frozenset[bytes] = frozenset()) -> None:
        """Begin; ``prints`` are all those of the call asked about, of which each search wants some."""
        self.view = view
        self._prints = prints
        self._shared: dict[tuple[str, int], dict[int, frozenset[bytes]]] = {}
        self._read: dict[tuple[str, int], list[tuple[int, _Lain]]] = {}
        self._left = MOST_KEPT
        self._left_out: dict[tuple[str, int], int] = {}

    @property
    def left_out(self) -> int:
        """How many events that hold something wanted were not compared, in all contexts that were searched."""
        return sum(self._left_out.values())

    def carriers(self, agent: str, before: int, want: Wanted) -> list[Carrier]:
        """Return the events of a context before ``before`` that hold something wanted, the likeliest first."""
        chosen, others = self._chosen(agent, before, want)
        found = list(_compared(self.view, chosen, want))
        rarity = _rarity(found, others)
        old: dict[object, float] = {}
        for one in found:
            old.update((value, 1.0 / rarity[value]) for value in one.prints)
            old.update((value, _THING / rarity[value]) for value in one.things)
        old_total = sum(old.values())
        possible = sum(want.values.values()) + (_ACT * _ACTS_COUNT if want.acts else 0.0) + (_OLD if old_total else 0.0)
        seen: set[object] = set()
        out = []
        for one in found:
            score = sum(
                want.values[value] / rarity[value] * place * (_AGAIN if value in seen else 1.0)
                for value, place in one.values.items()
            )
            # An act that many events ask for says little; two that agree say enough.
            score += _ACT * min(_ACTS_COUNT, sum(1.0 / rarity[act] for act in one.acts))
            if old_total:
                share = sum(old[x] * (_OLD_AGAIN if x in seen else 1.0) for x in (*one.prints, *one.things))
                score += _OLD * share / old_total
            seen.update(one.values, one.prints, one.things)
            held = {value: want.values[value] for value in one.values}
            out.append(
                Carrier(one.n, one.prints, one.things, held, one.acts, one.orders, round(min(1.0, score / possible), 4))
            )
        return sorted(out, key=lambda carrier: (-carrier.score, carrier.n))

    def _chosen(self, agent: str, before: int, want: Wanted) -> tuple[_Chosen, dict[object, int]]:
        """Return what is compared, and how many others hold each thing wanted."""
        context = self._context(agent, before)
        held = _holding(context, want, self._sharing(agent, before, context, want) if want.prints else {})
        handed = _handed(self.view, [n for n, _ in context[:1]])
        others: dict[object, int] = {}
        if len(held) > MOST_COMPARED:
            kept = {*_rarest(dict(context), held, want), *handed}
            kept.update(reading.events_of(self.view, agent, ("agent.prompted",), before=before)[-MOST_PROMPTS:])
            left_out = held.keys() - kept
            for n in left_out:
                for one in held.pop(n):
                    others[one] = others.get(one, 0) + 1
            known = self._left_out.get((agent, before), 0)
            self._left_out[agent, before] = max(known, len(left_out))
        compared = {n: lain for n, lain in context if n in held or n in handed}
        return _Chosen(compared, handed), others

    def _sharing(
        self, agent: str, before: int, context: list[tuple[int, _Lain]], want: Wanted
    ) -> dict[int, frozenset[bytes]]:
        """Return the prints that events of a context share with what is sought: the call's, looked for only once."""
        if not want.prints <= self._prints:
            return _sharing(context, want.prints)
        known = self._shared.get((agent, before))
        if known is None:
            known = self._shared[agent, before] = _sharing(context, self._prints)
        return known

    def _context(self, agent: str, before: int) -> list[tuple[int, _Lain]]:
        """Return what lies beside each event that came into an agent's context before another one."""
        known = self._read.get((agent, before))
        if known is not None:
            return known
        numbers = reading.events_of(self.view, agent, CAME_IN, before=before)[-MOST_EVENTS:]
        blobs = reading.blobs(self.view, [*numbers, *sent_before(self.view, agent, before)])
        found = [(n, lean(blob)) for n, blob in blobs]
        if len(found) <= self._left:
            self._left -= len(found)
            self._read[agent, before] = found
        return found


def _rarity(found: list[_Heard], others: Mapping[object, int]) -> dict[object, int]:
    holders = dict(others)
    for one in found:
        for value in (*one.values, *one.prints, *one.things, *one.acts):
            holders[value] = holders.get(value, 0) + 1
    return holders


def lean(blob: bytes) -> _Lain:
    """Return what is compared of what lies beside an event; nothing where it was erased or cannot be read."""
    if not blob:
        return _NOTHING
    try:
        return _decode(blob)
    except msgspec.DecodeError:
        return _NOTHING


def _sharing(context: list[tuple[int, _Lain]], prints: frozenset[bytes]) -> dict[int, frozenset[bytes]]:
    found: dict[int, frozenset[bytes]] = {}
    for n, lain in context:
        shared = prints.intersection(pieces(lain.prints + lain.control if lain.control else lain.prints))
        if shared:
            found[n] = shared
    return found


def _holding(
    context: list[tuple[int, _Lain]], want: Wanted, sharing: Mapping[int, frozenset[bytes]]
) -> dict[int, frozenset[object]]:
    """Return the events that hold something wanted, wherever in what lies beside them, and what."""
    values = frozenset((*want.values, *want.acts))
    found: dict[int, frozenset[object]] = {}
    for n, lain in context:
        had: frozenset[object] = _NONE
        if values and lain.said:
            had = values.intersection(pieces(b"".join(lain.said.values()), SIZE))
        if n in sharing:
            had = had | (sharing[n] & want.prints)
        if want.things and lain.entities:
            had |= want.things & _things(lain.entities)
        if had:
            found[n] = had
    return found


def _rarest(context: Mapping[int, _Lain], held: Mapping[int, frozenset[object]], want: Wanted) -> set[int]:
    """Return the events that bring most, as far as it shows on them alone, and the first that holds each thing."""
    alike: dict[frozenset[object], list[int]] = {}
    for n, had in held.items():
        alike.setdefault(had, []).append(n)
    holders: dict[object, int] = {}
    first: dict[object, int] = {}
    for had, numbers in alike.items():
        for one in had:
            holders[one] = holders.get(one, 0) + len(numbers)
            first[one] = min(numbers[0], first.get(one, numbers[0]))
    values = {one: weight / holders[one] for one, weight in want.values.items() if one in holders}
    worth: dict[object, float] = {one: _ACT / holders[one] for one in want.acts if one in holders}
    old = [one for one in holders if one in want.prints or one in want.things]
    worth.update((one, _OLD / holders[one] / sum(1.0 / holders[x] for x in old)) for one in old)
    # What stands in the best place brings the most that it can: few have to be looked at for where theirs stands.
    sure = {had: sum(worth.get(one, 0.0) for one in had) for had in alike}
    most = {had: sure[had] + sum(values[one] for one in values.keys() & had) for had in alike}
    best: list[tuple[float, int]] = []
    for had in sorted(alike, key=lambda had: -most[had]):
        if len(best) >= MOST_COMPARED and most[had] < best[0][0]:
            break
        mine = frozenset(values.keys() & had)
        for n in alike[had]:
            stands = _stands(context[n].said, mine) if mine else {}
            brings = sure[had] + sum(values[one] * weight for one, weight in stands.items())
            (heappush if len(best) < MOST_COMPARED else heappushpop)(best, (brings, -n))
    return {*(-n for _, n in best), *first.values()}


def _stands(told: Mapping[str, bytes], values: frozenset[bytes]) -> dict[bytes, float]:
    """Return those of some values that stand where they count, with the weight of the weightiest place of each."""
    found: dict[bytes, float] = {}
    for place, weight in _PLACES:
        data = told.get(place)
        if data:
            for value in values.intersection(pieces(data, SIZE)):
                found[value] = max(weight, found.get(value, 0.0))
    return found


def _compared(view: View, chosen: _Chosen, want: Wanted) -> Iterator[_Heard]:
    """Give what the chosen events hold of what is wanted, in order, less what their own calls had said."""
    intents = reading.intents_of(view, chosen.compared)
    own = {n: lean(blob) for n, blob in reading.blobs(view, intents.values())}
    for n, lain in chosen.compared.items():
        prints, things = said(lain)
        told: Mapping[str, bytes] = lain.said
        echoed: frozenset[bytes] = _NONE
        if n in intents:
            asked = own.get(intents[n], _NOTHING)
            theirs = said(asked)
            prints, things = prints - theirs[0], things - theirs[1]
            echoed = _given(asked)
        elif n in chosen.handed:
            parent = reading.beside(view, chosen.handed[n])
            more = said(parent)
            prints, things = prints | more[0], things | more[1]
            told = {**_handed_on(parent), **told}
        heard = _heard(n, (prints & want.prints, things & want.things), told, want, echoed)
        if heard is not None:
            yield heard


def sent_before(view: View, agent: str, n: int) -> list[int]:
    """Return what an agent's model had been sent before event ``n`` although it was recorded a moment after it."""
    late = reading.events_of(view, agent, ("model.input",), after=n)[:MOST_LATE]
    if not late:
        return []
    until = reading.event(view, n).ts
    return [
        one.n
        for one in reading.leaves(view, late)
        if isinstance(one, ModelInput) and one.what == "request" and 0 < one.asked <= until
    ]


def _heard(
    n: int,
    shared: tuple[frozenset[bytes], Things],
    told: Mapping[str, bytes],
    want: Wanted,
    echoed: frozenset[bytes],
) -> _Heard | None:
    prints, things = shared
    values = _stands(told, frozenset(want.values) - echoed) if want.values else {}
    orders = any(value in values for place in ("order", "user") for value in pieces(told.get(place, b""), SIZE))
    acts = split(told.get("asks", b""), SIZE) & want.acts if want.acts else frozenset()
    if not (prints or things or values or acts):
        return None
    return _Heard(n, prints, things, values, acts, orders or bool(acts))


def _handed_on(parent: Beside) -> dict[str, bytes]:
    """Return what a parent's call that asked for an agent told that agent: its values, as an instruction's."""
    told = parent.said
    return {"order": told.get("whole", b"") + told.get("part", b"") + told.get("carried", b"")} if told else {}


def _handed(view: View, numbers: list[int]) -> dict[int, int]:
    """Return, for the births among ``numbers``, the parent's call that asked for the agent."""
    out: dict[int, int] = {}
    for n in numbers[:1]:
        row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'spawn'", n)
        if row:
            out[n] = row[0]
    return out
