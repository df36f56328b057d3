"""What a call's effects and its decision look like in the record: homes are ``~``, nothing is long or secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.gate.clean import abbreviate, clean_name, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.events.call import Effect
    from outrider.events.decision import Decision


def written(effect: Effect, home: str, key: bytes) -> Effect:
    """Return an effect as the record holds it: homes are ``~``, hosts that carry data are prints, nothing is long."""
    value, resolved = effect.value, effect.resolved
    if effect.kind == "path" or (effect.kind == "repo" and value.startswith("/")):
        return msgspec.structs.replace(
            effect,
            value=cut(abbreviate(value, home), 4096, key),
            resolved=cut(abbreviate(resolved, home), 4096, key),
        )
    shorter = cut(clean_name(effect.kind, value, key), 512, key)
    return effect if shorter == value else msgspec.structs.replace(effect, value=shorter)


def abbreviated(decision: Decision, effects: Sequence[Effect], home: str, key: bytes) -> Decision:
    """Return a decision whose sentences name things as the record does."""
    if not decision.hits:
        return decision
    others = {home + "/": "~/"} if home and home != "/" else {}
    for effect in effects:
        shorter = clean_name(effect.kind, effect.value, key)
        if shorter != effect.value:
            others[effect.value] = shorter

    def shown(text: str) -> str:
        for raw, shorter in others.items():
            text = text.replace(raw, shorter)
        return cut(text, 400, key)

    hits = tuple(
        msgspec.structs.replace(hit, reason=shown(hit.reason), advice=shown(hit.advice), unlock=shown(hit.unlock))
        for hit in decision.hits
    )
    return msgspec.structs.replace(decision, hits=hits)
