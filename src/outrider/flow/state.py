"""Labels of agents and files, folded from the record and from nothing else.

Invariants, each a property test: a label goes only by an event that proves that what brought it did not happen, or
that what carried it is gone; ``load(dump())`` is the same state; the order of dictionaries never matters.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable

import msgspec

from outrider.events.call import Effect, Label
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AnyEvent,
    Beside,
    CallDecided,
    CallResult,
    LabelsJoined,
    Prompted,
)
from outrider.flow import course as lately
from outrider.flow import marks as on
from outrider.flow.course import Course, Past
from outrider.flow.marks import FIRM, Marks
from outrider.flow.memory import Memory, Remembered
from outrider.flow.origins import Known

MAX_OPEN = 32
"""Calls without a result that one agent's provisional labels may hang on; older ones are taken to have run."""

_VAGUE = frozenset({"inexact", "pattern"})
_NOTHING: Marks = {}


class _Place(msgspec.Struct):
    """Labels of a file or of all files beneath a directory, and the last event that put one there."""

    marks: Marks
    last: int = -1


class _Open(msgspec.Struct, gc=False):
    """A call that was let through (or refused), until its result is in.

    Attributes:
        agent: Who asked.
        labels: What it puts on the agent.
        carries: What it puts on what it writes.
        writes: Absolute paths that it writes.
        trees: Directories beneath which it writes what cannot be named.
        digests: Digests of content that it writes.
        replaces: Paths whose whole content it replaces if it succeeds.
        removes: Labelled paths, or paths with something labelled beneath, that it is to delete.
    """

    agent: str
    labels: tuple[Label, ...] = ()
    carries: tuple[Label, ...] = ()
    writes: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()


_Flat = list[tuple[str, int, int]]
"""Marks as sorted ``(label name, origin, support)``."""


class _Dump(msgspec.Struct):
    agents: dict[str, _Flat]
    places: list[dict[str, tuple[int, _Flat]]]
    homes: dict[str, str]
    open: list[tuple[int, _Open]]
    denied: list[tuple[int, _Open]]
    told: tuple[list[Remembered], list[Remembered]] = ([], [])
    courses: dict[str, list[Past]] = {}


_encoder = msgspec.msgpack.Encoder(order="sorted")
_decoder = msgspec.msgpack.Decoder(_Dump)


def _flat(marks: Marks) -> _Flat:
    return sorted((name, origin, held) for name, origins in marks.items() for origin, held in origins.items())


def _marks(flat: _Flat) -> Marks:
    marks: Marks = {}
    for name, origin, held in flat:
        marks.setdefault(name, {})[origin] = held
    return marks


class FlowState:
    """Who and what carries which labels."""

    def __init__(self) -> None:
        self._agents: dict[str, Marks] = {}
        self._files: dict[str, _Place] = {}
        self._trees: dict[str, _Place] = {}
        self._digests: dict[str, _Place] = {}
        self._homes: dict[str, str] = {}
        self._open: dict[int, _Open] = {}
        self._denied: dict[int, _Open] = {}
        self._opened: dict[str, tuple[int, ...]] = {}
        self._told = Memory()
        self._courses: dict[str, Course] = {}

    def apply(self, event: AnyEvent, beside: Beside) -> None:
        """Fold one event in. Events must come in the order of the record."""
        self._told.apply(event, beside)
        if isinstance(event, CallDecided):
            self._decided(event, beside)
        elif isinstance(event, CallResult):
            self._returned(event)
        elif isinstance(event, Prompted):
            self._put(event.agent, event.adds, event.n)
        elif isinstance(event, AgentBorn):
            self._put(event.agent, event.labels, event.n)
            home = beside.private.get("home", "")
            if home:
                self._homes[event.agent] = sys.intern(home)
            self._courses[event.agent] = ()  # With the name's own object, which the next events bring anew.
        elif isinstance(event, LabelsJoined):
            self._put(event.agent, event.labels, event.n)
        elif isinstance(event, AgentEnded):
            for n in self._opened.pop(event.agent, ()):
                self._settle(n)
            self._denied = {n: held for n, held in self._denied.items() if held.agent != event.agent}
            self._courses.pop(event.agent, None)

    def erase(self, agents: Iterable[str]) -> None:
        """Forget where agents are at home: their names were erased."""
        for agent in agents:
            self._homes.pop(agent, None)

    def forget(self, agent_id: str) -> None:
        """Forget what is kept of an agent that ended and that nobody can resume any more."""
        self._agents.pop(agent_id, None)
        self._homes.pop(agent_id, None)

    def course(self, agent_id: str) -> tuple[Past, ...]:
        """Return an agent's last calls, the oldest first."""
        return self._courses.get(agent_id, ())

    def known(self, agent_id: str) -> Known | None:
        """Return the values that an agent was told since its birth; None if it was told none."""
        return self._told.of(agent_id)

    def reads_secret(self, intent: int) -> bool:
        """Tell whether the open call ``intent`` reads what is kept for its secrets."""
        held = self._open.get(intent)
        return held is not None and any(label.name == "secret" for label in held.labels)

    def labels_of(self, agent_id: str) -> tuple[Label, ...]:
        """Return what an agent's context carries, sorted; empty for an agent never heard of."""
        return tuple(sorted(on.labels(self._agents.get(agent_id, _NOTHING))))

    def file_labels(self, path: str) -> tuple[Label, ...]:
        """Return what the file at an absolute path carries, sorted: its own, and what was written over its tree."""
        found: set[Label] = set()
        place = self._files.get(path)
        if place is not None:
            found.update(on.labels(place.marks))
        if self._trees:
            above = path
            while True:
                place = self._trees.get(above)
                if place is not None:
                    found.update(on.labels(place.marks))
                parent = posixpath.dirname(above)
                if parent == above:
                    break
                above = parent
        return tuple(sorted(found))

    def digest_labels(self, digest: str) -> tuple[Label, ...]:
        """Return what content with this digest (``sha256:...``) carries, wherever it stands now."""
        place = self._digests.get(digest)
        return tuple(sorted(on.labels(place.marks))) if place is not None else ()

    def read_labels(self, effects: Iterable[Effect]) -> tuple[Label, ...]:
        """Return what the read effects among ``effects`` pick up: of files, of whole trees, of patterns; sorted.

        Paths are absolute, as the gate has them before they are abbreviated; both the written and the resolved form
        count.
        """
        found: set[Label] = set()
        for effect in effects:
            if effect.verb != "read" or effect.kind != "path":
                continue
            for path in (effect.value, effect.resolved):
                if path:
                    found.update(self.file_labels(path))
                    if "recursive" in effect.flags or "pattern" in effect.flags:
                        found.update(self._beneath(path))
        return tuple(sorted(found))

    def expects_gone(self, intent: int) -> tuple[str, ...]:
        """Return the labelled absolute paths that call ``intent`` was to delete; nearly always none.

        Whoever records the call's result looks whether they are missing and says so in ``CallResult.gone``. That a
        command succeeded proves nothing: ``false && rm x; true`` does.
        """
        held = self._open.get(intent)
        return held.removes if held is not None else ()

    def dump(self) -> bytes:
        """Return the state as bytes; equal states that heard the same events give equal bytes."""
        return _encoder.encode(
            _Dump(
                agents={agent: _flat(marks) for agent, marks in self._agents.items()},
                places=[
                    {name: (place.last, _flat(place.marks)) for name, place in places.items()}
                    for places in (self._files, self._trees, self._digests)
                ],
                homes=self._homes,
                open=sorted(self._open.items()),
                denied=sorted(self._denied.items()),
                told=self._told.dump(),
                courses={agent: list(course) for agent, course in self._courses.items()},
            )
        )

    @classmethod
    def load(cls, data: bytes) -> FlowState:
        """Return the state in ``data``.

        Raises:
            msgspec.DecodeError: The bytes are not a dump of this version.
        """
        dump = _decoder.decode(data)
        state = cls()
        state._agents = {agent: _marks(flat) for agent, flat in dump.agents.items()}
        state._files, state._trees, state._digests = (
            {name: _Place(_marks(flat), last) for name, (last, flat) in places.items()} for places in dump.places
        )
        state._homes = dump.homes
        state._open, state._denied = dict(dump.open), dict(dump.denied)
        state._told = Memory.load(*dump.told)
        state._courses = {agent: tuple(course) for agent, course in dump.courses.items()}
        for n in state._open:
            agent = state._open[n].agent
            state._opened[agent] = (*state._opened.get(agent, ()), n)
        return state

    def _beneath(self, path: str) -> set[Label]:
        start = path
        for sign in "*?[{":
            start = start.partition(sign)[0]
        start = start if start != path else path.rstrip("/") + "/"
        found: dict[str, set[int]] = {}
        for places in (self._files, self._trees):
            for other, place in places.items():
                if other.startswith(start):
                    for name, origins in place.marks.items():
                        known = found.setdefault(name, set())
                        if not origins.keys() <= known:
                            known.update(origins)
        # A tree can hold thousands of labelled files: as for one thing, the earliest origins stand for all.
        return {Label(name, n) for name, origins in found.items() for n in sorted(origins)[: on.MAX_ORIGINS]}

    def _put(self, agent: str, labels: Iterable[Label], n: int, support: int = FIRM) -> None:
        named = [Label(label.name, n if label.origin < 0 else label.origin) for label in labels]
        if named:
            on.add(self._agents.setdefault(agent, {}), named, support)

    def _decided(self, event: CallDecided, beside: Beside) -> None:
        if event.permission:
            return
        held = self._read_call(event, beside)
        self._go_on(event)
        if event.decision.enforced in ("allow", "amend", "ask"):
            self._apply_call(held, event.n, event.n)
            if held.labels or held.carries or held.replaces or held.removes:
                self._open[event.n] = held
                opened = (*self._opened.get(event.agent, ()), event.n)
                self._opened[event.agent] = opened[-MAX_OPEN:]
                for n in opened[:-MAX_OPEN]:
                    self._settle(n)
        elif held.labels or held.carries:
            self._denied[event.n] = held

    def _go_on(self, event: CallDecided) -> None:
        refused = event.decision.enforced in ("deny", "error")
        home = self._homes.get(event.agent, "")
        now = lately.past(event.effects, {label.name for label in event.adds}, refused=refused, home=home)
        self._courses[event.agent] = lately.onward(self._courses.get(event.agent, ()), now)

    def _read_call(self, event: CallDecided, beside: Beside) -> _Open:
        home = self._homes.get(event.agent, "")

        def named(labels: Iterable[Label]) -> set[Label]:
            return {Label(label.name, event.n if label.origin < 0 else label.origin) for label in labels}

        adds = named(event.adds)
        carries = adds | named(event.labels) | set(self.labels_of(event.agent))
        writes, trees, deletes = _touched(event.effects, home)
        for entity in beside.entities:
            if entity.role == "wrote" and entity.kind == "path":
                writes.setdefault(entity.value)
        for path in deletes:
            # What is moved takes its labels along: a move is a delete and a write.
            carries.update(self.file_labels(path) if writes else ())
        replaces = writes if event.tool == "write" else ()
        marked = tuple(sorted(carries))
        return _Open(
            agent=event.agent,
            labels=tuple(sorted(adds)),
            carries=marked,
            writes=tuple(writes),
            trees=tuple(trees),
            digests=tuple(e.value for e in beside.entities if e.role == "wrote" and e.kind == "digest"),
            replaces=tuple(path for path in replaces if path in self._files or marked),
            removes=tuple(path for path in deletes if self.file_labels(path) or self._beneath(path)),
        )

    def _apply_call(self, held: _Open, n: int, support: int) -> None:
        if held.labels:
            on.add(self._agents.setdefault(held.agent, {}), held.labels, support)
        if not held.carries:
            return
        for places, names in ((self._files, held.writes), (self._trees, held.trees), (self._digests, held.digests)):
            for name in names:
                place = places.setdefault(name, _Place({}))
                on.add(place.marks, held.carries, support)
                place.last = max(place.last, n)

    def _returned(self, event: CallResult) -> None:
        self._put(event.agent, event.adds, event.n)
        denied = self._denied.pop(event.intent, None)
        if denied is not None and event.ran:
            # The host did not obey: what was refused has happened.
            self._apply_call(denied, event.n, FIRM)
        held = self._open.get(event.intent)
        if held is None:
            return
        left = tuple(n for n in self._opened.pop(held.agent, ()) if n != event.intent)
        if left:
            self._opened[held.agent] = left
        if not event.ran:
            self._withdraw(event.intent)
            return
        self._settle(event.intent)
        if event.ok:
            self._replace(held, event.intent)
        home = self._homes.get(held.agent, "")
        for path in event.gone:
            absolute = _absolute(path, home)
            if absolute in held.removes:
                self._forget(absolute, event.intent)

    def _settle(self, n: int) -> None:
        held = self._open.pop(n, None)
        if held is not None:
            for marks in self._held_up(held):
                on.confirm(marks, n)

    def _withdraw(self, n: int) -> None:
        held = self._open.pop(n, None)
        if held is None:
            return
        for marks in self._held_up(held):
            on.withdraw(marks, n)
        for places, names in ((self._files, held.writes), (self._trees, held.trees), (self._digests, held.digests)):
            for name in names:
                if name in places and not places[name].marks:
                    del places[name]
        if held.agent in self._agents and not self._agents[held.agent]:
            del self._agents[held.agent]

    def _held_up(self, held: _Open) -> list[Marks]:
        found = [self._agents[held.agent]] if held.agent in self._agents else []
        for places, names in ((self._files, held.writes), (self._trees, held.trees), (self._digests, held.digests)):
            found.extend(places[name].marks for name in names if name in places)
        return found

    def _replace(self, held: _Open, n: int) -> None:
        """Forget what was in files whose whole content was replaced, unless somebody wrote there since call ``n``."""
        for path in held.replaces:
            place = self._files.get(path)
            if place is None or place.last > n:
                continue
            if held.carries:
                fresh: Marks = {}
                on.add(fresh, held.carries, FIRM)
                place.marks = fresh
            else:
                del self._files[path]

    def _forget(self, path: str, n: int) -> None:
        """Forget what stood at and beneath a path that is gone, unless somebody wrote there since call ``n``."""
        below = path.rstrip("/") + "/"
        for places in (self._files, self._trees):
            for name in [p for p, x in places.items() if (p == path or p.startswith(below)) and x.last <= n]:
                del places[name]


def _absolute(path: str, home: str) -> str:
    return home + path[1:] if home and (path == "~" or path.startswith("~/")) else path


def _touched(effects: Iterable[Effect], home: str) -> tuple[dict[str, None], dict[str, None], dict[str, None]]:
    """Return the paths written, the trees written over, and the paths deleted, each once, in order."""
    writes: dict[str, None] = {}
    trees: dict[str, None] = {}
    deletes: dict[str, None] = {}
    for effect in effects:
        if effect.kind != "path" or effect.verb not in ("write", "delete"):
            continue
        for written in (effect.value, effect.resolved):
            path = _absolute(written, home)
            if not path.startswith("/"):
                continue
            if effect.verb == "delete":
                if not _VAGUE.intersection(effect.flags):
                    deletes.setdefault(path)
            elif "pattern" in effect.flags:
                trees.setdefault(posixpath.dirname(path.partition("*")[0]) or "/")
            else:
                writes.setdefault(path)
                if "recursive" in effect.flags:
                    trees.setdefault(path)
    return writes, trees, deletes
