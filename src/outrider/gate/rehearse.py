"""What the gate would say about a call, in this process: the same study, facts and decision; nobody lives, no record.

Each call is a fresh agent's, or one of a named session's: the calls of a session share what flows between them, folded
from the same events that the gate would have recorded. What is said here is what the gate would say of an agent that
is born under the charter now; budgets count within the session, and a life never ends.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.charter.ruling import settings_of
from outrider.detect.dependencies.known import SHIPPED, Facts
from outrider.detect.written import Looked
from outrider.effects import Place, resolve
from outrider.events.call import Call, Effect, Finding, Label, PathFact, Want
from outrider.events.content import Commitment
from outrider.events.counters import Counters
from outrider.events.entities import entities_of_effects
from outrider.events.record import AnyEvent, Beside, CallDecided, CallResult, Prompted
from outrider.flow.labels import prompt_brings, result_brings
from outrider.flow.state import FlowState
from outrider.gate import study
from outrider.gate.chains import other_names
from outrider.gate.gather import gather
from outrider.gate.judge import Judged, Setting, decide
from outrider.gate.names import through_second_names
from outrider.gate.provenance import told_of
from outrider.gate.results import hidden
from outrider.gate.scribe import wall_clock
from outrider.identity.place import os_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from outrider.charter.model import Charter

    Look = Callable[[Iterable[Want]], Mapping[str, PathFact]]

_MOST_CHAINS = 64
_UNSAID = Commitment(c="", size=0)

BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a mistake in judging would raise. The gate turns it into an ``error``; whoever rehearses many calls says so."""


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What would be said about one call, and what that is made of.

    Attributes:
        call: The call.
        text: The text that the effects' offsets (bytes of its UTF-8) point into, or empty.
        effects: What it would do, paths resolved.
        findings: What detectors see in it.
        looked: What came of looking at the code that it would write; empty if all of it was seen.
        judged: The decision, with the labels in force and those that the call would bring.
    """

    call: Call
    text: str
    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]
    looked: Looked
    judged: Judged


class _Session:
    """What one session's calls leave to the next."""

    def __init__(self) -> None:
        self.flow = FlowState()
        self.counters = Counters()
        self.next = 0
        self.intent = -1

    def tell(self, event: AnyEvent, beside: Beside) -> None:
        """Fold an event in; it must have been made with ``n`` equal to ``next``."""
        self.flow.apply(event, beside)
        self.next += 1


class Rehearsal:
    """Judges calls under one charter."""

    def __init__(
        self,
        line: Sequence[Charter],
        *,
        key: bytes,
        groups: Mapping[str, tuple[str, ...]] | None = None,
        protected: tuple[str, ...] = (),
        uid: int = -1,
        look: bool = True,
        facts: Look | None = None,
        clock: Callable[[], int] = wall_clock,
        names: Facts = SHIPPED,
    ) -> None:
        """Set the stage.

        Args:
            line: The charter and all that it extends, itself first.
            key: Key of the prints.
            groups: What ``@registries`` and its kin mean.
            protected: Outrider's own places, absolute, for the floor.
            uid: User id whose home in the user database counts as a home too; -1 for none.
            look: Whether to look at the disk for where paths lead; if not, each leads to itself and nothing is there.
            facts: Says what stands at paths instead of the disk: for a disk that is made up.
            clock: Tells the time, microseconds since 1970 UTC.
            names: What is known of names of packages.
        """
        self._line = tuple(line)
        self._key = key
        self._groups = dict(groups or {})
        self._protected = protected
        self._uid = uid
        self._facts = facts or (gather if look else unlooked)
        self._clock = clock
        self._chains: OrderedDict[tuple[str, str, bool], tuple[Bindings, tuple[Bound, ...]]] = OrderedDict()
        self._sessions: dict[str, _Session] = {}
        self._names = names

    def judge(self, call: Call, place: Place, *, session: str = "", look: bool = True) -> Rehearsed:
        """Return what would be said to a call, and let its session remember it.

        Args:
            call: The call; its working directory wins over the place's.
            place: Where it is made.
            session: Whose call it is: what earlier calls of this session brought holds, as far as they were let
                through. Empty for a fresh agent.
            look: False to take no facts from the disk for this call alone.
        """
        place = msgspec.structs.replace(place, cwd=call.cwd) if call.cwd else place
        facts_of = self._facts if look else unlooked
        bindings, chain = self._bound(place, disk=facts_of is gather)
        seen = study.study(call, place, self._key, kept=bool(session))
        facts = facts_of(seen.plan.wants)
        findings, looked = seen.findings, seen.looked
        if study.writes(call, seen.plan):
            persona = settings_of(chain).persona
            more, looked = study.inspect(call, seen.plan, facts, self._clock(), persona)
            findings = (*findings, *more)
        findings = (*findings, *study.names(call, seen.plan, facts, self._names))
        findings = study.let_be(call, seen.plan, facts, findings, repo=place.repo, now=self._clock(), look_up=facts_of)
        effects = study.settled(resolve(seen.plan, facts, place), seen.plan, facts, self._names)
        if facts_of is gather:
            effects = through_second_names(effects, lambda: bindings)
        known = self._session(session)
        spawns = sum(1 for effect in effects if effect.verb == "spawn")
        counters = Counters(calls=known.counters.calls + 1, spawns=known.counters.spawns + spawns)
        labels = known.flow.labels_of(session)
        setting = Setting(chain=chain, labels=labels, counters=counters, now=self._clock())
        told = told_of(call, seen.given, known.flow, session, (place.home, self._key))
        judged = decide(effects, findings, setting, known.flow.read_labels(effects) if session else (), told)
        if session:
            known.counters, known.intent = counters, known.next
            entities = entities_of_effects(effects, home="", key=self._key)
            beside = Beside(entities=entities, prints=seen.prints, control=seen.control, said=seen.said)
            known.tell(_decided(call, effects, judged, session, known.next), beside)
        return Rehearsed(
            call=call, text=seen.plan.text, effects=effects, findings=findings, looked=looked, judged=judged
        )

    def prompt(self, text: str, session: str, home: str = "") -> None:
        """Let a session take in what its user says."""
        known = self._session(session)
        reading = study.read(text, self._key, home, who="user")
        adds = tuple(Label(name, -1) for name in sorted(prompt_brings(reading.findings)))
        event = Prompted(v=1, n=known.next, ts=0, agent=session, content=_UNSAID, adds=adds)
        said = {**reading.said, **hidden(text, reading, self._key, opened=False)}
        known.tell(event, Beside(said=said, prints=reading.prints))

    def result(self, text: str, session: str, tool: str, home: str = "") -> None:
        """Let a session take in what its last call returned; ``tool`` is that call's normal tool."""
        known = self._session(session)
        reading = study.read(text, self._key, home, who="tool")
        adds = tuple(Label(name, -1) for name in sorted(result_brings(tool, reading.findings)))
        event = CallResult(
            v=1, n=known.next, ts=0, agent=session, call="", intent=known.intent, ok=True, content=_UNSAID, adds=adds
        )
        said = {**reading.said, **hidden(text, reading, self._key, opened=known.flow.reads_secret(known.intent))}
        known.tell(event, Beside(said=said, prints=reading.prints))

    def _session(self, name: str) -> _Session:
        if not name:
            return _Session()
        return self._sessions.setdefault(name, _Session())

    def _bound(self, place: Place, *, disk: bool) -> tuple[Bindings, tuple[Bound, ...]]:
        """Return what the charters' words mean at a place, and the chain with that meaning, the floor first."""
        mark = (place.home, place.repo, disk)
        found = self._chains.get(mark)
        if found is None:
            repo = place.repo or place.cwd
            theirs = os_home(self._uid) if self._uid >= 0 else ""
            bindings = Bindings(
                home=place.home,
                repo=repo,
                groups=self._groups,
                protected=self._protected,
                homes=other_names((place.home, theirs), place.home) if disk else (),
                repos=other_names((repo,), repo) if disk else (),
            )
            found = (bindings, (floor(bindings), *(bind(charter, bindings) for charter in self._line)))
            self._chains[mark] = found
            if len(self._chains) > _MOST_CHAINS:
                self._chains.popitem(last=False)
        return found


def unlooked(wants: Iterable[Want]) -> dict[str, PathFact]:
    """Return facts without a look at the disk: every path leads to itself, and nothing stands there yet."""
    return {want.path: PathFact(path=want.path, real=want.path, state="missing") for want in wants}


def _decided(call: Call, effects: tuple[Effect, ...], judged: Judged, agent: str, n: int) -> CallDecided:
    return CallDecided(
        v=1,
        n=n,
        ts=0,
        agent=agent,
        call=call.call_id,
        tool=call.tool,
        name=call.name,
        effects=effects,
        decision=judged.decision,
        chain=(),
        content=_UNSAID,
        labels=judged.labels,
        adds=judged.adds,
        values=judged.values,
    )
