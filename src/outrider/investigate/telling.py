"""A case in sentences: what somebody who decides has to know, and what each question's answer is so far."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from outrider.investigate.case import Entry
    from outrider.investigate.dossier import Dossier
    from outrider.store.reading import Agent

_SURE = {
    "value": "it names what the agent acted on",
    "fingerprint": "it holds the values that the agent acted on",
    "label": "it brought the label that the agent's context carried",
    "time": "it only came before",
}


UNWITNESSED: Final = "Imported, not witnessed"
"""Stands before all that hosts' own transcripts tell."""


def visible(text: str) -> str:
    """Return text with everything that does not show as itself written as ``<U+XXXX>``; attackers wrote some of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _shows(char) else f"<U+{ord(char):04X}>" for char in text)


def _shows(char: str) -> bool:
    return char.isprintable() and unicodedata.category(char) not in {"Cf", "Cc", "Co", "Cn", "Zl", "Zp"}


def when(micros: int) -> str:
    """Return a time in UTC to the second."""
    if not 0 < micros < 1 << 56:
        return "at an unknown time"
    return dt.datetime.fromtimestamp(micros / 1_000_000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def summary(told: Dossier) -> list[str]:
    """Return the case in a few sentences, the answer first; what was imported comes last, and says what it is."""
    out = _summary(told)
    if told.imported is not None:
        if not (told.answers or told.agents):
            del out[0]  # Nothing was added of this record, which is no lack then.
        out += [f"{UNWITNESSED}: {one}" for one in _summary(told.imported)]
    return out


def _summary(told: Dossier) -> list[str]:
    out = []
    for answer in told.answers:
        top = answer.agents[0] if answer.agents else None
        if top is None:
            out.append(answer.statement)
            continue
        agent = next((one for one in told.agents if one.id == top.agent), None)
        out.append(f"Behind {answer.artefact} is {described(agent) if agent else top.agent}.")
        out.append(f"Its act: event {top.act.n} of {when(top.act.ts)} UTC, {top.act.what} ({top.outcome}).")
        if top.cause_event >= 0:
            first = top.causes[0]
            asked = "a person's own prompt" if first.trusted else "not something that a person had asked for"
            out.append(
                f"What led to it: event {first.event.n}, {first.event.what}; {_SURE[first.confidence]}. It was {asked}."
            )
        else:
            out.append("What led to it could not be traced.")
    if not told.answers:
        out += [f"The case is about {described(agent)}." for agent in told.agents]
    if not out:
        out.append("Nothing has been added to the case yet.")
    if told.impact:
        out.append(told.impact[0].statement)
    out.append(told.coverage.statement)
    return out


def described(agent: Agent) -> str:
    """Return an agent in a phrase."""
    end = (
        f"it ended at {when(agent.ended_ts or 0)} UTC ({agent.ended_how})" if agent.ended_n is not None else "it lives"
    )
    by = f"a child of {agent.parent}" if agent.parent else "started by a person's program"
    sponsor = f"{agent.sponsor} answers for it" if agent.sponsor else "nobody answers for it"
    return f"{agent.id}, an agent of class {agent.charter}, {by}; {sponsor}; born {when(agent.born_ts)} UTC, {end}"


def findings(told: Dossier) -> dict[str, str]:
    """Return what the record itself says to each question, by the question's id; one without an answer is left out."""
    out = _findings(told)
    for question, text in (_findings(told.imported) if told.imported is not None else {}).items():
        known = f"{out[question]} " if question in out and (told.answers or told.agents) else ""
        out[question] = f"{known}{UNWITNESSED}: {text}"
    return out


def _findings(told: Dossier) -> dict[str, str]:
    out: dict[str, str] = {}
    if told.answers:
        out["Q0001"] = " ".join(f"{one.artefact}: {one.involved.statement}" for one in told.answers)
    if told.agents:
        out["Q0002"] = "; ".join(
            f"{described(one)}; charter version {one.charter_digest[:23]}" for one in told.agents[:3]
        )
    first = [one.agents[0] for one in told.answers if one.agents and one.agents[0].causes]
    if first:
        out["Q0003"] = " ".join(
            f"Event {one.causes[0].event.n}, {one.causes[0].event.what} ({one.cause_confidence})." for one in first
        )
        asked = [one.causes[0].trusted for one in first]
        out["Q0004"] = "Yes: it was a person's prompt." if all(asked) else "No prompt of a person asked for it."
    things = {
        (thing.role, thing.kind, thing.value): thing
        for one in told.answers
        for top in one.agents[:1]
        for thing in top.artefacts
    }
    if things:
        counts: dict[str, int] = {}
        for thing in things.values():
            if thing.happened and thing.role not in {"is", "mentioned"}:
                counts[thing.role] = counts.get(thing.role, 0) + 1
        out["Q0005"] = "Things by role: " + ", ".join(f"{count} {role}" for role, count in counts.items()) + "."
    if told.impact:
        out["Q0006"] = told.impact[0].statement
        changed = list(dict.fromkeys(thing.value for one in told.impact for thing in one.credentials))
        out["Q0007"] = ", ".join(changed[:10]) + (f" and {len(changed) - 10} more" if len(changed) > 10 else "")
        out["Q0007"] = out["Q0007"] or "None that the record knows of."
    if told.remedies:
        out["Q0008"] = " ".join(one.statement for one in told.remedies)
    out["Q0009"] = told.coverage.statement
    if told.whole:
        out["Q0010"] = told.whole
    return out


def said(entry: Entry) -> str:
    """Return what an entry says; a text that is gone is named as such."""
    return "(its text is gone, or is not what the record promised)" if entry.text is None else entry.text


def who(entry: Entry) -> str:
    """Return who made an entry: a pseudonym, of its log where that is another one."""
    return f"{entry.by} of {entry.origin}" if entry.origin else entry.by
