"""Resolving: the effects of a plan, with every path followed to where it leads. Pure; the facts were gathered."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from outrider.effects.branches import with_branch
from outrider.effects.place import INTO, Place
from outrider.effects.planning import want_path
from outrider.effects.whole import as_a_whole
from outrider.events.call import Effect, PathFact, Plan


def resolve(plan: Plan, facts: Mapping[str, PathFact], place: Place) -> tuple[Effect, ...]:
    """Return the plan's effects with ``resolved`` filled where a path leads elsewhere.

    ``facts`` are by the path that was wanted. A path that could not be resolved, or that nobody looked up, is
    judged as written, and an ``unparsed`` effect is added: where it leads is not known, so nobody may say that it is
    allowed.
    """
    written = frozenset(path for path, _ in plan.written)
    if not plan.wants:
        return as_a_whole(plan.effects, plan.text, written)
    made: list[Effect] = []
    for effect in plan.effects:
        made += _resolved(effect, facts) if effect.kind == "path" else (effect,)
    made = [with_branch(effect, facts, place.home) if effect.verb == "push" else effect for effect in made]
    return as_a_whole(made, plan.text, written)


def _resolved(effect: Effect, facts: Mapping[str, PathFact]) -> tuple[Effect, ...]:
    wanted = want_path(effect)
    if not wanted:
        return (effect,)
    if effect.note == INTO:
        folder = facts.get(effect.value.rpartition("/")[0])
        if folder is not None and folder.state == "file":
            return ()
    fact = facts.get(wanted)
    if fact is None or not fact.real or fact.state == "unresolvable":
        lost = Effect(
            verb="unparsed", kind="path", value=effect.value, start=effect.start, end=effect.end, flags=effect.flags,
            note=f"could not be resolved ({effect.verb})",
        )  # fmt: skip
        return effect, lost
    walked = effect.resolved or effect.value
    real = fact.real if wanted == walked else fact.real.rstrip("/") + walked[len(wanted.rstrip("/")) :]
    if real == effect.value:
        return (effect if not effect.resolved else msgspec.structs.replace(effect, resolved=""),)
    return (msgspec.structs.replace(effect, resolved=real),)
