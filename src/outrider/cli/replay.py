"""``outrider replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import questions, reach, show
from outrider.cli.times import moment

if TYPE_CHECKING:
    from outrider.charter.model import Charter
    from outrider.investigate.rejudge import Rejudged
    from outrider.investigate.replay import Changed, Replay
    from outrider.store.view import View

_MOST = 10


@click.command("replay")
@click.option("--charter", "draft", required=True, metavar="DRAFT", help="The charter to try: a file, or a name.")
@click.option("--since", metavar="TIME", help="Only calls from then on: 7d, 14:03, 2026-11-23.")
@click.option("--bad", type=int, multiple=True, metavar="EVENT", help="A call that it is meant to stop; repeat it.")
@click.option("--rejudge", is_flag=True, help="Parse and detect again from the content that is kept of each call.")
@questions.options("replay")
def command(
    *, draft: str, since: str | None, bad: tuple[int, ...], rejudge: bool, imported: bool, as_of: str | None,
    explain: bool, as_json: bool,
) -> None:  # fmt: skip
    """What would charter DRAFT have changed about what was recorded?

    Every recorded call of the agents that its name bounds is ruled on again; nothing runs. What was imported is ruled
    on as if the draft had bound every agent. `outrider charter diff` holds two charters against each other.

    With --rejudge, today's parsers and detectors read each call again from its kept arguments, at a rate of their own;
    calls whose content is gone are counted with the reason. That contents are read is recorded, once.

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
    if rejudge:
        _rejudge(opened, one, frozenset(bad), first, as_json=as_json, imported=imported)
        if explain and not as_json:
            questions.explain("rejudge")
        return
    told = replay(opened, one, bad=frozenset(bad), protected=protected(home), since=first)
    if as_json:
        show.emit(told, kind="replay")
        return
    _print(told)
    if explain:
        questions.explain("replay")


def _rejudge(view: View, draft: Charter, bad: frozenset[int], since: int, *, as_json: bool, imported: bool) -> None:
    """Judge again, once it is recorded that contents are read, and show what came of it."""
    from contextlib import ExitStack

    from outrider.daemon.wiring import protected
    from outrider.effects import Place
    from outrider.gate.rejudging import read_again
    from outrider.investigate.rejudge import rejudge
    from outrider.ledger.content.contents import Content, Contents

    home, key = reach.home(), reach.key()
    row = view.one("SELECT c.n FROM contents c JOIN events e ON e.n = c.n WHERE c.n >= ? AND c.erased IS NULL"
                   " AND e.kind = 'call.decided' ORDER BY c.n LIMIT 1", since)  # fmt: skip
    with ExitStack() as stack:
        kept: Contents | None = None
        if row and not imported:
            reach.daemon(
                {"do": "content", "of": row[0], "why": f"replay --rejudge of all from event {since} on"}, seconds=60
            )
            kept = stack.enter_context(Contents(home.content, home.content_key))

        def opened(n: int) -> Content | None:
            return kept.read(n) if kept is not None else None

        told = rejudge(
            view, draft, opened=opened, bad=bad, protected=protected(home), since=since,
            again=lambda call, args, agent, chain, taken: read_again(
                call, args, Place(home=agent.home, repo=agent.repo, cwd=agent.cwd), chain, key, redacted=taken
            ),
        )  # fmt: skip
    if as_json:
        show.emit(told, kind="rejudged")
        return
    _again(told)


def _again(told: Rejudged) -> None:
    click.echo(show.safe(told.statement))
    _rest(told.replay, "read and ruled on again")
    if told.lacking:
        show.heading("\nCould not be judged again")
        lacking = [(f"{one.count:,}", str(one.reason), str(one.first)) for one in told.lacking]
        show.table(["calls", "why", "the first"], lacking)
    if told.examples:
        show.heading(f"\nSeen otherwise than when they were judged: {told.otherwise:,}")
        rows = [(str(one.n), ", ".join((*one.findings, *one.effects))) for one in told.examples[:_MOST]]
        show.table(["event", "new, or gone (-)"], rows)


def _print(told: Replay) -> None:
    click.echo(show.safe(told.statement))
    _rest(told, "ruled on")


def _rest(told: Replay, done: str) -> None:
    show.facts(
        [("draft", f"{told.charter}  {told.digest}"), (done, f"{told.judged:,} calls, {told.per_second:,.0f}/s")]
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
