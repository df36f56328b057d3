"""``outrider pause``."""

from __future__ import annotations

import re

import click

from outrider.cli import reach, show

_UNIT = {"s": 1, "m": 60, "h": 3600}


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
    match = re.fullmatch(r"(\d{1,6})([smh])", duration)
    if match is None:
        raise click.BadParameter("write a number and s, m or h, such as 10m", param_hint="DURATION")
    answer = reach.daemon({"do": "pause", "us": int(match[1]) * _UNIT[match[2]] * 1_000_000, "why": why})
    if as_json:
        show.emit(answer, kind="pause")
        return
    show.say(f"Paused until {show.when(answer['until'])} UTC, recorded as event {answer['event']}.")
    show.say("`outrider resume` ends it early.")
