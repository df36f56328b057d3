"""From a recorded decision to the answer that a door renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.events.message import Answer
from outrider.gate import words

if TYPE_CHECKING:
    from outrider.events.record import CallDecided
    from outrider.gate.judge import Judged

SILENT = Answer()


def answer(event: CallDecided, judged: Judged, later: str = "", contact: str = "") -> Answer:
    """Return the answer for a recorded decision; ``later`` is what the agent is still to be told of calls before it.

    ``contact`` is whom a person can ask about a refusal, or empty.

    Silence is the answer to whatever is allowed, so that the host's own rules and prompts still work; an affirmative
    allow leaves only where a charter says ``grant``.
    """
    enforced = event.decision.enforced
    if enforced in {"deny", "error", "ask"}:
        reason = words.refusal(event.decision, event.effects, event.n, event.asked, contact)
        return Answer(verdict="ask" if enforced == "ask" else "deny", reason=reason, event=event.n)
    note = "\n".join(one for one in (words.said_yes(event.asked), words.told(judged.told, event.n), later) if one)
    if event.decision.grant:
        return Answer(verdict="allow", context=note, event=event.n)
    return Answer(context=note, event=event.n)


def could_not(why: str, enforced: str = "deny", n: int = -1) -> Answer:
    """Return the answer where no decision could be reached; that is recorded as event ``n``, or could not be (-1)."""
    reason = words.undecided(why, enforced)
    if enforced == "allow":
        return Answer(context=reason, event=n)
    return Answer(verdict="ask" if enforced == "ask" else "deny", reason=reason, event=n)
