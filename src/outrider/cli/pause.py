"""``outrider pause``."""

from __future__ import annotations

import click

from outrider.cli import lever, reach, show


@click.command("pause")
@click.argument("duration")
@click.option("--why", required=True, help="The reason; it is recorded.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, duration: str, why: str, as_json: bool) -> None:
    """Stop enforcing for DURATION (10m, 1h, at most 24h), with a reason.

    Calls are still judged and recorded, and what the floor protects (hosts' settings, Outrider itself) stays refused.
    Refused from inside an agent's process tree.

    \b
    Example:
      outrider pause 10m --why "migrating the build by hand"
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    answer = reach.daemon({"do": "pause", "us": lever.micros(duration), "why": why})
    if as_json:
        show.emit(answer, kind="pause")
        return
    show.say(f"Paused until {show.when(answer['until'])} UTC, recorded as event {answer['event']}.")
    show.say("`outrider resume` ends it early.")
