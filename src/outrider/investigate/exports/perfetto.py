"""A Perfetto trace (TrackEvent): a track an agent below its parent's, a slice a call, an arrow a cause.

Calls of one agent that run side by side get tracks of their own, since slices of one track have to nest. The few
messages of the format that are needed are written here, by hand: perfetto.dev, "Synthesizing TrackEvent", and
protos/perfetto/trace/track_event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from outrider.events.record import AnyEvent, CallDecided, CallResult
from outrider.investigate.words import of
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material

_SEQUENCE: Final = 1
_BEGIN, _END, _INSTANT = 1, 2, 3
_HOUR_US: Final = 3_600_000_000
"""How long a call without a result is drawn at most: up to its agent's end, or this."""


def perfetto(material: Material) -> Iterator[bytes]:
    """Yield the packets of the trace, in no order of time: the importer sorts them."""
    tracks = _Tracks(material)
    out_of, into = _arrows(material)
    for event, leaf_hash in material.events():
        if isinstance(event, CallResult) and event.intent >= 0:
            continue
        ends = _end(material, event) if isinstance(event, CallDecided) else None
        track, fresh = tracks.of(event, ends)
        yield from fresh
        told = of(material.view, event)
        facts = _text(4, "event", str(event.n)) + _text(4, "what", told.what) + _text(4, "leaf", leaf_hash)
        flows = b"".join(_fixed(47, one) for one in out_of.get(event.n, ()))
        flows += b"".join(_fixed(48, one) for one in into.get(event.n, ()))
        kind = _INSTANT if ends is None else _BEGIN
        name = event.name if isinstance(event, CallDecided) else told.kind
        body = _number(9, kind) + _number(11, track) + _bytes(22, _category(event)) + _bytes(23, name.encode())
        yield _packet(event.ts, _bytes(11, body + facts + flows))
        if ends is not None:
            yield _packet(ends, _bytes(11, _number(9, _END) + _number(11, track)))


class _Tracks:
    """Tracks as they are needed."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._told: set[int] = set()
        self._busy: dict[str, list[int]] = {}

    def of(self, event: AnyEvent, ends: int | None) -> tuple[int, list[bytes]]:
        """Return the track of an event, and the packets that make the tracks it needs known."""
        fresh: list[bytes] = []
        own = self._agent(event.agent, fresh)
        if ends is None:
            return own, fresh
        lanes = self._busy.setdefault(event.agent, [])
        lane = next((at for at, until in enumerate(lanes) if until <= event.ts), len(lanes))
        lanes[lane:] = [ends, *lanes[lane + 1 :]]
        if lane == 0:
            return own, fresh
        track = _id(f"{event.agent}/{lane}")
        self._tell(track, f"beside {lane}", own, fresh)
        return track, fresh

    def _agent(self, identifier: str, fresh: list[bytes]) -> int:
        if not identifier:
            track = _id(self._material.origin)
            self._tell(track, self._material.origin, 0, fresh)
            return track
        track = _id(identifier)
        if track not in self._told:
            agent = self._material.agent(identifier)
            above = self._agent(agent.parent, fresh)
            self._tell(track, f"{agent.charter or 'agent'} {identifier[-8:]}", above, fresh)
        return track

    def _tell(self, track: int, name: str, above: int, fresh: list[bytes]) -> None:
        if track in self._told:
            return
        self._told.add(track)
        body = _number(1, track) + _bytes(2, name.encode()) + (_number(5, above) if above else b"")
        fresh.append(_packet(0, _bytes(60, body)))


def _arrows(material: Material) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return the ids of arrows that leave each event, and of those that arrive."""
    out_of: dict[int, list[int]] = {}
    into: dict[int, list[int]] = {}
    for number, (source, effect, why) in enumerate(material.causes(), 1):
        if why != "returns":
            out_of.setdefault(source, []).append(number)
            into.setdefault(effect, []).append(number)
    return out_of, into


def _end(material: Material, event: CallDecided) -> int:
    result = reading.result_of(material.view, event.n)
    told = None if result is None else reading.peek(material.view, result)
    if told is not None:
        return max(told.ts, event.ts + 1)
    if event.decision.enforced != "allow":
        return event.ts + max(event.us, 1)
    ended = material.agent(event.agent).ended_ts
    return max(min(ended or event.ts + _HOUR_US, event.ts + _HOUR_US), event.ts + 1)


def _category(event: AnyEvent) -> bytes:
    return event.decision.enforced.encode() if isinstance(event, CallDecided) else b"event"


def _id(text: str) -> int:
    """Return a track's id: 63 bits, never 0."""
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1) | 1


def _packet(micros: int, what: bytes) -> bytes:
    """Return a packet of a trace; time in nanoseconds, on a clock of its own (BOOTTIME, the default)."""
    return _bytes(1, _number(8, micros * 1000) + _number(10, _SEQUENCE) + what)


def _text(field: int, name: str, text: str) -> bytes:
    """Return a debug annotation: a name and a text."""
    return _bytes(field, _bytes(10, name.encode()) + _bytes(6, text.encode("utf-8", "replace")))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _fixed(field: int, value: int) -> bytes:
    return _varint(field << 3 | 1) + value.to_bytes(8, "little")


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
