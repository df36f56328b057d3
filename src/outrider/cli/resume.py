"""``outrider resume``."""

from __future__ import annotations

import click

from outrider.cli import reach, show


@click.command("resume")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> None:
    """Enforce again, before a pause ends by itself.

    \b
    Example:
      outrider resume
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    answer = reach.daemon({"do": "resume"})
    if as_json:
        show.emit(answer, kind="resume")
        return
    show.say(f"Enforcing again, recorded as event {answer['event']}.")
