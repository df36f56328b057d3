"""``outrider rebuild``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show
from outrider.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

_MANY = 20_000


@click.command("rebuild")
@click.option("--tiles", is_flag=True, help="Throw the record's tiles away instead; they are made again where wanted.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, tiles: bool, as_json: bool) -> None:
    """Make the queryable view anew from the record. Safe at any time: the view is only ever derived.

    \b
    Examples:
      outrider rebuild
      outrider rebuild --tiles
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.reach import rebuilt

    if tiles:
        _forget_tiles(reach.home().record, as_json=as_json)
        return
    began = time.perf_counter()
    view, events = rebuilt(reach.home(), progress=_say)
    took = time.perf_counter() - began
    view.close()
    if as_json:
        show.emit({"events": events, "seconds": round(took, 3)}, kind="rebuild")
        return
    click.echo(f"The view is new: {events} events in {took:.1f} s.")


def _forget_tiles(record: Path, *, as_json: bool) -> None:
    """Remove the tiles of a record: its writer makes one again from the journal when a proof wants it."""
    import shutil

    there = (record / "tile").is_dir()
    try:
        if there:
            shutil.rmtree(record / "tile")
    except OSError as error:
        raise RecordError(f"the tiles at {record} cannot be removed: {error.strerror}") from error
    if as_json:
        show.emit({"tiles": "removed" if there else "none"}, kind="rebuild")
        return
    click.echo("The tiles are gone; each is made again from the journal when it is wanted." if there else "No tiles.")


def _say(size: int) -> None:
    if size >= _MANY and sys.stderr.isatty():
        show.say(f"{size} events so far")
