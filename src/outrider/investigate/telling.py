"""A case in sentences: what somebody who decides has to know, and what each question's answer is so far."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from outrider.investigate.case import DEMO
from outrider.investigate.due import counted as counted_due
from outrider.investigate.extent import WORDS
from outrider.investigate.glossary import GLOSSARY
from outrider.investigate.groups import expanded, named
from outrider.investigate.meeting import VISITED
from outrider.investigate.words import tail

if TYPE_CHECKING:
    from outrider.investigate.answer import Answer, Told
    from outrider.investigate.case import Entry
    from outrider.investigate.cause import Source
    from outrider.investigate.coverage import Gap
    from outrider.investigate.dossier import Dossier
    from outrider.investigate.meeting import Deed, Meeting
    from outrider.investigate.stopped import Stopped
    from outrider.store.reading import Agent

MOST_MET: Final = 25
"""Agents of those that met it that a report lists; `agents.json` lists all."""
CAME: Final = ("agent", "class", "came under it", "from event", "what it did", "born, event", "end")
MET: Final = ("agent", "class", "what it did", "with what", "first time (UTC)", "event")
MOST_VISITED: Final = 5
"""Of those that only visited the same place, how many are listed beside the others."""
_TIES: Final = {
    "origin": "read it itself", "label": "carries its label", "born of it": "is a child of",
    "report": "had a report of", "file": "read a file of",
}  # fmt: skip
MOST_STOPPED: Final = 50
MOST_TRIES: Final = 5
"""Other calls that were refused of which one agent's sentence tells."""
REFUSED: Final = (
    "What they tried was refused, so that nothing is known to have left by it; what they had read before was read all"
    " the same, and is to be changed."
)
MARKS: Final = (
    "source: what was asked for when the cause was read; cause: what came of that; act: what was done; result: what"
    " came of the act; label: what put a mark on an agent's context, such as a secret; touched: another deed; refused:"
    " what was not let through."
)
MOST_GAPS: Final = 50
GAPS: Final = ("event", "from (UTC)", "what is missing", "agents were told", "whose", "detail")

_AGENT = re.compile(r"\bag_[0-9A-HJKMNP-TV-Z]{26}\b")
_SURE = {
    "value": "it names what the agent acted on",
    "fingerprint": "it holds the values that the agent acted on",
    "act": "it asks for such an act",
    "label": "it brought the label that the agent's context carried",
    "time": "it only came before",
}
_DEED = {
    "sent": ("sent data to", "that data went out is proven by what the call itself says"),
    "exposed": (
        "connected, its context holding a secret, to",
        "that the secret went out with it is inferred: the text of the call shows what was sent",
    ),
    "reached": ("connected to", "that anything was sent is not known"),
}
_BECAME = {
    "done": "allowed, and it returned ok",
    "failed": "allowed, and it failed",
    "no result seen": "allowed, and what became of it was not seen",
    "ran despite the refusal": "refused, and it ran all the same",
    "refused": "refused",
    "asked": "put to a person",
    "not run": "not run",
}
WEAK: Final = frozenset({"label", "time"})
"""What ties a cause to an act and says nothing of what told the agent to."""
ASK = "outrider case export {case} --disclose story"
"""The command that has the texts of a case's causes, acts and prompts leave with it."""


UNWITNESSED: Final = "Imported, not witnessed"
"""Stands before all that hosts' own transcripts tell."""


def banner(told: Dossier) -> str:
    """Return that the record is a demonstration's, where it says so of itself; else nothing."""
    if not told.log.startswith(DEMO):
        return ""
    return (
        f"A demonstration, and no incident: the record says of itself, by the name of its log ({told.log}), that"
        " `outrider demo` played it. Its agents were scripted programs, its secrets and hosts are made up. Whoever runs"
        " a log chooses its name."
    )


def visible(text: str) -> str:
    """Return text with everything that does not show as itself written as ``<U+XXXX>``; attackers wrote some of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _shows(char) else f"<U+{ord(char):04X}>" for char in text)


def _shows(char: str) -> bool:
    return char.isprintable() and unicodedata.category(char) not in {"Cf", "Cc", "Co", "Cn", "Zl", "Zp"}


def when(micros: int) -> str:
    """Return a time in UTC to the second."""
    return exactly(micros)[:19] if 0 < micros < 1 << 56 else "at an unknown time"


def exactly(micros: int) -> str:
    """Return a time in UTC to the millisecond."""
    if not 0 < micros < 1 << 56:
        return "at an unknown time"
    second, rest = divmod(micros, 1_000_000)
    return f"{dt.datetime.fromtimestamp(second, tz=dt.UTC):%Y-%m-%d %H:%M:%S}.{rest // 1000:03}"


def short(told: Dossier, text: str) -> str:
    """Return a text with the home of the case's first agent written as ``~``, as its calls write it."""
    home = told.agents[0].home if told.agents else ""
    return text.replace(f"{home}/", "~/") if home.count("/") > 1 else text


def home(told: Dossier) -> str:
    """Return what ``~`` stands for, or nothing."""
    one = told.agents[0] if told.agents else None
    return f"~ is {one.home}, the home of {one.id}." if one is not None and one.home.count("/") > 1 else ""


def brief(told: Dossier, text: str) -> str:
    """Return a table's text as :func:`short` does, with agents' ids by their ends, as its column of agents has them."""
    return _AGENT.sub(lambda found: tail(found[0]), short(told, text))


def became(word: str) -> str:
    """Return what became of a call, in words that a reader of a report knows."""
    return _BECAME.get(word, word)


def summary(told: Dossier) -> list[str]:
    """Return the case in a few sentences, the answer first; what was imported comes last, and says what it is."""
    out = _summary(told)
    if told.imported is not None:
        if not (told.answers or told.agents):
            del out[0]  # Nothing was added of this record, which is no lack then.
        out += [f"{UNWITNESSED}: {one}" for one in _summary(told.imported)]
    return out


def source_of(cause: Source) -> str:
    """Return what a cause was, in a phrase: what came back from a page, a prompt."""
    what = cause.event.what
    if what.startswith("result of "):
        what = f"what came back from {what.removeprefix('result of ').removesuffix(' (ok)')}"
    return what + (f" ({cause.place.words}, its host's own transcript)" if cause.place else "")


def _summary(told: Dossier) -> list[str]:
    out: list[str] = []
    ids: list[str] = []
    for answer in told.answers:
        top = answer.agents[0] if answer.agents else None
        if top is None:
            out.append(answer.statement)
            continue
        agent = next((one for one in told.agents if one.id == top.agent), None)
        out += [short(told, one) for one in _lead(told, answer, top)]
        ids.append(f"{answer.artefact}: the agent is {described(agent) if agent else top.agent}.")
    if not told.answers:
        ids += [f"The case is about {described(agent)}." for agent in told.agents]
    if not out and not ids:
        out.append("Nothing has been added to the case yet.")
    out += ids
    whom = dict.fromkeys(told.contacts.values())
    out += [f"Whom to ask about it: {'; '.join(whom)}."] if whom else []
    if told.impact:
        out.append(told.impact[0].statement)
    if len(told.due) > 1:
        out.append(f"Credentials to change, in all: {counted_due(told.due)}.")
    if told.acts and not told.words:
        out.append(
            "The texts of what it read and did are not in here; whoever runs the log of this record can give them,"
            f" where they are kept, by {ASK.format(case=told.case.id)} (or with the numbers of events)."
        )
    elif told.words:
        numbers = ", ".join(str(one.event) for one in told.words)
        out.append(f"Under 'In its own words' stand the texts of events {numbers}, checked against the record.")
    return [*out, unseen_in_short(told)]


def _lead(told: Dossier, answer: Answer, top: Told) -> list[str]:
    """Return what one artefact's likeliest doer did, and what led to it, in plain words with the events that say so."""
    evidence = next((one.evidence[0] for one in answer.involved.agents if one.agent.id == top.agent), None)
    deed, proof = _DEED.get(evidence.role if evidence else "", ("did this to", ""))
    read = [t for t in top.also_affected.credentials if top.agent in t.agents and t.first < top.act.n]
    first = (
        f"read a credential, {', '.join(f'{t.value} (event {t.first})' for t in read[:3])}, and then " if read else ""
    )
    result = next((m.line for m in told.moments if m.why == "result"), None)
    said = f"the call was {became(top.outcome)}" + (f" (event {result.n})" if result is not None else "")
    by = f", for which {top.sponsor} answers," if top.sponsor else ""
    out = [
        f"On {exactly(top.act.ts)} UTC an agent of class {top.charter}{by} {first}{deed} {answer.artefact} (event"
        f" {top.act.n}): {said}. Proven: the record holds the call and its result; matched by {top.confidence}."
        + _proof(told, top.act.n, proof)
    ]
    if top.cause_event < 0:
        return [*out, "What led to it could not be traced."]
    cause = top.causes[0]
    if cause.confidence in WEAK:
        return [*out, f"{_untold(cause)} Whether a person had asked for it is not known either."]
    kind = "trusted: a person's own prompt" if cause.trusted else "untrusted: nothing that a person had asked for"
    out.append(
        f"What told it to: {source_of(cause)}, which it had read at {exactly(cause.event.ts)} UTC"
        f" (event {cause.event.n}); {kind}."
        f" Inferred from a match of {cause.confidence}: {_SURE[cause.confidence]}."
    )
    return out


def _untold(cause: Source) -> str:
    """Return what is known where no text could be tied to the act by what it says."""
    how = "its context carried a label of" if cause.confidence == "label" else "it came after"
    return (
        f"What told it to is not known: nothing that it had read could be tied to the act by what it says; {how} event"
        f" {cause.event.n}, {cause.event.what}."
    )


def _proof(told: Dossier, act: int, proof: str) -> str:
    """Return what is known of whether a secret went out: told by its own value, else as the role of the act says."""
    brought = told.carried.get(act, -1)
    if brought >= 0:
        return (
            f" Proven, too: the call was given a value that event {brought} had brought, as it is or encoded (told by"
            " keyed prints, which are equal): what was read went out with it. The prints stay with the record, so that"
            f" a bundle of the case alone does not show it: `outrider case show {told.case.id}` on the record's host"
            f" compares them anew, and `outrider export --events {brought},{act} --besides` hands them over (VERIFY.md"
            " says how to compare)."
        )
    return f" {proof[0].upper()}{proof[1:]}." if proof else ""


def unseen_in_short(told: Dossier) -> str:
    """Return whether the record has gaps and who told of its agents; :func:`unseen` has the rest."""
    seen = told.coverage
    first = "The record has no gap."
    if seen.missing or seen.sources:
        first = "The record has gaps."
    elif seen.gaps:
        first = "The record lacks no event that it heard of, but there were times in which it heard nothing."
    return f"{first} {seen.listened}".rstrip()


def unseen(told: Dossier) -> str:
    """Return what the record itself lacks, apart from what a bundle of it leaves out."""
    seen = told.coverage
    first = unseen_in_short(told).removesuffix(seen.listened).rstrip()
    plain = seen.statement.replace("spool without events", "hooks that met no daemon")
    return " ".join(one for one in (first, plain, _hooks(told)) if one)


def described(agent: Agent) -> str:
    """Return an agent in a phrase."""
    end = (
        f"it ended at {exactly(agent.ended_ts or 0)} UTC ({agent.ended_how})"
        if agent.ended_n is not None
        else "it lives"
    )
    by = f"a child of {agent.parent}" if agent.parent else "started by a person's program"
    sponsor = f"{agent.sponsor} answers for it" if agent.sponsor else "nobody answers for it"
    return f"{agent.id}, an agent of class {agent.charter}, {by}; {sponsor}; born {exactly(agent.born_ts)} UTC, {end}"


def came(told: Dossier) -> list[tuple[str, ...]]:
    """Return who came under it: agent, class, how, from which event on, and what it did then."""
    rows = {}
    for one in (one for blast in told.impact for one in blast.agents):
        agent = one.agent
        did = ", ".join(f"{count} {role}" for role, count in told.children.get(agent.id, {}).items())
        if agent.id not in told.children:
            did = "see what happened"
        end = f"{agent.ended_how}, event {agent.ended_n}" if agent.ended_n is not None else "alive"
        by = f"{_TIES.get(one.by, one.by)} {tail(one.through)}".strip()
        by = f"took its label over from {tail(one.through)}" if one.by == "label" and one.through else by
        rows[agent.id] = (
            tail(agent.id), agent.charter, by, str(one.since), did or "nothing that the record knows of",
            f"{agent.born_n}", end
        )  # fmt: skip
    return list(rows.values())


def stopped(told: Dossier) -> list[tuple[str, str]]:
    """Return who was refused and, in sentences, what it tried, what it had read before, and who had started it."""
    rows = []
    for one in told.stopped[:MOST_STOPPED]:
        had = ", ".join(f"{thing.value} (event {thing.first})" for thing in one.credentials)
        told_of = f"It had read {had}." if had else "It is not known to have read a credential."
        parent = f" Had that one read the same? {one.parent_had[0].upper()}{one.parent_had[1:]}."
        text = (
            f"{one.what} was refused (event {one.attempt}).{_refused_too(one)} {told_of} It was started by"
            f" {one.started_by}.{parent if one.agent.parent else ''}"
        )
        rows.append((f"{one.agent.charter} {tail(one.agent.id)}", f"{text[0].upper()}{text[1:]}"))
    return rows


def _refused_too(one: Stopped) -> str:
    """Return what else of an agent was refused, a sentence, or nothing."""
    if not one.others:
        return ""
    parts = [f"{what} ({_events(of)})" for what, of in list(one.others.items())[:MOST_TRIES]]
    more = f", and {len(one.others) - MOST_TRIES} more" if len(one.others) > MOST_TRIES else ""
    return f" Refused as well: {', '.join(parts)}{more}."


def _events(numbers: Sequence[int]) -> str:
    return f"event{'' if len(numbers) == 1 else 's'} {', '.join(str(n) for n in numbers)}"


def class_of(told: Dossier, agent: str) -> str:
    """Return the class of an agent of the case and a space, or nothing where it is none of its agents."""
    kin = {one.agent.id: one.agent.charter for family in told.families for one in family}
    kin |= {one.agent.id: one.agent.charter for blast in told.impact for one in blast.agents}
    kin |= {one.agent.id: one.agent.charter for one in told.stopped}
    kin |= {one.parent.id: one.parent.charter for one in told.stopped if one.parent is not None}
    kin |= {hop.agent: hop.charter for one in told.stopped for hop in one.parent_way if hop.charter}
    return f"{kin[agent]} " if agent in kin else ""


def _deed(deed: Deed) -> str:
    words = "reached, a secret in its context," if deed.role == "exposed" else deed.role
    return f"{words} {deed.value}{'' if deed.happened else ' (refused)'}"


def _shown(told: Dossier) -> list[Meeting]:
    """Return who is listed of those that met it: whoever did more than visit the same place, and a few of the rest."""
    more = [one for one in told.met if one.did != VISITED][:MOST_MET]
    return [*more, *[one for one in told.met if one.did == VISITED][: max(0, min(MOST_VISITED, MOST_MET - len(more)))]]


def unlisted(told: Dossier) -> int:
    """Return how many of those that met it are not listed."""
    return len(told.met) - len(_shown(told))


def meeting(told: Dossier) -> list[tuple[str, ...]]:
    """Return who met it: agent, class, what it did, with what, when, and the event; the first of them."""
    return [
        (
            tail(one.agent), one.charter, one.did,
            ", ".join(_deed(deed) for deed in one.deeds[:3]) or "-",
            exactly(one.ts), str(one.first),
        )
        for one in _shown(told)
    ]  # fmt: skip


def glossary(told: Dossier) -> list[tuple[str, str]]:
    """Return the words of a report with what they mean, groups of charters that stand in it among them."""
    texts = [one.line.what for one in told.moments] + [one.statement for one in told.remedies]
    texts += [step.do for step in told.todo] + [gap.detail for gap in told.coverage.gaps]
    return [*GLOSSARY, *((name, f"{expanded(name, told.groups)}.") for name in named(texts))]


def gaps(told: Dossier) -> list[tuple[str, ...]]:
    """Return what is known to be missing, the oldest first: the event, when, what, what agents were told, and whose."""
    return [
        (
            str(gap.n), exactly(gap.since or gap.ts), f"{gap.count} {WORDS.get(gap.what, gap.what)}",
            gap.answered or "-", gap.whose or (f"of {gap.agent}" if gap.agent else "of no one agent"), gap.detail,
        )
        for gap in told.coverage.gaps[:MOST_GAPS]
    ]  # fmt: skip


def _hooks(told: Dossier) -> str:
    """Return whose hooks met no daemon, and whether that is an agent of the case."""
    hooks = [gap for gap in told.coverage.gaps if gap.what == "spool"]
    own = {agent.id for agent in told.agents} | {one.agent.id for blast in told.impact for one in blast.agents}
    mine = [gap for gap in hooks if gap.agent in own]
    others = [gap for gap in hooks if gap.agent and gap.agent not in own]
    unknown = [gap for gap in hooks if not gap.agent]
    kinds = (
        (mine, "of agents of this case"),
        (others, "of other agents"),
        (unknown, "of which it cannot be told whose they were"),
    )
    parts = [f"{len(gaps)} {lead} ({_whose(gaps)})" for gaps, lead in kinds if gaps]
    return f"Hooks that met no daemon: {'; '.join(parts)}." if parts else ""


def _whose(gaps: list[Gap]) -> str:
    """Return how it is known whose hooks they were, each reason once with its events."""
    by: dict[str, list[int]] = {}
    for gap in gaps:
        by.setdefault(gap.whose.removeprefix("whose cannot be told: "), []).append(gap.n)
    said_ = []
    for why, events in list(by.items())[:3]:
        numbers = ", ".join(str(n) for n in events[:5]) + (f" and {len(events) - 5} more" if len(events) > 5 else "")
        said_.append(f"event{'' if len(events) == 1 else 's'} {numbers}: {why}")
    return "; ".join(said_) + (f"; and {len(by) - 3} more" if len(by) > 3 else "")


def said(entry: Entry) -> str:
    """Return what an entry says; a text that is gone is named as such."""
    return "(its text is gone, or is not what the record promised)" if entry.text is None else entry.text


def who(entry: Entry) -> str:
    """Return who made an entry: a pseudonym, of its log where that is another one."""
    return f"{entry.by} of {entry.origin}" if entry.origin else entry.by
