"""``outrider charter drift``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, named, reach, show

if TYPE_CHECKING:
    from outrider.investigate.suggest import Tried

_SHOWN = 15


@click.command("drift")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, name: str, as_json: bool) -> None:
    """Declared against used: what NAME allows and nobody used, what it denies and everybody tries.

    `outrider charter suggest NAME` makes a narrower charter of it.

    \b
    Example:
      outrider charter drift coder
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.daemon import shelf
    from outrider.daemon.wiring import protected
    from outrider.investigate.drift import drift

    home = reach.home()
    line = named.line_of(name, shelf.load(home))
    told = drift(reach.view(home), line, protected=protected(home))
    if as_json:
        show.emit(told, kind="charter-drift")
        return
    show.paragraph(told.statement)
    if told.unused and told.calls:
        show.heading("\nAllowed, and nobody used it")
        show.table(["verb", "pattern"], [(verb, text) for verb, some in told.unused.items() for text in some])
    for title, some in (("Refused, and everybody tries", told.everybody), ("Refused, and some tried", told.some)):
        if some:
            show.heading(f"\n{title}")
            show.table(["agents", "calls", "verb", "what"], [_row(one) for one in some[:_SHOWN]])
            if len(some) > _SHOWN:
                click.echo(f"... and {len(some) - _SHOWN} more; --json lists them all.")


def _row(one: Tried) -> tuple[str, str, str, str]:
    return (f"{one.agents:,}", f"{one.calls:,}", one.verb, f"{one.value}  ({one.rule})")
