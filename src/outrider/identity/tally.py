"""What changes with every call of one agent: its counts, and the calls whose result has not come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from outrider.identity.agent import Intent

if TYPE_CHECKING:
    from outrider.events.record import CallDecided

MAX_OPEN = 512
MAX_DENIED = 64


class Used(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What most agents use nothing of.

    Attributes:
        spawns: Children asked for or born.
        expected: Children asked for and not born yet.
        tokens: By the host's word, -1 if it said nothing.
        cost: The same.
    """

    spawns: int = 0
    expected: int = 0
    tokens: int = -1
    cost: int = -1


_NOTHING = Used()


class Tally(msgspec.Struct, kw_only=True, gc=False):
    """What changes with every call of one agent.

    Attributes:
        calls: Calls that were judged.
        used: What else it used.
        open: Calls that may be running, the oldest first; at most :data:`MAX_OPEN`.
        denied: Denied calls whose result may still come, the oldest first; at most :data:`MAX_DENIED`.
    """

    calls: int = 0
    used: Used = _NOTHING
    open: tuple[Intent, ...] = ()
    denied: tuple[Intent, ...] = ()

    def decided(self, event: CallDecided) -> None:
        """Count a call that was judged, and hold it open."""
        self.calls += 1
        told, used = event.counters, self.used
        if told.tokens > used.tokens or told.cost > used.cost:
            tokens, cost = max(told.tokens, used.tokens), max(told.cost, used.cost)
            self.used = msgspec.structs.replace(used, tokens=tokens, cost=cost)
        intent = intent_of(event)
        self.returned(event.call)
        if intent.allowed:
            count = len(intent.spawns) + len(intent.launches)
            self._children(count, count)
            self.open = (*self.open, intent)[-MAX_OPEN:]
        else:
            self.denied = (*self.denied, intent)[-MAX_DENIED:]

    def born(self) -> None:
        """Count a child that was born, announced or not."""
        if self.used.expected > 0:
            self._children(0, -1)
        else:
            self._children(1, 0)

    def _children(self, spawns: int, expected: int) -> None:
        if spawns or expected:
            used = self.used
            self.used = msgspec.structs.replace(used, spawns=used.spawns + spawns, expected=used.expected + expected)

    def returned(self, call: str) -> None:
        """Close a call."""
        if any(one.call == call for one in self.open):
            self.open = tuple(one for one in self.open if one.call != call)
        if any(one.call == call for one in self.denied):
            self.denied = tuple(one for one in self.denied if one.call != call)

    def find(self, call: str) -> Intent | None:
        """Return the call with that host id whose result has not come."""
        return next((one for held in (self.open, self.denied) for one in held if one.call == call), None)


def intent_of(event: CallDecided) -> Intent:
    """Return what is kept of a call that was judged."""
    asked = [effect for effect in event.effects if effect.verb == "spawn"]
    return Intent(
        n=event.n,
        call=event.call,
        tool=sys.intern(event.tool),
        name=sys.intern(event.name),
        enforced=sys.intern(event.decision.enforced),
        spawns=tuple(effect.value for effect in asked if effect.kind == "charter"),
        launches=tuple(effect.value for effect in asked if effect.kind != "charter"),
    )
