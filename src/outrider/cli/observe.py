"""``outrider observe``."""

from __future__ import annotations

import click

from outrider.cli import lever


@click.command("observe")
@lever.options
@click.option("--for", "lasts", required=True, help="How long, such as 30m; at most 24h.")
def command(
    *,
    charter: str | None,
    sponsor: str | None,
    lineage: str | None,
    agent: str | None,
    why: str,
    dry: bool,
    as_json: bool,
    lasts: str,
) -> None:
    """Only watch a class of agents for a stated time: refusals are recorded and the calls go on.

    Never loosened are the floor (hosts' settings, Outrider itself), every [never], the end of a life, and what an
    ancestor enforces.

    \b
    Examples:
      outrider observe --charter coder --for 30m --why "a release is stuck"
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    scope = {"charter": charter, "sponsor": sponsor, "lineage": lineage, "agent": agent}
    lever.pull("observe", scope, as_json=as_json, why=why, dry=dry, us=lever.micros(lasts))
