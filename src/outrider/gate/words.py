"""What an agent is told. A refusal says what is wrong, what to do instead, and how a person can allow it.

The reader is a language model in the middle of its work: short sentences, the remedy before the rule's name, nothing
that invites an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.events.decision import WORSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.events.asked import Asked
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


def refusal(
    decision: Decision, effects: Sequence[Effect], n: int, asked: Asked | None = None, contact: str = ""
) -> str:
    """Return the reason given to the agent for a deny or an ask, recorded as event ``n``.

    ``asked``: that a person decides, and what came of it; a deny for which an answer is still awaited is a question.
    ``contact``: whom a person can ask about it, or empty.
    """
    waits = asked is not None and asked.answer < 0
    hits = sorted(decision.hits, key=lambda hit: -WORSE[hit.verdict])
    distinct = _distinct(hits)
    shown = distinct[:_MAX_SHOWN]
    said = [_sentence(hit, effects) for hit in shown]
    if waits or decision.enforced == "ask":
        lead = "Outrider leaves this call to a person, and it has not run."
    else:
        lead = "Outrider refused this call. The hook works; this is its decision."  # Hosts call it a "hook error".
    lines = [f"{lead} {said[0]}"] if len(said) == 1 else [lead, *(f"- {one}" for one in said)]
    if len(distinct) > len(shown):
        more = len(distinct) - len(shown)
        lines.append(f"({more} more {'rule applies' if more == 1 else 'rules apply'}.)")
    if asked is not None and waits:
        lines += [*(_who_could(hits, asked=True) if asked.by == "host" else ()), _question(asked, n)]
    else:
        lines += _who_could(hits, asked=decision.enforced == "ask")
    if contact:
        lines.append(f"Whom your user can ask: {contact}")
    recorded = f"\nRecorded as event {n}; `outrider why {n}` explains it."
    return "\n".join(lines)[: MAX_REASON - len(recorded)] + recorded


def _question(asked: Asked, n: int) -> str:
    """Return how a question is answered."""
    number = asked.question if asked.question >= 0 else n
    if asked.by == "host":
        return f"Where no prompt appears: `outrider answer {number} yes`, and the same call once more."
    return (
        f"Question {number} waits for your person: `outrider answer {number} yes`. You cannot answer it yourself. Tell "
        "them, go on with something else, and make this very call again once they have answered; no answer is a no."
    )


def said_yes(asked: Asked | None) -> str:
    """Return the note for a call that a person's answer lets through, or the empty string."""
    return f"Your person answered question {asked.question} with yes." if asked and asked.answer >= 0 else ""


def _who_could(hits: Sequence[RuleHit], *, asked: bool) -> list[str]:
    """Return what a person could do about it: all of it is needed, and none of it is the agent's to do.

    ``asked``: the host shows this to the person, who decides there and then.
    """
    if any(hit.unlock.startswith("nothing") for hit in hits):
        return []
    steps = list(dict.fromkeys(hit.unlock for hit in hits if hit.unlock))
    if not steps:
        return []
    could = "; and ".join([*steps[:_MAX_SHOWN], *(["more"] if len(steps) > _MAX_SHOWN else [])])
    if asked:
        return [f"To allow it, a person can {could}."]
    return [f"You cannot allow it yourself. If the work needs it, tell your user, who can {could}."]


def told(hits: Sequence[RuleHit], n: int) -> str:
    """Return the note for findings that let a call through, or the empty string."""
    if not hits:
        return ""
    lines = [f"Outrider noticed ({hit.rule}): {hit.reason} {hit.advice}".strip() for hit in hits[:_MAX_SHOWN]]
    return "\n".join([*lines, f"Let through and recorded as event {n}."])[:MAX_REASON]


def told_later(hits: Sequence[RuleHit], intent: int, n: int) -> str:
    """Return the note for what a second look (event ``n``) found in a write (event ``intent``), or the empty string."""
    if not hits:
        return ""
    lines = [
        f"Outrider looked again at what you wrote in event {intent} ({hit.rule}): {hit.reason} {hit.advice}".strip()
        for hit in hits[:_MAX_SHOWN]
    ]
    return "\n".join([*lines, f"Recorded as event {n}."])[:MAX_REASON]


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
