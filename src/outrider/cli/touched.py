"""``outrider touched``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import questions, reach, show

if TYPE_CHECKING:
    from outrider.investigate.touched import Thing, Touched

_MOST = 12


@click.command("touched")
@click.argument("agent")
@click.option("--lineage", is_flag=True, help="All that came from it as well.")
@questions.options("touched")
def command(
    *, agent: str, lineage: bool, imported: bool, as_of: str | None, explain: bool, as_json: bool
) -> None:  # fmt: skip
    """What did AGENT touch: sent, committed, wrote, deleted, installed, read?

    AGENT is an id, or enough of its end; `outrider agents --all` lists them.

    \b
    Examples:
      outrider touched 1R2S3P
      outrider touched 1R2S3P --lineage --json
      outrider touched 1R2S3P --as-of 14:03
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.touched import touched

    opened = questions.view(imported=imported, as_of=as_of)
    told = touched(opened, reach.agent_id(opened, agent), lineage=lineage)
    if as_json:
        show.emit(told, kind="touched")
        return
    _print(told)
    if explain:
        questions.explain("touched")


def _print(told: Touched) -> None:
    roles: dict[str, list[Thing]] = {}
    for thing in told.things:
        roles.setdefault(thing.role, []).append(thing)
    counted = ", ".join(f"{role} {len(things):,}" for role, things in roles.items())
    whose = f"{told.agent.charter} {told.agent.id}" + (
        f" and {len(told.agents) - 1:,} below it" if len(told.agents) > 1 else ""
    )
    click.echo(show.safe(f"{whose} touched {len(told.things):,} things: {counted or 'nothing'}."))
    if told.basis.statement:
        click.echo(told.basis.statement)
    if told.opaque:
        click.echo(
            f"{len(told.opaque):,} programs ran whose inner effects nobody saw: what they touched is not listed."
        )
    for role, things in roles.items():
        show.heading(f"\n{role}")
        rows = [
            (str(one.first), str(one.times), one.kind + ("" if one.happened else " (tried)"), one.value)
            for one in things[:_MOST]
        ]
        show.table(["event", "times", "kind", "what"], rows)
        if len(things) > _MOST:
            click.echo(f"... and {len(things) - _MOST:,} more; --json lists them all.")
    questions.covered(told.coverage)
