"""A case as Markdown, for wikis and tickets. What others wrote is escaped or a code span: nothing of it is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from outrider.investigate.answering import WORDS, findings, standing
from outrider.investigate.decoding import decoded
from outrider.investigate.glance import glance
from outrider.investigate.meeting import counted
from outrider.investigate.questions import questions, scenario
from outrider.investigate.telling import (
    CAME,
    GAPS,
    MARKS,
    MET,
    REFUSED,
    UNWITNESSED,
    banner,
    became,
    brief,
    came,
    class_of,
    exactly,
    gaps,
    glossary,
    home,
    meeting,
    said,
    short,
    stopped,
    summary,
    unlisted,
    unseen,
    visible,
    when,
    who,
)
from outrider.investigate.words import tail

if TYPE_CHECKING:
    from outrider.investigate.dossier import Dossier, Kin

_SPECIAL = re.compile(r"([\\`*\[\]<>#|&@]|~(?!/)|(?<=\S)~|(?<![^\W_])_|_(?![^\W_])|^[-=+]|:(?=//))")
_MOST = 200
_MOST_TEXT = 8_000


def markdown(told: Dossier) -> str:
    """Return the case as Markdown."""
    case = told.case
    state = f"closed {when(case.closed)} UTC" if case.closed else "open"
    out = [f"# {plain(case.title)}", f"{case.id} · opened {when(case.opened)} UTC · {state}"]
    out += [f"**{plain(banner(told))}**"] if banner(told) else []
    out += [_table(("at a glance", ""), [(name, plain(text)) for name, text in glance(told)])] if glance(told) else []
    out += [plain(one) for one in summary(told)]
    out += [*_todo(told), *_words(told), *_happened(told)]
    out.append("## Why")
    out += [
        f"- event {edge.source} led to event {edge.target} (inferred from a match of {edge.by})" for edge in told.edges
    ] or ["Not traced."]
    out += ["## Who", *(_tree(family) for family in told.families)]
    out += ["## What else is affected", *(plain(one.statement) for one in told.impact[1:]), *_things(told)]
    out += [*_met(told), *_questions(told), *_notes(told)]
    out += ["## What could not be seen", plain(unseen(told)), plain(told.holds)]
    if told.coverage.gaps:
        out.append(_table(GAPS, [[plain(short(told, cell)) for cell in row] for row in gaps(told)]))
    out += [plain(one) for one in case.problems]
    out += ["## Words", "\n".join(f"- **{word}**: {meaning}" for word, meaning in glossary(told))]
    return "\n\n".join(one for one in out if one) + "\n"


def _todo(told: Dossier) -> list[str]:
    out = ["## What to do", plain(home(told))]
    for number, step in enumerate(told.todo, 1):
        command = f"\n   {code(step.command)}" if step.command else ""
        now = "**Now.** " if step.urgent else ""
        out.append(f"{number}. {now}{plain(short(told, step.do))} ({step.needs}){command}")
    return out


def _happened(told: Dossier) -> list[str]:
    rows = [
        (
            exactly(one.line.ts),
            str(one.line.n),
            code(f"{class_of(told, one.line.agent)}{tail(one.line.agent)}" or "-"),
            one.why,
            code(brief(told, one.line.what)),
            became(one.became),
        )
        for one in told.moments
    ]
    out = [
        "## What happened",
        MARKS,
        plain(home(told)),
        _table(("time (UTC)", "event", "agent", "", "what", "became"), rows),
    ]
    out += [f"{told.more} more events have no room here."] if told.more else []
    if told.imported is None:
        return out
    told_of = [
        (when(one.line.ts), f"imported {one.line.n}", code(one.line.agent[-8:] or "-"), one.why, code(one.line.what))
        for one in told.imported.moments
    ]
    return [
        *out,
        f"## {UNWITNESSED}: what hosts' own transcripts tell",
        "Whoever held them could have changed them or left something out. No bundle proves any of it.",
        _table(("time (UTC)", "event", "agent", "", "what"), told_of),
    ]


def _notes(told: Dossier) -> list[str]:
    rows = [
        (
            when(one.ts),
            plain(who(one)),
            one.act,
            code(", ".join(part for part in (*one.refs, one.about) if part) or "-"),
            plain(said(one)),
        )
        for one in told.case.entries
    ]
    return ["## Notes and deeds", _table(("time (UTC)", "who", "did", "about", "text"), rows)]


def code(text: str) -> str:
    """Return text as a code span that ends where it should, also in a table."""
    shown = visible(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or not shown.strip() else ""
    return f"{fence}{space}{shown}{space}{fence}"


def plain(text: str) -> str:
    """Return text as a paragraph in which nothing is rendered, nor made a link."""
    return _SPECIAL.sub(r"\\\1", visible(text)).replace("www.", "www\\.")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _tree(family: Sequence[Kin]) -> str:
    lines = []
    for kin in family:
        one = kin.agent
        mark = "  <- the case" if kin.marked else ""
        lines.append(f"    {'   ' * kin.depth}{one.id}  {visible(one.charter)}  {one.ended_how or 'alive'}{mark}")
    return "\n".join(lines)


def _met(told: Dossier) -> list[str]:
    out = []
    if told.impact:
        out += ["### Who came under it", _table(CAME, [[code(x) for x in row] for row in came(told)])]
    if told.stopped:
        people = "\n".join(f"- **{plain(whom)}**: {plain(what)}" for whom, what in stopped(told))
        out += ["### Who was stopped", REFUSED, people]
    if told.met:
        rows = [[code(x) for x in row] for row in meeting(told)]
        more = unlisted(told)
        out += ["### Who met it", plain(counted(told.met)), _table(MET, rows)]
        out += [f"and {more} more in agents.json of the bundle."] if more > 0 else []
    return out


def _words(told: Dossier) -> list[str]:
    if not told.words:
        return []
    out = ["## In its own words", "What follows was written by others, an attacker among them. Do not follow it."]
    for one in told.words:
        lines = "\n".join(f"    {visible(line)}" for line in one.text[:_MOST_TEXT].split("\n"))
        cut = f"\n\n... {len(one.text) - _MOST_TEXT} more characters" if len(one.text) > _MOST_TEXT else ""
        out.append(f"Event {one.event}, {one.why}:\n\n{lines}{cut}")
        for value in decoded(one.text):
            inner = "\n".join(f"    {visible(line)}" for line in value.shown.split("\n"))
            out.append(f"{plain(value.label)}\n\n{inner}")
    return out


def _things(told: Dossier) -> list[str]:
    found = {
        (thing.role, thing.kind, thing.value): thing
        for one in told.impact
        for thing in (*one.credentials, *one.hosts, *one.commits, *one.files)
    }
    rows = [(t.role, t.kind, code(short(told, t.value)), str(t.first)) for t in list(found.values())[:_MOST]]
    return [_table(("role", "kind", "what", "first event"), rows)] if rows else []


def _questions(told: Dossier) -> list[str]:
    found = findings(told)
    out = ["## Questions", plain(standing(told, found))]
    for facet in (part for part in scenario() if part.kind == "facet"):
        lines = [f"**{plain(facet.name)}**", ""]
        for one in questions(facet.id):
            answer = found.get(one.id)
            lines.append(f"- {one.id} {plain(one.name)} ({answer.by if answer else WORDS[None]})")
            lines += [f"  - {plain(answer.here)}"] if answer else []
            people = [entry for entry in told.case.of("answered") if entry.about == one.id]
            lines += [f"  - **{plain(who(entry))}**, {when(entry.ts)} UTC: {plain(said(entry))}" for entry in people]
        out.append("\n".join(lines))
    return out
