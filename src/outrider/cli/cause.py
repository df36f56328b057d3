"""``outrider cause``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from outrider.cli import questions, reach, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.investigate.cause import Cause, InForce
    from outrider.investigate.highlight import Highlighted, Shown

_MOST = 5


@click.command("cause")
@click.argument("event", type=click.IntRange(0))
@click.option("--content/--no-content", default=True, help="Read what is kept of the causes (it is recorded), or not.")
@questions.options("cause")
def command(*, event: int, content: bool, imported: bool, as_of: str | None, explain: bool, as_json: bool) -> None:
    """What made an agent do EVENT: which prompt, page, file or report told it to, in which words?

    EVENT is the number of a call, of its result, or of a birth; `outrider involved` and `outrider log` show numbers.
    Where the content of a cause is kept, the words that the call acted on are marked in it: that somebody read it is
    recorded.

    \b
    Examples:
      outrider cause 52
      outrider cause 52 --no-content
      outrider cause 52 --explain
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.cli.content import kept_text
    from outrider.investigate.cause import cause
    from outrider.investigate.highlight import highlight

    opened = questions.view(imported=imported, as_of=as_of)
    told = cause(opened, event)
    marked = None
    if content:
        marked = highlight(opened, told, lambda n: kept_text(n, f"cause of event {event}"), reach.key())
        told = marked.cause
    if as_json:
        more = {"shown": marked.shown, "instruction": marked.instruction} if marked else {}
        show.emit({**msgspec.structs.asdict(told), **more}, kind="cause")
        return
    _print(told, marked)
    if explain:
        questions.explain("cause")


def _print(told: Cause, marked: Highlighted | None) -> None:
    click.echo(show.safe(told.statement))
    show.facts([("asked about", f"event {told.call.n}, {show.when(told.call.ts)} UTC: {told.call.what}")])
    if told.ranked:
        show.heading("\nWhat may have caused it, the likeliest first")
        rows = [
            (str(one.event.n), f"{one.score:.2f}", one.confidence, "told it to" if one.orders else "held values",
             " > ".join(map(str, one.path)), one.event.what + (" (a person's word)" if one.trusted else ""))
            for one in told.ranked[:_MOST]
        ]  # fmt: skip
        show.table(["event", "score", "by", "as", "way", "what"], rows)
        places = [(f"event {one.event.n}", one.place.words) for one in told.ranked[:_MOST] if one.place]
        if places:
            show.heading("\nWhere in the host's own transcript")
            show.facts(places)
    if marked:
        _words(marked.shown)
    questions.lines("Where the data came from that it carried", told.data)
    if told.in_force is not None:
        _in_force(told.in_force, marked.instruction if marked else None)
    questions.covered(told.coverage)


def _words(contents: Sequence[Shown]) -> None:
    """Show the words of the causes, or say why they cannot be shown: once for all that lack them for one reason."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for one in contents:
        where = f"event {one.of}" + (f", told in event {one.event}" if one.event != one.of else "")
        if one.state != "shown":
            lacking.setdefault((one.state, one.why), []).append(where)
            continue
        show.heading(f"\nThe words of {where}")
        if not one.spans:
            show.facts([("", "It was read, and none of what the call acted on stands in it as it is kept.")], indent=0)
        for piece in one.excerpts:
            marks = [(span.at - piece.at, span.end - piece.at, span.by == "act") for span in piece.spans]
            show.marked(piece.line, piece.text, marks)
    for (state, why), events in lacking.items():
        show.heading(f"\nThe words of {'; '.join(events)}: {state}")
        show.facts([("", f"{why}.")], indent=0)


def _in_force(held: InForce, instruction: Shown | None) -> None:
    show.heading("\nIn force at that moment")
    rows = [
        ("charter", f"{held.charter}  {held.digest}".strip()),
        ("model", held.model or "not told by the host"),
        ("sent to it", f"event {held.request.n}: {held.request.what}" if held.request else "not recorded"),
        ("instruction", f"event {held.prompt.n}: {held.prompt.what}" if held.prompt else "none recorded"),
        *_instruction(held, instruction),
        ("credentials", "; ".join(one.what for one in held.credentials) or "none lent"),
        ("labels", ", ".join(held.labels) or "none"),
    ]
    show.facts(rows)


def _instruction(held: InForce, shown: Shown | None) -> list[tuple[str, str]]:
    """Return what is known of an instruction's words: its first line, or the commitment to them and why no more."""
    if shown is not None and shown.state == "shown" and shown.excerpts:
        return [("", f'"{shown.excerpts[0].text}"')]
    if not held.prompt:
        return []
    if held.prompt_place:
        return [("", f"in the transcript: {held.prompt_place.words}")]
    lacking = f"; its words: {shown.state} ({shown.why})" if shown is not None else ""
    return [("", f"committed to as {held.prompt_committed[:16]}...{lacking}")]
