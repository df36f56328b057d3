"""``outrider fsck``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show
from outrider.config import load_config
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.fsck.check import Checked, Claim
    from outrider.ledger.verify import Demand

_COLOURS = {"whole": "green", "rebuildable": "yellow", "lost": "red", "unchecked": "yellow", "absent": "bright_black"}
_SAID = {
    "whole": "Everything is as it was written.",
    "rebuildable": "The record is whole. What follows from it is not, and can be made again.",
    "lost": "Something is lost, or is not what was written.",
    "unchecked": "What was looked at is whole; not everything could be looked at.",
    "absent": "There is nothing here.",
}
_CODES = {"whole": 0, "absent": 0, "rebuildable": 1, "unchecked": 3, "lost": 6}


@click.command("fsck")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> int:
    """Recompute everything that is kept from its bytes, and say what is whole, what can be rebuilt and what is lost.

    The journal, what lies beside its leaves, the checkpoint, tiles, cosignatures, keys, the saved state, and the view,
    which is made anew and compared row for row. Nothing is changed, and the daemon may run.

    Exit status: 0 whole, 1 something can be rebuilt, 3 something could not be looked at, 6 something is lost.

    \b
    Example:
      outrider fsck
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.fsck.check import check

    home = reach.home()
    began = time.perf_counter()
    told = check(home, demand=_demand(home), claims=_claims(home), progress=_Bar())
    if as_json:
        show.emit(told, kind="fsck")
        return _CODES[told.state]
    _print(told, time.perf_counter() - began)
    return _CODES[told.state]


def _print(told: Checked, took: float) -> None:
    click.echo(click.style(_SAID[told.state], fg=_COLOURS[told.state]))
    rows = []
    for part in told.parts:
        count = f"{part.checked} {part.of}" if part.checked else ""
        rows.append((part.name, part.state, count, part.note))
    show.table(["part", "state", "looked at", ""], rows, last_wraps=True)
    for part in told.parts:
        for one in part.found:
            click.echo(f"  {click.style(part.name, fg=_COLOURS[part.state])}  {show.safe(one.what)}")
        for fix in dict.fromkeys(one.fix for one in part.found if one.fix):
            click.echo(f"      to have it back: {show.safe(fix)}")
    show.say(f"{told.events} events in {took:.1f} s")


def _demand(home: Home) -> Demand | None:
    """Return what the witnesses of the configuration must have said; None where there are none."""
    from outrider.ledger.verify import Demand
    from outrider.ledger.verify.policy import parse_policy

    settings = load_config(home).witnesses
    if not settings.policy:
        return None
    try:
        return Demand(parse_policy(Path(settings.policy).read_bytes()), int(time.time()), settings.age)
    except OSError as error:
        raise BadInputError(f"{settings.policy} cannot be read: {error.strerror}") from error


def _claims(home: Home) -> list[Claim]:
    """Return what the saved state says that it was made of; nothing where there is none."""
    import msgspec

    from outrider.daemon.chores import SNAPSHOT
    from outrider.gate.state import State
    from outrider.investigate.fsck.check import Claim

    path, fix = home.record / SNAPSHOT, "outrider down, then outrider up: it is folded from the record"
    try:
        _, size, root = State.load(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        return [Claim("snapshot", 0, "", fix, f"it cannot be read: {error}")]
    return [Claim("snapshot", size, root.hex(), fix)]


class _Bar:
    """Says how far it is, on a terminal only."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, part: str, done: int) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            show.say(f"{part}: {done} events so far")
