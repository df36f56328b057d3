"""``outrider agents``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, reach, show
from outrider.errors import OutriderError

if TYPE_CHECKING:
    from outrider.store.reading import Agent


@click.command("agents")
@click.option("--all", "everyone", is_flag=True, help="The gone as well as the living.")
@click.option("--gone", is_flag=True, help="Only the gone.")
@click.option("--charter", help="Only those of this charter.")
@click.option("--limit", default=50, show_default=True, help="Most agents, the youngest first.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, everyone: bool, gone: bool, charter: str | None, limit: int, as_json: bool) -> None:
    """Agents, living and gone.

    \b
    Examples:
      outrider agents
      outrider agents --all --charter coder
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.store import reading

    opened = reach.view()
    living = None if everyone else not gone
    found = reading.agents(opened, living=living, limit=1_000_000 if charter else limit)
    if charter:
        found = [one for one in found if one.charter == charter][:limit]
    if as_json:
        show.emit(found, kind="agents")
        return
    if not found:
        show.say("No agent is alive. `outrider agents --all` shows those that are gone.")
        return
    outgrown = _outgrown()
    show.table(
        ["agent", "charter", "born", "state", "sponsor"],
        [
            (one.id, one.charter, show.when(one.born_ts), one.ended_how or _state(one, outgrown), _sponsor(one))
            for one in found
        ],
    )


def _sponsor(one: Agent) -> str:
    return one.sponsor_name or one.sponsor


def _state(one: Agent, outgrown: frozenset[str]) -> str:
    state = "alive" if one.mode == "enforce" else "alive, observed"
    return f"{state}, older sandbox" if one.id in outgrown else state


def _outgrown() -> frozenset[str]:
    """Return the agents whose sandbox is of an older version of their charter, as far as a daemon says."""
    try:
        running = reach.status(reach.home())
    except OutriderError:
        return frozenset()
    return frozenset((running or {}).get("outgrown", ()))
