"""What came into an agent's context and brought what a call acted on, or told the agent to do such a thing. Ranked.

Three things are held against every prompt, result and hand-over before the call, and only prints of them are kept:

- the values that the call is given (where it goes, what it names; what it carries counts little), by where each stands:
  in a sentence that orders something most, in a field that a tool made least;
- the act itself, a verb with an object: an instruction that names no value is found by what it asks for;
- the fingerprints of the control arguments and the things that the call names, for calls whose values are not prints
  of the first kind (paths, commands).

Each counts the more the fewer events hold it; what a result merely echoes of its own call counts nothing; what an event
is not the first to bring counts less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.events.model_input import ModelInput
from outrider.events.record import Beside
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


def split(prints: bytes, size: int = 8) -> frozenset[bytes]:
    """Return the prints in a concatenation of them."""
    return frozenset(prints[at : at + size] for at in range(0, len(prints) - size + 1, size))


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


def said(beside: Beside) -> tuple[frozenset[bytes], Things]:
    """Return every fingerprint and every thing of an event."""
    things = frozenset((x.kind, x.value) for x in beside.entities if x.kind in SPREAD and x.role != "is")
    return split(beside.prints) | split(beside.control), things


def carriers(view: View, agent: str, before: int, want: Wanted) -> list[Carrier]:
    """Return the events of an agent's context before ``before`` that hold something wanted, the likeliest first."""
    found = list(_context(view, agent, before, want))
    rarity = _rarity(found)
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


def _rarity(found: list[_Heard]) -> dict[object, int]:
    holders: dict[object, int] = {}
    for one in found:
        for value in (*one.values, *one.prints, *one.things, *one.acts):
            holders[value] = holders.get(value, 0) + 1
    return holders


def _context(view: View, agent: str, before: int, want: Wanted) -> Iterator[_Heard]:
    """Give what came into an agent's context and holds something wanted, in order, less what its own calls had said."""
    numbers = [
        *reading.events_of(view, agent, CAME_IN, before=before)[-MOST_EVENTS:],
        *sent_before(view, agent, before),
    ]
    handed = _handed(view, numbers)
    numbers = [*reading.holding(view, numbers, _marks(want)), *handed]
    intents = reading.intents_of(view, numbers)
    own = dict(reading.besides(view, intents.values()))
    for n, beside in reading.besides(view, numbers):
        prints, things = said(beside)
        told = beside.said
        echoed: frozenset[bytes] = frozenset()
        if n in intents:
            asked = own.get(intents[n])
            if asked is not None:
                theirs = said(asked)
                prints, things = prints - theirs[0], things - theirs[1]
                echoed = frozenset(wanted(asked).values)
        elif n in handed:
            parent = reading.beside(view, handed[n])
            more = said(parent)
            prints, things = prints | more[0], things | more[1]
            told = {**_handed_on(parent), **told}
        heard = _heard(n, (prints & want.prints, things & want.things), told, want, echoed)
        if heard is not None:
            yield heard


def _marks(want: Wanted) -> list[bytes]:
    """Return what must lie beside an event that holds something wanted, as it lies there."""
    named = (value.encode("utf-8", "surrogatepass") for _, value in want.things)
    return [*want.values, *want.acts, *want.prints, *named]


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
    values: dict[bytes, float] = {}
    orders = False
    for place, weight in _PLACES:
        data = told.get(place, b"")
        if not data or not want.values:
            continue
        for value in split(data, SIZE) & want.values.keys() - echoed:
            values[value] = max(weight, values.get(value, 0.0))
            orders = orders or place in ("order", "user")
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
