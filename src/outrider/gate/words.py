"""What an agent is told. A refusal says what is wrong, what to do instead, and how a person can allow it.

The reader is a language model in the middle of its work: short sentences, the remedy before the rule's name, nothing
that invites an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.events.decision import WORSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.events.call import Effect
    from outrider.events.decision import Decision, RuleHit

MAX_REASON = 2_000
_MAX_SHOWN = 3

_DOING = {
    "exec": "running",
    "read": "reading",
    "write": "writing",
    "delete": "deleting",
    "connect": "connecting to",
    "call": "calling",
    "spawn": "starting",
    "install": "installing",
    "commit": "committing in",
    "push": "pushing to",
    "deploy": "deploying",
    "use_credential": "using the credential",
    "prompt": "the prompt",
    "unparsed": "a part that could not be read:",
    "opaque": "a program whose effects cannot be seen:",
}


def doing(effect: Effect) -> str:
    """Return an effect in words: ``reading ~/.ssh/id_rsa``."""
    return f"{_DOING.get(effect.verb, effect.verb)} {effect.value}".strip()


def refusal(decision: Decision, effects: Sequence[Effect], n: int) -> str:
    """Return the reason given to the agent for a deny or an ask, recorded as event ``n``."""
    hits = sorted(decision.hits, key=lambda hit: -WORSE[hit.verdict])
    shown = _distinct(hits)[:_MAX_SHOWN]
    lines = [f"Outrider: {_sentence(hit, effects)}" for hit in shown]
    if len(hits) > len(shown):
        lines.append(f"({len(hits) - len(shown)} more rules said no.)")
    unlock = next((hit.unlock for hit in shown if hit.unlock), "")
    if unlock and not unlock.startswith("nothing"):
        lines.append(f"If the work really needs it, tell your user. What would allow it: {unlock}.")
    lines.append(f"Recorded as event {n}; `outrider why {n}` explains it.")
    return "\n".join(lines)[:MAX_REASON]


def told(hits: Sequence[RuleHit], n: int) -> str:
    """Return the note for findings that let a call through, or the empty string."""
    if not hits:
        return ""
    lines = [f"Outrider noticed ({hit.rule}): {hit.reason} {hit.advice}".strip() for hit in hits[:_MAX_SHOWN]]
    return "\n".join([*lines, f"Let through and recorded as event {n}."])[:MAX_REASON]


def undecided(why: str, enforced: str) -> str:
    """Return the reason given where no decision could be reached."""
    end = {"deny": "so it is refused", "ask": "so a person is asked", "allow": "and the charter lets it through"}
    return f"Outrider could not decide: {why}; {end.get(enforced, 'so it is refused')}."


def _distinct(hits: Sequence[RuleHit]) -> list[RuleHit]:
    seen: set[tuple[str, int]] = set()
    out: list[RuleHit] = []
    for hit in hits:
        mark = (hit.advice or hit.reason, hit.effect)
        if mark not in seen:
            seen.add(mark)
            out.append(hit)
    return out


def _sentence(hit: RuleHit, effects: Sequence[Effect]) -> str:
    parts = [hit.reason or f"not allowed: {_subject(hit, effects)}"]
    if hit.advice:
        parts.append(f"Instead: {hit.advice}")
    parts.append(f"[{hit.rule}]")
    return " ".join(_stop(part) if i < len(parts) - 1 else part for i, part in enumerate(parts))


def _subject(hit: RuleHit, effects: Sequence[Effect]) -> str:
    return doing(effects[hit.effect]) if 0 <= hit.effect < len(effects) else "this call"


def _stop(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) else text + "."
