"""``outrider log``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from outrider.cli import elsewhere, reach, show

if TYPE_CHECKING:
    from outrider.store.view import View

_PAUSE = 0.2


@click.command("log")
@click.option("--agent", help="Only this agent's.")
@click.option("--kind", help="Only this kind, such as call.decided.")
@click.option("--verdict", type=click.Choice(["allow", "ask", "deny", "error"]), help="Only calls with this verdict.")
@click.option("--since", type=int, default=0, help="Only events from this index on.")
@click.option("-n", "--limit", default=30, show_default=True, help="Most events, the newest.")
@click.option("-f", "--follow", is_flag=True, help="Keep going as events come.")
@click.option("--json", "as_json", is_flag=True, help="One object; with --follow, one a line.")
@elsewhere.options
def command(*, limit: int, follow: bool, as_json: bool, **filters: Any) -> None:
    """The record, filtered.

    \b
    Examples:
      outrider log --verdict deny
      outrider log --agent ag_01KB3M2Z8Q4V6X7Y9W0T1R2S3P --follow
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    opened = reach.view()
    if filters["agent"]:
        filters["agent"] = reach.agent_id(opened, filters["agent"])
    numbers = _select(opened, filters, limit)
    _print(opened, numbers, as_json=as_json, lines=follow)
    last = opened.size
    while follow:
        time.sleep(_PAUSE)
        reach.refresh(opened)
        fresh = _select(opened, {**filters, "since": max(last, filters["since"])}, 10_000)
        _print(opened, fresh, as_json=as_json, lines=True, head=False)
        last = opened.size


def _select(opened: View, filters: dict[str, Any], limit: int) -> list[int]:
    where, values = ["n >= ?"], [filters["since"]]
    for column in ("agent", "kind", "verdict"):
        if filters[column]:
            where.append(f"{column} = ?")
            values.append(filters[column])
    sql = f"SELECT n FROM events WHERE {' AND '.join(where)} ORDER BY n DESC LIMIT ?"  # noqa: S608 - our own columns
    return sorted(int(row[0]) for row in opened.rows(sql, *values, limit))


def _print(opened: View, numbers: list[int], *, as_json: bool, lines: bool, head: bool = True) -> None:
    from outrider.investigate.words import line
    from outrider.store import reading

    if as_json:
        import msgspec

        events = list(reading.leaves(opened, numbers))
        if lines:
            for event in events:
                click.echo(msgspec.json.encode(event).decode())
        else:
            show.emit(events, kind="log")
        return
    told = [line(opened, n) for n in numbers]
    verdicts = {row.n: row.enforced for row in reading.rows(opened, numbers)}
    if head and told:
        show.heading(f"{'EVENT':>7}  {'TIME (UTC)':<19}  {'AGENT':<8}  WHAT")
    for one in told:
        word = verdicts.get(one.n, "")
        text = show.cut(f"{one.n:>7}  {show.when(one.ts)}  {one.agent[-8:] or '-':<8}  {one.what}")
        click.echo(click.style(text, fg="red") if word == "deny" else text)
