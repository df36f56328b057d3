"""``outrider cause``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import questions, show

if TYPE_CHECKING:
    from outrider.investigate.cause import Cause, InForce

_MOST = 5


@click.command("cause")
@click.argument("event", type=click.IntRange(0))
@questions.options("cause")
def command(*, event: int, imported: bool, as_of: str | None, explain: bool, as_json: bool) -> None:
    """What made an agent do EVENT: which prompt, page, file or report told it to?

    EVENT is the number of a call, of its result, or of a birth; `outrider involved` and `outrider log` show numbers.

    \b
    Examples:
      outrider cause 52
      outrider cause 52 --explain
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.cause import cause

    told = cause(questions.view(imported=imported, as_of=as_of), event)
    if as_json:
        show.emit(told, kind="cause")
        return
    _print(told)
    if explain:
        questions.explain("cause")


def _print(told: Cause) -> None:
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
    questions.lines("Where the data came from that it carried", told.data)
    if told.in_force is not None:
        _in_force(told.in_force)
    questions.covered(told.coverage)


def _in_force(held: InForce) -> None:
    show.heading("\nIn force at that moment")
    rows = [
        ("charter", f"{held.charter}  {held.digest}".strip()),
        ("model", held.model or "not told by the host"),
        ("instruction", f"event {held.prompt.n}: {held.prompt.what}" if held.prompt else "none recorded"),
        ("credentials", "; ".join(one.what for one in held.credentials) or "none lent"),
        ("labels", ", ".join(held.labels) or "none"),
    ]
    show.facts(rows)
