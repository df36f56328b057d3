"""``outrider replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import questions, reach, show
from outrider.cli.times import moment

if TYPE_CHECKING:
    from outrider.investigate.replay import Changed, Replay

_MOST = 10


@click.command("replay")
@click.option("--charter", "draft", required=True, metavar="DRAFT", help="The charter to try: a file, or a name.")
@click.option("--since", metavar="TIME", help="Only calls from then on: 7d, 14:03, 2026-11-23.")
@click.option("--bad", type=int, multiple=True, metavar="EVENT", help="A call that it is meant to stop; repeat it.")
@questions.options("replay")
def command(
    *, draft: str, since: str | None, bad: tuple[int, ...], imported: bool, as_of: str | None, explain: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """What would charter DRAFT have changed about what was recorded?

    Every recorded call of the agents that its name bounds is ruled on again; nothing runs. What was imported is ruled
    on as if the draft had bound every agent. `outrider charter diff` holds two charters against each other.

    \b
    Examples:
      outrider replay --charter draft.toml --since 7d
      outrider replay --charter coder --bad 52
      outrider replay --charter draft.toml --imported
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.cli.named import line_of
    from outrider.daemon.shelf import load
    from outrider.daemon.wiring import protected
    from outrider.investigate.replay import replay

    home = reach.home()
    one = line_of(draft, load(home))[0]
    opened = questions.view(imported=imported, as_of=as_of)
    first = 0
    if since:
        row = opened.one("SELECT min(n) FROM events WHERE ts >= ?", moment(since))
        first = int(row[0]) if row and row[0] is not None else opened.size
    told = replay(opened, one, bad=frozenset(bad), protected=protected(home), since=first)
    if as_json:
        show.emit(told, kind="replay")
        return
    _print(told)
    if explain:
        questions.explain("replay")


def _print(told: Replay) -> None:
    click.echo(show.safe(told.statement))
    show.facts(
        [("draft", f"{told.charter}  {told.digest}"), ("ruled on", f"{told.judged:,} calls, {told.per_second:,.0f}/s")]
    )
    _changed("Attacks that it would have stopped", told.stopped)
    _changed("Other calls that it would newly have refused", told.broken)
    _changed("Calls that a person would newly have been asked about", told.asked)
    _changed("Calls that it would newly have allowed", told.allowed)
    _changed("Calls that cannot be decided from what was recorded", told.not_decidable)
    if told.missed:
        click.echo(f"\nIt would still have let through: {', '.join(map(str, told.missed))}.")
    questions.covered(told.coverage)


def _changed(title: str, calls: tuple[Changed, ...]) -> None:
    if not calls:
        return
    show.heading(f"\n{title}: {len(calls):,}")
    rules: dict[str, int] = {}
    for one in calls:
        for rule in one.rules[:1] or ("",):
            rules[rule] = rules.get(rule, 0) + 1
    ordered = sorted(rules.items(), key=lambda pair: -pair[1])
    if any(rules):
        show.facts([("by rule", ", ".join(f"{rule or 'none'} {count:,}" for rule, count in ordered[:6]))])
    show.table(
        ["event", "was", "now", "what"], [(str(one.n), one.was, one.now or "?", one.what) for one in calls[:_MOST]]
    )
    if len(calls) > _MOST:
        click.echo(f"... and {len(calls) - _MOST:,} more; --json lists them all.")
