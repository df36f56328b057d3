"""What the events themselves say, followed from the first to the last."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import sha256 as _sha256
from typing import Any

from outrider.errors import BadInputError
from outrider.ledger.verify.canonical import Shapes
from outrider.ledger.verify.formats import Head, Key, Piece, parse_vkey
from outrider.ledger.verify.report import Gap, Problems

_VERSION = 1
_parse = json.JSONDecoder().raw_decode
_KILLED = "the daemon before this one did not end in good order"


class Story:
    """What the events themselves say, followed from the first to the last, or through a part of the record.

    What a part cannot know of those before it is left open in it, and settled by :meth:`join`.
    """

    def __init__(self, problems: Problems, begins: int = 0) -> None:
        """Follow the events from number ``begins`` on."""
        self._problems = problems
        self._begins = begins
        self.gaps: list[Gap] = []
        self.kinds: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.open: dict[int, str] = {}
        self.despite: list[int] = []
        self.erased: list[tuple[int, dict[str, Any]]] = []
        self.kept: list[tuple[int, str]] = []
        self.first_ts = self.last_ts = 0
        self._heads: dict[str, tuple[int, str]] = {}
        self._first: dict[str, Any] = {}
        self._shapes = Shapes()
        self._joins: dict[str, tuple[int, str]] = {}
        self._closed: list[int] = []
        self._woke: tuple[int, int, int] | None = None
        self._running: bool | None = None if begins else False
        self._shift: int | None = 0

    def event(self, index: int, piece: Piece, hashed: bytes) -> None:
        """Checks 6, 7 and 8 on one event."""
        leaf, beside = piece.leaf, piece.beside
        event = self._parse(index, leaf)
        if event is None:
            return
        named = event.get("n")
        shift = named - index if isinstance(named, int) else None
        if shift != self._shift and (shift or self._shift == 0):
            self._problems.add("leaf", f"event {index} says that it is event {named}", index)
        self._shift = shift
        if event.get("beside", "") != (_sha256(beside).hexdigest() if beside else ""):
            self._problems.add("beside", f"what lies beside event {index} is not what was recorded", index)
        source = event.get("src")
        if isinstance(source, dict):
            self._source(index, source, hashed.hex())
        self._follow(index, event)

    def _parse(self, index: int, leaf: bytes) -> dict[str, Any] | None:
        try:
            event, _ = _parse(leaf.decode())
            kind = str(event.get("kind")) if isinstance(event, dict) else ""
            canonical = self._shapes.canonical(kind, leaf, event)
        except (ValueError, RecursionError) as error:
            self._problems.add("leaf", f"event {index} is not JSON: {error}", index)
            return None
        if not isinstance(event, dict):
            self._problems.add("leaf", f"event {index} is not an object", index)
            return None
        if not canonical:
            self._problems.add("leaf", f"event {index} is not in canonical form", index)
        if event.get("v") != _VERSION:
            self._problems.add("leaf", f"event {index} is of version {event.get('v')}, which is not known", index)
        return event

    def _source(self, index: int, source: dict[str, Any], hashed: str) -> None:
        name, seen = str(source.get("id")), source.get("seq")
        head = self._heads.get(name)
        if head is None:
            head = -1, ""
            if self._begins:
                head = self._joins[name] = _count(seen) - 1, str(source.get("prev", ""))
        number, before = head
        if seen != number + 1:
            self._problems.add("source", f"event {index} is number {seen} of {name}, and {number + 1} is next", index)
        elif source.get("prev", "") != before:
            self._problems.add("source", f"the event of {name} before event {index} is not what it was", index)
        self._heads[name] = (seen if isinstance(seen, int) else number + 1, hashed)
        self.counts[name] += 1
        if lost := _count(source.get("lost")):
            self.gaps.append(Gap("lost", index, lost, detail=f"messages of {name} before this event"))

    def _follow(self, index: int, event: dict[str, Any]) -> None:
        kind, ts = str(event.get("kind")), _count(event.get("ts"))
        if not self.kinds:
            self._first, self.first_ts = event, ts
        self.kinds[kind] += 1
        if back := _count(event.get("back")):
            self.gaps.append(Gap("clock", index, back, ts, ts + back, "the wall clock jumped back"))
        if kind.startswith("call."):
            self._call(kind, index, event)
        else:
            self._told(kind, index, event)
        self.last_ts = ts

    def _call(self, kind: str, index: int, event: dict[str, Any]) -> None:
        if kind == "call.result":
            intent = _count(event.get("intent"))
            if self.open.pop(intent, None) is None and 0 <= intent < self._begins:
                self._closed.append(intent)
            if event.get("despite"):
                self.despite.append(index)
            return
        decision, source = event.get("decision"), event.get("src")
        allowed = isinstance(decision, dict) and decision.get("enforced") == "allow"
        if allowed and not event.get("permission"):
            self.open[index] = str(source.get("id")) if isinstance(source, dict) else ""

    def _told(self, kind: str, index: int, event: dict[str, Any]) -> None:
        if kind == "record.gap":
            self._gap(index, event)
        elif kind == "record.recovered":
            self.gaps.append(Gap("recovered", index, _count(event.get("cut")), detail="bytes of a torn tail were cut"))
        elif kind == "daemon.started":
            if self._running:
                self.gaps.append(Gap("killed", index, 1, self.last_ts, _count(event.get("ts")), _KILLED))
            elif self._running is None:
                self._woke = index, self.last_ts, _count(event.get("ts"))
            self._running = True
        elif kind == "content.erased":
            self.erased.append((index, event))
        elif kind == "content.kept":
            self.kept += [(_count(one.get("of")), str(one.get("hash"))) for one in _dicts(event.get("kept"))]
        elif kind == "daemon.stopped":
            self._running = False

    def _gap(self, index: int, event: dict[str, Any]) -> None:
        what, count = str(event.get("what")), _count(event.get("count"))
        since, until = _count(event.get("since")), _count(event.get("until"))
        if what == "clock":
            if event.get("back"):
                return  # It was told of with the event's own time.
            count = abs(until - since)
        self.gaps.append(Gap(what, index, count, since, until, str(event.get("detail", ""))))

    def told(self) -> dict[str, Any]:
        """Return what a part found, as plain data for :meth:`join`."""
        return {
            "first": self._first,
            "ts": [self.first_ts, self.last_ts],
            "kinds": self.kinds,
            "counts": self.counts,
            "joins": self._joins,
            "heads": self._heads,
            "gaps": [list(vars(gap).values()) for gap in self.gaps],
            "open": list(self.open.items()),
            "closed": self._closed,
            "despite": self.despite,
            "erased": self.erased,
            "kept": self.kept,
            "woke": self._woke,
            "running": self._running,
        }

    def join(self, part: dict[str, Any]) -> bool:
        """Take in what the next part told; return whether it goes on where this one ends."""
        if any(list(self._heads.get(name, (-1, ""))) != before for name, before in part["joins"].items()):
            return False
        if not self.kinds:
            self._first, self.first_ts = part["first"], part["ts"][0]
        gaps = [Gap(*one) for one in part["gaps"]]
        if part["woke"] is not None and self._running:
            index, before, ts = part["woke"]
            gaps.append(Gap("killed", index, 1, before or self.last_ts, ts, _KILLED))
        self.gaps += sorted(gaps, key=lambda gap: gap.event)
        self.kinds.update(part["kinds"])
        self.counts.update(part["counts"])
        self._heads |= {name: (number, hashed) for name, (number, hashed) in part["heads"].items()}
        for intent in part["closed"]:
            self.open.pop(intent, None)
        self.open |= dict(part["open"])
        self.despite += part["despite"]
        self.erased += [(index, event) for index, event in part["erased"]]
        self.kept += [(index, named) for index, named in part["kept"]]
        if part["running"] is not None:
            self._running = part["running"]
        self.last_ts = part["ts"][1]
        return True

    def opened(self, key: Key | None, head: Head | None) -> None:
        """Check 11."""
        if not self.kinds:
            return
        if self._first.get("kind") != "record.opened":
            self._problems.add("opened", "the first event does not open the record", 0)
            return
        try:
            named = parse_vkey(str(self._first.get("vkey")))
        except BadInputError as error:
            self._problems.add("opened", f"the first event names no key: {error}", 0)
            return
        if key is not None and named.public != key.public:
            self._problems.add("opened", "the record was opened under another key", 0)
        if head is not None and self._first.get("origin") != head.origin:
            self._problems.add("opened", "the record was opened under another name", 0)


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
