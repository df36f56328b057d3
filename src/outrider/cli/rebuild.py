"""``outrider rebuild``."""

from __future__ import annotations

import sys
import time

import click

from outrider.cli import reach, show

_MANY = 20_000


@click.command("rebuild")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> None:
    """Make the queryable view anew from the record. Safe at any time: the view is only ever derived.

    \b
    Example:
      outrider rebuild
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.reach import rebuilt

    began = time.perf_counter()
    view, events = rebuilt(reach.home(), progress=_say)
    took = time.perf_counter() - began
    view.close()
    if as_json:
        show.emit({"events": events, "seconds": round(took, 3)}, kind="rebuild")
        return
    click.echo(f"The view is new: {events} events in {took:.1f} s.")


def _say(size: int) -> None:
    if size >= _MANY and sys.stderr.isatty():
        show.say(f"{size} events so far")
