"""``outrider release``."""

from __future__ import annotations

import click

from outrider.cli import lever


@click.command("release")
@lever.options
def command(
    *,
    charter: str | None,
    sponsor: str | None,
    lineage: str | None,
    agent: str | None,
    why: str,
    dry: bool,
    as_json: bool,
) -> None:
    """Lift a quarantine, the closing of a revoked class, or an observation.

    What a revocation has ended stays ended.

    \b
    Examples:
      outrider release --charter coder
      outrider release --sponsor ada@example.com --why "image rebuilt"
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    scope = {"charter": charter, "sponsor": sponsor, "lineage": lineage, "agent": agent}
    lever.pull("release", scope, as_json=as_json, why=why, dry=dry)
