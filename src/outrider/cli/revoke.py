"""``outrider revoke``."""

from __future__ import annotations

import click

from outrider.cli import lever


@click.command("revoke")
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
    """End agents for good: whoever exists now and is reached never acts again.

    Their sessions cannot be resumed, their tokens are void, and so is whatever descends from them. By charter or
    sponsor it also keeps new ones from being born until `outrider release`.

    \b
    Examples:
      outrider revoke --agent 4KQ7 --why "it leaked a key"
      outrider revoke --charter researcher --dry-run
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    scope = {"charter": charter, "sponsor": sponsor, "lineage": lineage, "agent": agent}
    lever.pull("revoke", scope, as_json=as_json, why=why, dry=dry, kill=kill)
