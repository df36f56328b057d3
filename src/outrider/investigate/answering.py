"""What the record itself answers of a case's questions, with the events that say so, and what is left to people.

What was recorded is an answer. What follows from it by a match of values or labels is inferred: a person says whether
it holds. Nobody's conclusion is written by a program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from outrider.investigate.due import counted as counted_due
from outrider.investigate.meeting import counted
from outrider.investigate.questions import questions
from outrider.investigate.telling import UNWITNESSED, WEAK, described, short, unseen

if TYPE_CHECKING:
    from outrider.investigate.answer import Told
    from outrider.investigate.cause import Source
    from outrider.investigate.dossier import Dossier
    from outrider.investigate.remedy import Remedy

How = Literal["answered", "inferred"]

WORDS: Final[dict[How | None, str]] = {
    "answered": "answered by the record",
    "inferred": "inferred from the record",
    None: "for a person to answer",
}
_EVENTS: Final = 5
"""Events that are named to an answer, the first ones."""
_NAMED: Final = 10


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the record says to one question.

    Attributes:
        text: In sentences. Written by an attacker in parts: escape it.
        events: The events that say so, as far as events do.
        how: ``answered``, or ``inferred`` where a person has to say whether it holds.
        where: The part of a report that says the same, so that it is not said twice there; or empty.
    """

    text: str
    events: tuple[int, ...] = ()
    how: How = "answered"
    where: str = ""

    @property
    def here(self) -> str:
        """The text as a report has it: one that stands elsewhere in it is only pointed to."""
        return f"See {self.where}." if self.where else self.text

    @property
    def by(self) -> str:
        """Whose word it is, and by which events."""
        shown = ", ".join(str(n) for n in self.events[:_EVENTS])
        more = f" and {len(self.events) - _EVENTS} more" if len(self.events) > _EVENTS else ""
        noun = "event" if len(self.events) == 1 else "events"
        return f"{WORDS[self.how]}{f', {noun} {shown}{more}' if shown else ''}"


def findings(told: Dossier) -> dict[str, Found]:
    """Return what the record itself says to each question, by the question's id; one without an answer is left out."""
    out = dict(_findings(told))
    for question, there in dict(_findings(told.imported)).items() if told.imported is not None else ():
        own = out.get(question) if told.answers or told.agents else None
        text = f"{own.text} {UNWITNESSED}: {there.text}" if own else f"{UNWITNESSED}: {there.text}"
        out[question] = Found(text=text, events=own.events if own else (), how="inferred")
    return out


def left(told: Dossier, found: dict[str, Found]) -> tuple[str, ...]:
    """Return the ids of the questions that nobody concluded and the record does not answer."""
    concluded = {entry.about for entry in told.case.of("answered")}
    answered = {name for name, one in found.items() if one.how == "answered"}
    return tuple(one.id for one in questions() if one.id not in concluded | answered)


def standing(told: Dossier, found: dict[str, Found]) -> str:
    """Return in a sentence or two how many questions the record answers, and which are left to people."""
    every = questions()
    answered = sum(one.how == "answered" for one in found.values())
    open_ = left(told, found)
    first = f"The record itself answers {answered} of {len(every)} questions."
    people = len({entry.about for entry in told.case.of("answered")} & {one.id for one in every})
    if people:
        first += f" People have concluded on {people}."
    if not open_:
        return f"{first} None is left open."
    inferred = [name for name in open_ if name in found]
    rest = [name for name in open_ if name not in found]
    parts = [f"{', '.join(inferred)} (inferred: somebody says whether it holds)"] if inferred else []
    parts += [", ".join(rest)] if rest else []
    return f"{first} Left to people: {'; '.join(parts)}. {CONCLUDE.format(case=told.case.id)}"


CONCLUDE: Final = '`outrider case question {case} Q0003 "what you conclude" --event N` writes a conclusion down.'


def _findings(told: Dossier) -> Iterator[tuple[str, Found]]:
    for name, one in (*_identity(told), *_cause(told), *_impact(told), *_control(told)):
        yield name, msgspec.structs.replace(one, text=short(told, one.text))


def _identity(told: Dossier) -> Iterator[tuple[str, Found]]:
    if told.answers:
        text = " ".join(
            f"{one.artefact}: {one.involved.statement} Matched by: {one.involved.confidence or 'nothing'}."
            for one in told.answers
        )
        known = all(one.answer in {"yes", "no"} for one in told.answers)
        acts = _once(one.agents[0].act.n for one in told.answers if one.agents)
        yield "Q0001", Found(text=text, events=acts, how="answered" if known else "inferred")
    if told.agents:
        text = "; ".join(f"{described(one)}; charter version {one.charter_digest[:23]}" for one in told.agents[:3])
        yield "Q0002", Found(text=text, events=_once(one.born_n for one in told.agents[:3]))


def _cause(told: Dossier) -> Iterator[tuple[str, Found]]:
    first = [one.agents[0] for one in told.answers if one.agents and one.agents[0].causes]
    if not first:
        return
    text = " ".join(
        f"Event {one.causes[0].event.n}, {one.causes[0].event.what}{_at(one.causes[0])}"
        f" ({'trusted' if one.causes[0].trusted else 'untrusted'}; inferred from: {one.cause_confidence})."
        for one in first
    )
    events = _once(one.causes[0].event.n for one in first)
    yield "Q0003", Found(text=text, events=events, how="inferred")
    if any(one.causes[0].confidence in WEAK for one in first):
        return  # A label or a time says nothing of who asked for it.
    asked = all(one.causes[0].trusted for one in first)
    said = "Yes: it was a person's prompt." if asked else "No prompt of a person asked for it."
    yield "Q0004", Found(text=said, events=events, how="inferred")


def _impact(told: Dossier) -> Iterator[tuple[str, Found]]:
    tops: list[Told] = [top for one in told.answers for top in one.agents[:1]]
    things = {(thing.role, thing.kind, thing.value): thing for top in tops for thing in top.artefacts}
    done = [one for one in things.values() if one.happened and one.role not in {"is", "mentioned"}]
    if things:
        roles = Counter(one.role for one in done)
        text = "Things by role: " + ", ".join(f"{count} {role}" for role, count in roles.items()) + "."
        yield "Q0005", Found(text=text, events=_once(one.first for one in done))
    if not told.impact:
        return
    who = told.impact[0].statement + (f" {counted(told.met)}" if len(told.met) > 1 else "")
    came = _once(one.since for blast in told.impact for one in blast.agents)
    yield "Q0006", Found(text=who, events=came, where="'Who came under it' and 'Who met it', above")
    values = ", ".join(f"{one.value} (event {one.first})" for one in told.due[:_NAMED])
    more = f" and {len(told.due) - _NAMED} more" if len(told.due) > _NAMED else ""
    text = f"{counted_due(told.due)}: {values}{more}." if told.due else "None that the record knows of."
    yield "Q0007", Found(text=text, events=_once(one.first for one in told.due))


def _control(told: Dossier) -> Iterator[tuple[str, Found]]:
    if told.remedies:
        text = " ".join(_controls(told.remedies))
        yield "Q0008", Found(text=text, events=_once(one.loaded for one in told.remedies if one.loaded >= 0))
    gaps = _once(gap.n for gap in told.coverage.gaps)
    yield (
        "Q0009",
        Found(text=f"{unseen(told)} {told.holds}".rstrip(), events=gaps, where="'What could not be seen', below"),
    )
    if told.whole:
        lacks = told.coverage.missing or told.coverage.sources or told.coverage.gaps
        yield "Q0010", Found(text=f"{told.whole} It was not told of everything: see Q0009." if lacks else told.whole)


def _controls(tried: tuple[Remedy, ...]) -> Iterator[str]:
    for position, one in enumerate(tried):
        yield one.statement
        after = tried[position + 1] if position + 1 < len(tried) else None
        if one.section == "flow" and after is not None and after.charter == one.charter and after.section == "never":
            yield "It is the better control of the two: a name is easily changed."


def _at(source: Source) -> str:
    return f", {source.place.words}" if source.place else ""


def _once(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))
