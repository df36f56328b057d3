"""``outrider case new``, ``list``, ``show``, ``add``, ``note``, ``question`` and ``close``."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outrider.cli import export, person, reach, show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.answering import Found
    from outrider.investigate.case import Entry
    from outrider.investigate.dossier import Dossier
    from outrider.investigate.questions import Part
    from outrider.store.view import View

_MOST = 25
_DIGITS = 4
_NOTES = 10
"""Notes and conclusions that are shown on a terminal, the last ones; the report has all."""


def write(at: Home, case: str, act: str, *, text: str = "", **more: Any) -> int:
    """Write an entry of a case and return its event; a secret in its text is taken out first.

    Raises:
        RefusedError: An agent asks.
    """
    from outrider.daemon.casework import note
    from outrider.detect.redact import redact
    from outrider.investigate.casefile import CaseFile

    request: dict[str, Any] = {"case": case, "act": act, **more}
    if text.strip():
        promise = CaseFile(at, case).put(redact(text.strip(), reach.key(at)))
        request["content"] = {"c": promise.c, "size": promise.size}
    return note(at, request)


def opened_case(at: Home, text: str) -> tuple[View, str]:
    """Return the view and the id of the case that ``text`` names."""
    from outrider.investigate.case import named

    opened = reach.view(at)
    return opened, named(opened, text)


def dossier_of(opened: View, at: Home, case: str) -> Dossier:
    """Return what is known of a case, in the record and, where it seeks something there, in what was imported."""
    from outrider.investigate.case import load
    from outrider.investigate.dossier import dossier
    from outrider.investigate.whole import whole

    told = load(opened, at, case)
    imported = reach.view(at, imported=True) if told.transcribed and at.imported.record.is_dir() else None
    return dossier(
        opened, told, key=reach.key(at), imported=imported, whole=whole(at, opened.size), contact=reach.contact()
    )


def _refs(opened: View, events: str | None, *, imported: bool = False) -> list[str]:
    found = export.numbers(events or "")
    beyond = [n for n in found if n >= opened.size]
    if beyond:
        raise BadInputError(f"there is no event {beyond[0]}: the record holds {opened.size}")
    return [f"imported#{n}" if imported else str(n) for n in found]


def _told(as_json: bool, case: str, event: int, sentence: str) -> None:  # noqa: FBT001 - an option's value
    if as_json:
        show.emit({"case": case, "event": event}, kind="case")
    else:
        show.say(sentence)


@click.command("new")
@click.argument("title")
@click.option("--artefact", "artefacts", multiple=True, help="What was found: a path, domain, commit, ...")
@click.option("--imported", is_flag=True, help="Seek it in what `outrider import` read; nobody witnessed that.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def new_command(*, title: str, artefacts: tuple[str, ...], imported: bool, as_json: bool) -> None:
    """Open a case: give it a title, and what was found.

    Without --artefact it is empty, and `outrider case add` says later what it is about.

    \b
    Examples:
      outrider case new "key seen at evil.example" --artefact evil.example
      outrider case new "who wrote this?" --artefact src/app.py --artefact 9f1c2ab
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    at = reach.home()
    person.required(at)
    if imported:
        reach.has_imports(at)
    case = f"case-{secrets.token_hex(6)}"
    event = write(at, case, "opened", text=title)
    for one in artefacts:
        write(at, case, "added", text=one, about="imported" if imported else "")
    _told(as_json, case, event, f"Opened {case}, event {event}. `outrider case show {case[5:]}` says what is known.")
    if not as_json:
        click.echo(case)


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def list_command(*, as_json: bool) -> None:
    """List the cases of this record.

    \b
    Example:
      outrider case list --json
    """  # noqa: D301
    from outrider.investigate.case import ids, load
    from outrider.investigate.telling import when

    at = reach.home()
    opened = reach.view(at)
    cases = [load(opened, at, one) for one in ids(opened)]
    if as_json:
        show.emit([{"id": c.id, "title": c.title, "opened": c.opened, "closed": c.closed} for c in cases], kind="cases")
        return
    if not cases:
        show.say('There is no case. `outrider case new "what happened" --artefact evil.example` opens one.')
        return
    show.table(
        ["case", "opened (UTC)", "state", "title"],
        [(c.id, when(c.opened), "closed" if c.closed else "open", c.title) for c in cases],
    )


@click.command("show")
@click.argument("case", required=False, default="")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as one HTML page.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write it as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def show_command(*, case: str, html: Path | None, markdown: Path | None, as_json: bool) -> None:
    """What a case amounts to: who, why, what else, and what to do now.

    CASE is an id, or enough of its end; where there is one case only, it need not be said.

    \b
    Examples:
      outrider case show
      outrider case show 7f3a91c2d401
      outrider case show 7f3a91c2d401 --html report.html --markdown report.md
    """  # noqa: D301
    at = reach.home()
    opened, name = opened_case(at, case)
    told = dossier_of(opened, at, name)
    if html is not None:
        from outrider.investigate.report import page

        _save(html, page(told))
    if markdown is not None:
        from outrider.investigate.markdown import markdown as rendered

        _save(markdown, rendered(told))
    if as_json:
        show.emit(told, kind="case")
    elif html is None and markdown is None:
        _print(told)


def _save(path: Path, page: str) -> None:
    import os

    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(page)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
    show.say(f"Wrote {path}.")


def _print(told: Dossier) -> None:
    from outrider.investigate.answering import findings, standing
    from outrider.investigate.glance import glance
    from outrider.investigate.questions import questions
    from outrider.investigate.telling import banner, brief, said, summary, when, who
    from outrider.investigate.words import tail

    people = {one.sponsor: one.sponsor_name for one in told.agents if one.sponsor and one.sponsor_name}
    show.heading(show.safe(told.case.title))
    state = f"closed {when(told.case.closed)} UTC" if told.case.closed else "open"
    click.echo(f"{told.case.id}, opened {when(told.case.opened)} UTC, {state}\n")
    if shown := banner(told):
        show.prose(shown)
        click.echo()
    show.facts((name, _named(text, people)) for name, text in glance(told))
    click.echo()
    for one in summary(told):
        show.prose(_named(one, people))
    show.heading("\nWhat to do")
    for number, step in enumerate(told.todo, 1):
        show.prose(f"{number:>2}. {'Now: ' if step.urgent else ''}{_named(step.do, people)}")
        if step.command:
            click.echo(f"      {show.safe(step.command)}")
    show.heading("\nWhat happened")
    lines = [
        (str(m.line.n), when(m.line.ts), tail(m.line.agent), m.why, brief(told, m.line.what)) for m in told.moments
    ]
    imported = told.imported.moments if told.imported is not None else ()
    lines += [(f"imported {m.line.n}", when(m.line.ts), tail(m.line.agent), m.why, m.line.what) for m in imported]
    show.table(["event", "time (UTC)", "agent", "", "what"], lines[:_MOST])
    if len(lines) + told.more > _MOST:
        click.echo(f"... and {len(lines) + told.more - _MOST} more; --html FILE writes the whole report.")
    show.heading("\nQuestions")
    found = findings(told)
    for question in questions():
        answer = found.get(question.id)
        click.echo(f"{question.id}  {question.name}")
        concluded = [entry for entry in told.case.of("answered") if entry.about == question.id]
        rows = [(f"{who(entry)}, {when(entry.ts)} UTC", said(entry)) for entry in concluded]
        rows += [(answer.by, answer.text)] if answer else [] if concluded else [("to find out", question.ask)]
        for name, text in rows:
            click.echo(show.safe(f"       {name}: {text}"))
    show.prose(standing(told, found))
    _notes(told)


def _named(text: str, people: dict[str, str]) -> str:
    """Return a text with the names behind pseudonyms, for this terminal alone: no report and no bundle has them."""
    for pseudonym, name in people.items():
        text = text.replace(pseudonym, f"{name} ({pseudonym})")
    return text


def _notes(told: Dossier) -> None:
    """Show what people wrote down, and whose other records the case rests on."""
    from outrider.investigate.telling import said, when, who

    notes = [entry for entry in told.case.entries if entry.act in {"noted", "closed"}]
    if notes:
        show.heading("\nNotes")
        rows = [(when(entry.ts), who(entry), entry.act, said(entry)) for entry in notes[-_NOTES:]]
        show.table(["time (UTC)", "who", "", "text"], rows, last_wraps=True)
    for log in told.case.foreign:
        show.prose(
            f"From {log.origin}, verified under its key: {len(log.entries)} entries and {len(log.events)} events, which"
            " the report lists apart (--html FILE)."
        )
    for problem in told.case.problems:
        show.say(f"outrider: {show.safe(problem)}")


@click.command("add")
@click.argument("case")
@click.option("--artefact", "artefacts", multiple=True, help="What was found: a path, domain, commit, ...")
@click.option("--agent", "agents", multiple=True, help="An agent; its id, or the end of it.")
@click.option("--event", "--events", "events", help="Events by number: 41,52-60. They are pinned to the case.")
@click.option("--why", default="", help="Why they matter.")
@click.option("--imported", is_flag=True, help="They are of what `outrider import` read; nobody witnessed that.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def add_command(
    *,
    case: str,
    artefacts: tuple[str, ...],
    agents: tuple[str, ...],
    events: str | None,
    why: str,
    imported: bool,
    as_json: bool,
) -> None:
    """Add to a case: an artefact, an agent or events.

    \b
    Examples:
      outrider case add 7f3a91c2d401 --artefact evil.example
      outrider case add 7f3a91c2d401 --agent 1R2S3P --why "it was started by the same person"
      outrider case add 7f3a91c2d401 --event 41,52-60
    """  # noqa: D301
    at = reach.home()
    person.required(at)
    opened, name = opened_case(at, case)
    asked = reach.view(at, imported=True) if imported else opened
    refs = _refs(asked, events, imported=imported)
    mark = "imported" if imported else ""
    named = [f"imported#{one}" if imported else one for one in (reach.agent_id(asked, two) for two in agents)]
    if not (artefacts or named or refs):
        raise BadInputError("nothing was named to be added", fix="Say --artefact, --agent or --event.")
    event = -1
    for artefact in artefacts:
        event = write(at, name, "added", text=artefact, about=mark)
    for agent in named:
        event = write(at, name, "added", about=agent)
    if refs:
        event = write(at, name, "added", refs=refs, about=mark)
    if why:
        event = write(at, name, "noted", text=why, refs=refs)
    _told(as_json, name, event, f"Added to {name}, event {event}.")


@click.command("note")
@click.argument("case")
@click.argument("text")
@click.option("--event", "--events", "events", help="Events that it is about: 41,52-60.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def note_command(*, case: str, text: str, events: str | None, as_json: bool) -> None:
    """Write something down. A note is an event: it can be added to, and not taken back.

    \b
    Example:
      outrider case note 7f3a91c2d401 "the owner of the key was called" --event 41
    """  # noqa: D301
    at = reach.home()
    person.required(at)
    opened, name = opened_case(at, case)
    event = write(at, name, "noted", text=_needed(text), refs=_refs(opened, events))
    _told(as_json, name, event, f"Noted in {name}, event {event}.")


def _needed(text: str) -> str:
    if not text.strip():
        raise BadInputError("nothing was written", fix="Say it between quotes.")
    return text


@click.command("question")
@click.argument("case")
@click.argument("question", required=False)
@click.argument("conclusion", required=False)
@click.option("--event", "--events", "events", help="Events that the conclusion rests on: 41,52-60.")
@click.option("--dfiq", type=click.Path(path_type=Path, file_okay=False), help="Write the questions as DFIQ files.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def question_command(
    *, case: str, question: str | None, conclusion: str | None, events: str | None, dfiq: Path | None, as_json: bool
) -> None:
    """Show the questions of a case, or write down what you conclude.

    Questions have DFIQ ids (Q0003, or 3 for short). Without QUESTION all are shown, with what the record itself says
    and what people concluded.

    \b
    Examples:
      outrider case question 7f3a91c2d401
      outrider case question 7f3a91c2d401 Q0003
      outrider case question 7f3a91c2d401 Q0003 "a planted page did" --event 41
      outrider case question 7f3a91c2d401 --dfiq questions/
    """  # noqa: D301
    from outrider.investigate.answering import findings
    from outrider.investigate.questions import questions, sources
    from outrider.investigate.telling import said, who

    at = reach.home()
    opened, name = opened_case(at, case)
    if dfiq is not None:
        dfiq.mkdir(parents=True, exist_ok=True)
        for file, text in sources().items():
            (dfiq / file).write_text(text, encoding="utf-8")
        show.say(f"Wrote {len(sources())} DFIQ files to {dfiq}.")
        return
    known = {one.id: one for one in questions()}
    short = (question or "").upper().removeprefix("Q")
    question = f"Q{int(short):04d}" if short.isascii() and short.isdigit() and len(short) <= _DIGITS else question
    if question is not None and question not in known:
        raise BadInputError(f"there is no question {question!r}", fix=f"There are {', '.join(known)}.")
    if question is not None and conclusion is not None:
        person.required(at)
        event = write(at, name, "answered", about=question, text=_needed(conclusion), refs=_refs(opened, events))
        _told(as_json, name, event, f"Concluded in {name}, event {event}.")
        return
    told = dossier_of(opened, at, name)
    found = findings(told)
    shown = [known[question]] if question else list(known.values())
    answers = {one.id: [entry for entry in told.case.of("answered") if entry.about == one.id] for one in shown}
    if as_json:
        data = [_answer(one, found.get(one.id), answers[one.id]) for one in shown]
        show.emit(data, kind="questions")
        return
    for one in shown:
        show.heading(f"{one.id}  {one.name}")
        answer = found.get(one.id)
        rows = [("the record", answer.text), ("", answer.by)] if answer else [("ask", one.ask)]
        show.facts([*rows, *((who(entry), said(entry)) for entry in answers[one.id])])


def _answer(question: Part, found: Found | None, conclusions: list[Entry]) -> dict[str, Any]:
    return {
        "question": question,
        "record": found.text if found else "",
        "how": found.how if found else "",
        "events": found.events if found else (),
        "conclusions": conclusions,
    }


@click.command("close")
@click.argument("case")
@click.argument("conclusion")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def close_command(*, case: str, conclusion: str, as_json: bool) -> None:
    """Close a case with what came out of it. It can still be shown, added to and exported.

    \b
    Example:
      outrider case close 7f3a91c2d401 "a planted page; the key was changed"
    """  # noqa: D301
    at = reach.home()
    person.required(at)
    _, name = opened_case(at, case)
    event = write(at, name, "closed", text=_needed(conclusion))
    _told(as_json, name, event, f"Closed {name}, event {event}.")
