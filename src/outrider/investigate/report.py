"""A case as one HTML page that needs nothing else: no script, no picture, no address that could be followed.

Attackers wrote much of what it shows. Everything is escaped, what does not show as itself is marked, nothing is a link,
and the page forbids itself to load or run anything.
"""

from __future__ import annotations

import html
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
    from outrider.investigate.touched import Thing

_MOST_THINGS = 200
_MOST_TEXT = 8_000
_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee4;--paper:#fff;--wash:#f5f7f9;--hot:#b42318;--warm:#9a6700}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa5b1;--line:#323a44;--paper:#14181d;--wash:#1c2229;--hot:#ff8a80;--warm:#f2c14e}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 5rem}h1{font-size:1.7rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.15rem;margin:2.4rem 0 .6rem;padding-top:.9rem;border-top:1px solid var(--line)}h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.4rem 0}.soft,.when{color:var(--soft)}.lead{font-size:1.06rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}td.n,.when{white-space:nowrap;font-variant-numeric:tabular-nums}td{overflow-wrap:break-word}code,pre{overflow-wrap:anywhere}.id{white-space:nowrap}.glance td{border:0;padding:.12rem .8rem .12rem 0}.glance td:first-child{color:var(--soft);white-space:nowrap}.glance{background:var(--wash);border:1px solid var(--line);border-radius:8px;padding:.5rem .9rem;margin:.8rem 0 1rem}
code,pre{font:.86rem/1.45 ui-monospace,monospace}pre{background:var(--wash);border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem;white-space:pre-wrap;margin:.3rem 0}
pre.decoded{border-left:3px solid var(--warm)}.scroll{overflow-x:auto}.tag{font-size:.75rem;border:1px solid var(--line);border-radius:99px;padding:0 .5rem;color:var(--soft);white-space:nowrap}
.hot{color:var(--hot)}.warm{color:var(--warm)}ol,ul{padding-left:1.3rem;margin:.3rem 0}li{margin:.35rem 0}
.tree{font:.86rem/1.6 ui-monospace,monospace;overflow-x:auto;white-space:pre}.tree b{color:var(--hot)}
svg{max-width:100%;height:auto;display:block}svg text{font:13px ui-monospace,monospace;fill:var(--ink)}svg .soft{fill:var(--soft)}
svg rect{fill:var(--wash);stroke:var(--line)}svg path{fill:none;stroke:var(--warm);stroke-width:1.6}
.banner{border:2px solid var(--warm);border-radius:8px;padding:.6rem .9rem;font-weight:600}
@media print{h2{break-after:avoid}tr,li{break-inside:avoid}}
"""  # noqa: E501 - a style sheet.
_HOT = {"act": "hot", "cause": "warm", "pinned": "warm"}


def page(told: Dossier) -> str:
    """Return the case as one HTML page."""
    case = told.case
    state = f"closed {when(case.closed)} UTC" if case.closed else "open"
    parts = [
        f"<p class=soft>{text(case.id)} &middot; opened {when(case.opened)} UTC &middot; {state}</p>",
        f"<h1>{text(case.title)}</h1>",
        f"<p class=banner>{text(banner(told))}</p>" if banner(told) else "",
        _glance(told),
        *(f"<p class=lead>{text(one)}</p>" for one in summary(told)),
        _todo(told),
        _timeline(told),
        _why(told),
        "<h2>Who: the lineage</h2>",
        *(f"<div class=tree>{_tree(family)}</div>" for family in told.families),
        "" if told.families else "<p class=soft>No agent is known.</p>",
        _impact(told),
        _questions(told),
        _notes(told),
        _trust(told),
        "<h2>Words</h2><ul>"
        + "".join(f"<li><b>{text(word)}</b>: {text(said_)}</li>" for word, said_ in glossary(told))
        + "</ul>",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv=Content-Security-Policy content="'
        f'{policy}"><meta name=viewport content="width=device-width, initial-scale=1"><meta name=referrer '
        f"content=no-referrer><title>{text(case.title)}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(part for part in parts if part)
        + "</main></body></html>\n"
    )


def _glance(told: Dossier) -> str:
    rows = "".join(f"<tr><td>{text(name)}</td><td>{text(said_)}</td></tr>" for name, said_ in glance(told))
    return f"<div class=glance><table><tbody>{rows}</tbody></table></div>" if rows else ""


def text(value: object) -> str:
    """Return a value as text of a page: marked where it does not show as itself, and escaped."""
    return html.escape(visible(str(value)))


def _id(agent: str) -> str:
    return f"<span class=id>{text(agent)}</span>"


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are HTML already."""
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    top = "".join(f"<th>{name}</th>" for name in head)
    return f"<div class=scroll><table><thead><tr>{top}</tr></thead><tbody>{cells}</tbody></table></div>"


def _todo(told: Dossier) -> str:
    lines = []
    for step in told.todo:
        mark = '<span class="tag hot">now</span> ' if step.urgent else ""
        command = f"<pre>{text(step.command)}</pre>" if step.command else ""
        lines.append(
            f"<li>{mark}{text(short(told, step.do))} <span class=soft>({text(step.needs)})</span>{command}</li>"
        )
    return f"<h2>What to do</h2><p class=soft>{text(home(told))}</p><ol>{''.join(lines)}</ol>"


def _timeline(told: Dossier) -> str:
    rows = []
    for moment in told.moments:
        one = moment.line
        mark = f'<span class="tag {_HOT.get(moment.why, "")}">{text(moment.why)}</span>'
        what = text(brief(told, one.what))
        rows.append(
            (
                f"<span class=when>{exactly(one.ts)}</span>",
                str(one.n),
                f"<span class=when>{text(class_of(told, one.agent))}{text(tail(one.agent))}</span>",
                mark,
                what,
                text(became(moment.became)),
            )
        )
    more = f"<p class=soft>{told.more} more events have no room here.</p>" if told.more else ""
    table = (
        _rows(("time (UTC)", "event", "agent", "", "what", "became"), rows)
        if rows
        else "<p class=soft>Nothing yet.</p>"
    )
    head = f"{_words(told)}<h2>What happened</h2><p class=soft>{text(MARKS)} {text(home(told))}</p>"
    return f"{head}{table}{more}{_abroad(told)}{_imported(told.imported)}"


def _imported(told: Dossier | None) -> str:
    """Return what hosts' own transcripts tell, apart from what was witnessed."""
    if told is None:
        return ""
    rows = [
        (f"<span class=when>{when(one.line.ts)}</span>", f"imported {one.line.n}", text(one.line.agent[-8:]),
         f"<span class=tag>{text(one.why)}</span>", text(one.line.what))
        for one in told.moments
    ]  # fmt: skip
    table = _rows(("time (UTC)", "event", "agent", "", "what"), rows) if rows else "<p class=soft>Nothing.</p>"
    return (
        f"<h3>{UNWITNESSED}: what hosts' own transcripts tell</h3><p class=soft>Whoever held them could have changed "
        f"them or left something out. None of it is in the record, nor in a bundle.</p>{table}"
    )


def _words(told: Dossier) -> str:
    if not told.words:
        return ""
    out = [
        "<h2>In its own words</h2>",
        "<p class=soft>What follows was written by others, an attacker among them. Do not follow it.</p>",
    ]
    for one in told.words:
        shown = "\n".join(text(line) for line in one.text[:_MOST_TEXT].split("\n"))
        cut = f"<p class=soft>{len(one.text) - _MOST_TEXT} more characters</p>" if len(one.text) > _MOST_TEXT else ""
        out.append(f"<p>Event {one.event}, {text(one.why)}</p><pre>{shown}</pre>{cut}")
        out += [
            f"<p class=soft>{text(value.label)}</p><pre class=decoded>"
            + "\n".join(text(line) for line in value.shown.split("\n"))
            + "</pre>"
            for value in decoded(one.text)
        ]
    return "".join(out)


def _abroad(told: Dossier) -> str:
    rows = [
        (f"<span class=when>{when(one.ts)}</span>", f"{text(log.origin)}#{one.n}", text(one.agent[-8:]), text(one.what))
        for log in told.case.foreign
        for one in sorted(log.events.values(), key=lambda sight: sight.n)
    ]
    return f"<h3>In other logs</h3>{_rows(('time (UTC)', 'event', 'agent', 'what'), rows)}" if rows else ""


def _why(told: Dossier) -> str:
    if not told.edges:
        return "<h2>Why: provenance</h2><p class=soft>No cause could be traced to an act by a value or a label.</p>"
    lines = {moment.line.n: moment.line for moment in told.moments}
    nodes = sorted({n for edge in told.edges for n in (edge.source, edge.target)})
    place = {n: position for position, n in enumerate(nodes)}
    step, left = 52, 120
    shapes = []
    for n in nodes:
        top = place[n] * step + 6
        what = visible(lines[n].what if n in lines else "(an event between)")
        shown = what if len(what) <= 92 else what[:91] + "\u2026"
        hot = n in told.acts
        shapes.append(
            f"<rect x={left} y={top} width=790 height=38 rx=6 /><text x={left + 12} y={top + 24}>"
            f"{'&#9632; ' if hot else ''}{n}  {html.escape(shown)}</text>"
        )
    for edge in told.edges:
        start, end = place[edge.source] * step + 25, place[edge.target] * step + 25
        bend = min(left - 10, 24 + 12 * abs(place[edge.target] - place[edge.source]))
        shapes.append(
            f'<path d="M{left} {start} C{left - bend} {start} {left - bend} {end} {left} {end}" />'
            f'<path d="M{left - 7} {end - 4} L{left} {end} L{left - 7} {end + 4}" />'
            f"<text class=soft x=4 y={(start + end) // 2 + 4}>{text(edge.by)}</text>"
        )
    size = len(nodes) * step + 10
    drawing = f'<svg viewBox="0 0 920 {size}" role=img aria-label="From cause to act">{"".join(shapes)}</svg>'
    note = (
        "<p class=soft>From what came into a context, downwards, to the act (&#9632;), and by what that is known.</p>"
    )
    return f"<h2>Why: provenance</h2>{note}<div class=scroll>{drawing}</div>"


def _tree(family: Sequence[Kin]) -> str:
    lines = []
    for kin in family:
        one = kin.agent
        line = f"{'   ' * kin.depth}{one.id}  {text(one.charter)}  {text(one.ended_how or 'alive')}"
        lines.append(f"<b>{line}</b>" if kin.marked else line)
    return "\n".join(lines)


def _impact(told: Dossier) -> str:
    if not told.impact:
        return ""
    groups: dict[str, list[Thing]] = {"Credentials to change": [], "Hosts": [], "Commits and packages": [], "Files": []}
    for one in told.impact:
        for name, of in zip(groups, (one.credentials, one.hosts, one.commits, one.files), strict=True):
            groups[name] += of
    out = ["<h2>What else is affected</h2>", *(f"<p>{text(one.statement)}</p>" for one in told.impact[1:])]
    for name, things in groups.items():
        once = list({(thing.role, thing.kind, thing.value): thing for thing in things}.values())
        if once:
            rows = [
                (text(t.role), text(t.kind), f"<code>{text(short(told, t.value))}</code>", str(t.first)) for t in once
            ]
            table = _rows(("role", "kind", "what", "first event"), rows[:_MOST_THINGS])
            more = len(rows) - _MOST_THINGS
            out.append(f"<h3>{name}</h3>{table}" + (f"<p class=soft>{more} more.</p>" if more > 0 else ""))
    out.append("<h3>Who came under it</h3>" + _rows(CAME, [[_id(row[0]), *map(text, row[1:])] for row in came(told)]))
    if told.stopped:
        items = "".join(f"<li><b>{text(whom)}</b>: {text(what)}</li>" for whom, what in stopped(told))
        out.append(f"<h3>Who was stopped</h3><p class=soft>{text(REFUSED)}</p><ul>{items}</ul>")
    if told.met:
        table = _rows(MET, [[_id(row[0]), *map(text, row[1:])] for row in meeting(told)])
        more = unlisted(told)
        out.append(f"<h3>Who met it</h3><p>{text(counted(told.met))}</p>{table}")
        out.append(f"<p class=soft>and {more} more in agents.json of the bundle.</p>" if more > 0 else "")
    return "".join(out)


def _questions(told: Dossier) -> str:
    found = findings(told)
    out = [f"<h2>Questions</h2><p class=soft>{text(standing(told, found))}</p>"]
    for facet in (part for part in scenario() if part.kind == "facet"):
        out.append(f"<h3>{text(facet.name)}</h3><ul>")
        for one in questions(facet.id):
            answer = found.get(one.id)
            record = f"<br>{text(answer.here)}" if answer else ""
            people = "".join(
                f"<br><span class=soft>{text(who(entry))}, {when(entry.ts)} UTC:</span> <b>{text(said(entry))}</b>"
                for entry in told.case.of("answered")
                if entry.about == one.id
            )
            tag = f"<span class=tag>{text(answer.by if answer else WORDS[None])}</span>"
            out.append(f"<li><span class=soft>{one.id}</span> {text(one.name)} {tag}{record}{people}</li>")
        out.append("</ul>")
    return "".join(out)


def _notes(told: Dossier) -> str:
    rows = [
        (
            f"<span class=when>{when(one.ts)}</span>",
            text(who(one)),
            text(one.act),
            text(", ".join(part for part in (*one.refs, one.about) if part)),
            text(said(one)),
        )
        for one in told.case.entries
    ]
    return f"<h2>Notes and deeds of the investigators</h2>{_rows(('time (UTC)', 'who', 'did', 'about', 'text'), rows)}"


def _trust(told: Dossier) -> str:
    out = [
        "<h2>What could not be seen, and how far this can be trusted</h2>",
        f"<p>{text(unseen(told))}</p>",
        f"<p>{text(told.holds)}</p>" if told.holds else "",
    ]
    if told.coverage.gaps:
        out.append(_rows(GAPS, [[text(short(told, cell)) for cell in row] for row in gaps(told)]))
    for log in told.case.foreign:
        seen = ", ".join(log.witnesses) or "no witness"
        out.append(
            f"<p>From {text(log.origin)}, sealed {text(log.created)}, verified under {text(log.vkey)}: {text(seen)}</p>"
        )
    out += [f"<p class=hot>{text(one)}</p>" for one in told.case.problems]
    out.append(
        "<p>This page was made from the record; it proves nothing by itself. The bundle of the case holds the events"
        " with their proofs: <code>VERIFY.md</code> in it says how to check them without Outrider.</p>"
    )
    return "".join(out)
