"""What an agent did lately, folded from the record, and the sequences that its next call would complete.

Of each agent the last :data:`MAX_CALLS` calls are kept, with at most :data:`MAX_DEEDS` effects each: some 10 KB, 150 KB
when full. Sequences are looked for when a call is judged, from the last step backwards, so that a call which is
nobody's last step costs next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from outrider.events.call import Effect, Finding
from outrider.events.sequence import MAX_WITHIN, Step
from outrider.events.sequence import Sequence as Steps
from outrider.flow import sequences
from outrider.flow.stores import is_secret_store

MAX_CALLS = MAX_WITHIN
MAX_DEEDS = 24
_VALUE = 300


class Deed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One effect of a past call, as the record has it."""

    verb: str
    value: str
    flags: tuple[str, ...] = ()


class Past(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One past call.

    Attributes:
        deeds: Its effects.
        brings: The labels that it brought.
        refused: Whether it was refused.
    """

    deeds: tuple[Deed, ...]
    brings: tuple[str, ...] = ()
    refused: bool = False


Course = tuple[Past, ...]
_NONE: Mapping[str, Steps] = {}


def onward(course: Course, now: Past) -> Course:
    """Return the course with one more call."""
    return (*course, now)[-MAX_CALLS:]


def past(effects: Iterable[Effect], brings: Iterable[str], *, refused: bool, home: str = "") -> Past:
    """Return a call as it is remembered; paths in ``home`` are written ``~``."""
    deeds: dict[Deed, None] = {}
    for effect in effects:
        value = effect.value
        if home and value.startswith(home + "/"):
            value = "~" + value[len(home) :]
        deeds[Deed(sys.intern(effect.verb), value[:_VALUE], effect.flags)] = None
    return Past(tuple(deeds)[:MAX_DEEDS], tuple(sorted(brings)), refused)


def completes(course: Sequence[Past], now: Past, own: Mapping[str, Steps] = _NONE) -> Iterator[Finding]:
    """Yield a finding for each sequence that a call would complete.

    Args:
        course: The calls before it, the oldest first.
        now: The call.
        own: Sequences of the agent's charters, by rule id, beside those that ship.
    """
    verbs = {deed.verb for deed in now.deeds}
    shipped = {one.id: one for one in sequences.everything()}
    for rule, one in (*shipped.items(), *own.items()):
        last = one.steps[-1]
        if verbs.isdisjoint(last.verbs):
            continue
        window = [*list(course)[len(course) - min(len(course), one.within - 1) :], now]
        if _ends(one.steps, window):
            yield Finding(
                rule=rule,
                severity=one.severity,
                confidence=one.confidence,
                where="session",
                message=one.message,
                advice=one.advice,
            )


def _ends(steps: tuple[Step, ...], window: list[Past]) -> bool:
    last, now = steps[-1], len(window) - 1
    here = [deed for deed in window[now].deeds if _fits(last, deed, window[now])]
    if not here:
        return False
    if last.count > 1:
        before = [deed.value for one in window[:now] for deed in one.deeds if _fits(last, deed, one)]
        mine = [deed.value for deed in here]
        if not last.repeated and set(mine) <= set(before):
            return False
        total = len(before) + len(mine) if last.repeated else len({*before, *mine})
        if total < last.count:
            return False
    ties = {deed.value for deed in here}
    return _leads(steps[:-1], window, now, ties if last.tied else None)


def _leads(steps: tuple[Step, ...], window: list[Past], end: int, ties: set[str] | None) -> bool:
    """Tell whether the steps lead to call ``end``; ``ties`` are the resources that the last of them must be about."""
    if not steps:
        return True
    step = steps[-1]
    for at in range(end - 1, -1, -1):
        found = {deed.value for deed in window[at].deeds if _fits(step, deed, window[at])}
        if ties is not None:
            found &= ties
        if found and _leads(steps[:-1], window, at, found if step.tied else None):
            return True
    return False


def _fits(step: Step, deed: Deed, call: Past) -> bool:
    return (
        deed.verb in step.verbs
        and (step.refused or not call.refused)
        and (not step.flags or set(step.flags) <= set(deed.flags))
        and (not step.brings or not set(step.brings).isdisjoint(call.brings))
        and (not step.beside or any(other.verb in step.beside for other in call.deeds))
        and (not step.stores or is_secret_store(deed.value))
        and (not step.values or any(sequences.pattern(value).fullmatch(deed.value) for value in step.values))
    )
