"""A recorded call read again from its kept arguments: today's parsers and detectors, with the facts of that day.

Where a path led is taken from the effects that were recorded; what else stood on the disk then nobody knows any more,
and it is taken for absent. What was recorded of the calls before it (labels, values, counters, sequences) stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from outrider.charter.ruling import settings_of
from outrider.effects import Place, resolve
from outrider.events.call import Call, PathFact, Want
from outrider.gate import study
from outrider.gate.recorded import written
from outrider.gate.rehearse import unlooked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from outrider.charter.bound import Bound
    from outrider.events.call import Finding
    from outrider.events.record import CallDecided

_SEQUENCE, _SECRET = "sequence.", "secret."


def read_again(
    decided: CallDecided, args: dict[str, Any], place: Place, chain: Sequence[Bound], key: bytes, *, redacted: bool
) -> CallDecided:
    """Return a recorded call with its effects and findings made anew from its arguments.

    Args:
        decided: The call as it was recorded.
        args: Its arguments, as they are kept.
        place: Its agent's places; where the call itself was made from is not recorded.
        chain: The charters that it is to be ruled on by; they say which rules about code are heard.
        key: Key of the prints.
        redacted: Whether secrets were taken out of the arguments before they were kept: then what was found of them
            stands, for it cannot be found again.
    """
    call = Call(
        door="", session="", call_id=decided.call, tool=decided.tool, name=decided.name, args=args, cwd=place.cwd  # type: ignore[arg-type]
    )  # fmt: skip
    seen = study.study(call, place, key, kept=False)
    led = _led(decided, place.home)

    def look(wants: Iterable[Want]) -> Mapping[str, PathFact]:
        asked = tuple(wants)
        return {**unlooked(asked), **{want.path: led[want.path] for want in asked if want.path in led}}

    facts = look(seen.plan.wants)
    findings, looked = seen.findings, seen.looked
    if study.writes(call, seen.plan):
        more, looked = study.inspect(call, seen.plan, facts, decided.ts, settings_of(chain).persona)
        findings = (*findings, *more)
    findings = (*findings, *study.names(call, seen.plan, facts))
    findings = study.let_be(call, seen.plan, facts, findings, repo=place.repo, now=decided.ts, look_up=look)
    effects = study.settled(resolve(seen.plan, facts, place), seen.plan, facts)
    kept = (_SEQUENCE, _SECRET) if redacted else (_SEQUENCE,)
    return msgspec.structs.replace(
        decided,
        effects=tuple(written(effect, place.home, key) for effect in effects),
        findings=(*findings, *_stand(decided.findings, findings, kept)),
        looked=looked,
        cut=0,
    )


def _led(decided: CallDecided, home: str) -> dict[str, PathFact]:
    """Return where the paths of the recorded effects led."""
    out: dict[str, PathFact] = {}
    for effect in decided.effects:
        if effect.kind == "path":
            path, real = (_whole(one, home) for one in (effect.value, effect.resolved or effect.value))
            out[path] = PathFact(path=path, real=real, state="missing")
    return out


def _whole(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path


def _stand(recorded: Iterable[Finding], found: Iterable[Finding], kinds: tuple[str, ...]) -> list[Finding]:
    """Return the recorded findings that stand although nothing found them again."""
    again = {one.rule for one in found}
    return [one for one in recorded if one.rule.startswith(kinds) and one.rule not in again]
