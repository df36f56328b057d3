"""``outrider quarantine``."""

from __future__ import annotations

import click

from outrider.cli import lever


@click.command("quarantine")
@lever.options
@click.option("--kill", is_flag=True, help="Also end the processes that Outrider started.")
def command(
    *,
    charter: str | None,
    sponsor: str | None,
    lineage: str | None,
    agent: str | None,
    why: str,
    dry: bool,
    as_json: bool,
    kill: bool,
) -> None:
    """Stop a whole class of agents at once, living and not yet born.

    From now on every call of theirs is refused, with the reason, and nobody of the class is born. What is running goes
    on until its next call; --kill also ends the processes that `outrider run` started. `outrider release` lifts it.

    \b
    Examples:
      outrider quarantine --charter coder --why "the build image is poisoned"
      outrider quarantine --lineage 4KQ7 --dry-run
      outrider quarantine --sponsor ada@example.com --kill
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    scope = {"charter": charter, "sponsor": sponsor, "lineage": lineage, "agent": agent}
    lever.pull("quarantine", scope, as_json=as_json, why=why, dry=dry, kill=kill)
