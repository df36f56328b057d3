"""``outrider resume``."""

from __future__ import annotations

import click

from outrider.cli import reach, show


@click.command("resume")
def command() -> None:
    """Enforce again, before a pause ends by itself.

    \b
    Example:
      outrider resume
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    answer = reach.daemon({"do": "resume"})
    show.say(f"Enforcing again, recorded as event {answer['event']}.")
