"""What the events themselves say, followed from the first to the last."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from outrider.errors import BadInputError
from outrider.ledger.verify.formats import Head, Key, Piece, parse_vkey
from outrider.ledger.verify.report import Gap, Problems

_VERSION = 1


class Story:
    """What the events themselves say, followed from the first to the last."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self.gaps: list[Gap] = []
        self.kinds: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.open: dict[int, str] = {}
        self.despite: list[int] = []
        self.first_ts = self.last_ts = 0
        self._heads: dict[str, tuple[int, str]] = {}
        self._first: dict[str, Any] = {}
        self._running = False
        self._shift: int | None = 0

    def event(self, index: int, piece: Piece, hashed: bytes) -> None:
        """Checks 6, 7 and 8 on one event."""
        event = self._parse(index, piece.leaf)
        if event is None:
            return
        named = event.get("n")
        shift = named - index if isinstance(named, int) else None
        if shift != self._shift and (shift or self._shift == 0):
            self._problems.add("leaf", f"event {index} says that it is event {named}", index)
        self._shift = shift
        digest = hashlib.sha256(piece.beside).hexdigest() if piece.beside else ""
        if event.get("beside", "") != digest:
            self._problems.add("beside", f"what lies beside event {index} is not what was recorded", index)
        source = event.get("src")
        if isinstance(source, dict):
            self._source(index, source, hashed.hex())
        self._follow(index, event)

    def _parse(self, index: int, leaf: bytes) -> dict[str, Any] | None:
        try:
            event = json.loads(leaf)
            again = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        except (ValueError, RecursionError) as error:
            self._problems.add("leaf", f"event {index} is not JSON: {error}", index)
            return None
        if not isinstance(event, dict):
            self._problems.add("leaf", f"event {index} is not an object", index)
            return None
        if again != leaf:
            self._problems.add("leaf", f"event {index} is not in canonical form", index)
        if event.get("v") != _VERSION:
            self._problems.add("leaf", f"event {index} is of version {event.get('v')}, which is not known", index)
        return event

    def _source(self, index: int, source: dict[str, Any], hashed: str) -> None:
        name = str(source.get("id"))
        number, before = self._heads.get(name, (-1, ""))
        if source.get("seq") != number + 1:
            self._problems.add(
                "source", f"event {index} is number {source.get('seq')} of {name}, and {number + 1} is next", index
            )
        elif source.get("prev", "") != before:
            self._problems.add("source", f"the event of {name} before event {index} is not what it was", index)
        seen = source.get("seq")
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
            self.open.pop(_count(event.get("intent")), None)
            if event.get("despite"):
                self.despite.append(index)
            return
        decision, source = event.get("decision"), event.get("src")
        allowed = isinstance(decision, dict) and decision.get("enforced") == "allow"
        if allowed and not event.get("permission"):
            self.open[index] = str(source.get("id")) if isinstance(source, dict) else ""

    def _told(self, kind: str, index: int, event: dict[str, Any]) -> None:
        if kind == "record.gap":
            spans = _count(event.get("count")), _count(event.get("since")), _count(event.get("until"))
            self.gaps.append(Gap(str(event.get("what")), index, *spans, str(event.get("detail", ""))))
        elif kind == "record.recovered":
            self.gaps.append(Gap("recovered", index, _count(event.get("cut")), detail="bytes of a torn tail were cut"))
        elif kind == "daemon.started":
            if self._running:
                detail = "the daemon before this one did not end in good order"
                self.gaps.append(Gap("killed", index, 1, self.last_ts, _count(event.get("ts")), detail))
            self._running = True
        elif kind == "daemon.stopped":
            self._running = False

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
