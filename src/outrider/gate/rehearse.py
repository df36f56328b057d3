"""Judging without a daemon: the way of a call from plan to decision, for asking "what would you say to this?".

Nothing is recorded and nobody is answered. The rooms are the gate's own; only what the record would add is missing:
counters, labels of files, values that an agent was told of. Labels of a context are kept for those who ask in a
session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.effects import Place, resolve
from outrider.events.call import Effect, Finding, Label, PathFact
from outrider.events.record import Counters
from outrider.gate import study
from outrider.gate.gather import gather
from outrider.gate.judge import Judged, Setting, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outrider.charter.model import Charter
    from outrider.events.call import Call, Want

_MOST_CHAINS = 64


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What would be said to a call, and what that is made of.

    Attributes:
        effects: What it would do, paths resolved as far as anybody looked.
        findings: What detectors saw in it and in the code that it would write.
        looked: What came of looking at that code; empty if all of it was seen.
        judged: The decision.
        text: The text that the effects' offsets point into, or empty.
    """

    effects: tuple[Effect, ...]
    findings: tuple[Finding, ...]
    looked: str
    judged: Judged
    text: str


class Rehearsal:
    """Judges calls under one line of charters."""

    def __init__(
        self,
        line: Sequence[Charter],
        *,
        key: bytes,
        groups: Mapping[str, tuple[str, ...]] | None = None,
        protected: tuple[str, ...] = (),
        look: bool = True,
    ) -> None:
        """Get ready.

        Args:
            line: The charter and what it extends, its own first.
            key: Key of the prints.
            groups: What ``@registries`` and its kin mean.
            protected: Outrider's own paths, for the floor.
            look: Whether to look at the disk for where paths lead; if not, each leads to itself and nothing is there.
        """
        self._line = tuple(line)
        self._key = key
        self._groups = dict(groups or {})
        self._protected = protected
        self._look = look
        self._chains: dict[tuple[str, str], tuple[Bound, ...]] = {}
        self._labels: dict[str, tuple[Label, ...]] = {}
        self._calls = 0

    def judge(self, call: Call, place: Place, *, session: str = "") -> Rehearsed:
        """Return what would be said to a call.

        Args:
            call: The call.
            place: Where it is made.
            session: If given, the labels that calls of this session brought before hold, and what is let through brings
                its own.
        """
        self._calls += 1
        seen = study.study(call, place, self._key)
        facts = gather(seen.plan.wants) if self._look else _untouched(seen.plan.wants)
        findings, looked = seen.findings, ""
        if study.writes(call, seen.plan):
            more, looked = study.inspect(call, seen.plan, facts)
            findings += more
        effects = resolve(seen.plan, facts, place)
        held = self._labels.get(session, ()) if session else ()
        setting = Setting(chain=self._chain(place), labels=held, counters=Counters(calls=1))
        judged = decide(effects, findings, setting, ())
        if session and judged.decision.enforced in {"allow", "ask"}:
            brought = {label.name for label in judged.adds} - {label.name for label in held}
            self._labels[session] = (*held, *(Label(name, self._calls) for name in sorted(brought)))
        return Rehearsed(effects=effects, findings=findings, looked=looked, judged=judged, text=seen.plan.text)

    def _chain(self, place: Place) -> tuple[Bound, ...]:
        where = place.home, place.repo
        chain = self._chains.get(where)
        if chain is None:
            if len(self._chains) >= _MOST_CHAINS:
                self._chains.clear()
            bindings = Bindings(
                home=place.home, repo=place.repo or place.cwd, groups=self._groups, protected=self._protected
            )
            chain = (floor(bindings), *(bind(charter, bindings) for charter in self._line))
            self._chains[where] = chain
        return chain


def _untouched(wants: Sequence[Want]) -> dict[str, PathFact]:
    return {want.path: PathFact(path=want.path, real=want.path, state="missing") for want in wants}
