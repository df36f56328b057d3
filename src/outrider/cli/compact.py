"""``outrider compact``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show

if TYPE_CHECKING:
    from outrider.ledger.compact import Compacted


@click.command("compact")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be packed.")
@click.option("--imported", is_flag=True, help="The record of what was imported, rather than of what was witnessed.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, dry: bool, imported: bool, as_json: bool) -> int:
    """Pack closed segments of the record's journal: nothing is lost, and everything goes on reading them.

    A segment is unlinked only when its pack is on disk and unpacked to the same bytes. `zstd -d` makes a pack into the
    segment again. The daemon may run; a compaction that is cut off is taken up by the next. A damaged segment is left
    as it is.

    Exit status: 5 if a segment is damaged or the disk refuses.

    \b
    Examples:
      outrider compact --dry-run
      outrider compact
      nice outrider compact --json        # from cron or a systemd timer
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.ledger.compact import compact, look

    home = reach.home()
    record = (home.imported if imported else home).record
    told = look(record) if dry else compact(record, progress=_Bar())
    if as_json:
        import msgspec

        show.emit(msgspec.to_builtins(told), kind="compact")
    else:
        _print(told)
    return 5 if told.left else 0


def _print(told: Compacted) -> None:
    what = f"{told.segments} {'segment' if told.segments == 1 else 'segments'} ({told.events} events)"
    if told.dry:
        click.echo(f"It would pack {what} of {_mb(told.before)}. Nothing was done.")
    elif told.segments:
        click.echo(f"Packed {what}: {_mb(told.before)} became {_mb(told.after)}.")
    elif not told.left:
        click.echo("Nothing to pack: the segment that is being written stays as it is.")
    if told.already:
        show.say(f"{told.already} {'was' if told.already == 1 else 'were'} packed before.")
    for one in told.left:
        click.echo(f"The segment that begins with event {one.first} was left as it is: {show.safe(one.why)}.")
    if told.left:
        show.say("`outrider verify` tells what is wrong; do not delete anything.")


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MB"


class _Bar:
    """Says how far it is, on a terminal only."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 1.0

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next = time.monotonic() + 1.0
            show.say(f"{done} of {of} segments so far")
