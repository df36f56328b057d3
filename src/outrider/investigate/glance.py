"""A case in a few rows, for whoever has half a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.investigate.due import named
from outrider.investigate.telling import WEAK, became, exactly, short, source_of

if TYPE_CHECKING:
    from outrider.investigate.answer import Told
    from outrider.investigate.cause import Source
    from outrider.investigate.dossier import Dossier


def glance(told: Dossier) -> list[tuple[str, str]]:
    """Return what was done, by whom, because of what, and what it takes; nothing where nobody did anything."""
    top = next((answer.agents[0] for answer in told.answers if answer.agents), None)
    agent = next((one for one in told.agents if top is not None and one.id == top.agent), None)
    if top is None or agent is None:
        return []
    cause = top.causes[0] if top.cause_event >= 0 and top.causes[0].confidence not in WEAK else None
    lives = "it lives" if agent.ended_n is None else f"it is gone ({agent.ended_how})"
    rows = [
        ("what", _what(top)),
        ("when", f"{exactly(top.act.ts)} UTC"),
        ("which agent", f"{agent.id} of class {agent.charter}; {lives}"),
        ("who answers for it", agent.sponsor or "nobody"),
        ("whom to ask", told.contacts.get(agent.id, "nobody is named")),
        ("what told it to", f"{source_of(cause)} (event {cause.event.n})" if cause else "not known"),
        ("a person asked for it", ("yes" if cause.trusted else "no") if cause else "not known"),
        ("credentials to change", named(told.due)),
        ("others", _others(told)),
        ("what would have stopped it", _control(told, agent.charter)),
        ("how sure", _sure(told, top, cause)),
        ("gaps in the record", "yes: see the end" if told.coverage.gaps or told.coverage.missing else "none is known"),
        *([("what was not watched", told.coverage.listened)] if told.coverage.listened else []),
    ]
    return [(name, short(told, text)) for name, text in rows]


def _what(top: Told) -> str:
    call, _, verdict = top.act.what.rpartition(": ")
    only = "; its charter would have refused it, and was only observed" if verdict == "deny, told allow" else ""
    return f"{call or top.act.what}: {became(top.outcome)} (event {top.act.n}){only}"


def _others(told: Dossier) -> str:
    under = {one.agent.id for blast in told.impact for one in blast.agents} - {one.id for one in told.agents}
    same = {one.agent for blast in told.impact for one in blast.met if one.what == "content"} - under
    return f"came under it: {len(under)}; refused: {len(told.stopped)}; read the same content: {len(same)}"


def _control(told: Dossier, charter: str) -> str:
    one = next((one for one in told.remedies if one.charter == charter and one.stopped), None)
    if one is None:
        return "not tried, or nothing that is known: see Q0008"
    return f"{one.rule} (tried: {one.stopped} of {one.acts} acts stopped, {one.broken} other calls refused)"


def _sure(told: Dossier, top: Told, cause: Source | None) -> str:
    parts = ["that it was done: proven" if top.outcome == "done" else f"that it was asked for: proven ({top.outcome})"]
    if top.act.n in told.carried:
        parts.append("that a secret went out: proven by its value")
    elif any(blast.credentials for blast in told.impact):
        parts.append("that a secret went out: not shown by its value")
    parts.append(f"what told it to: inferred ({cause.confidence})" if cause else "what told it to: not known")
    return "; ".join(parts)
