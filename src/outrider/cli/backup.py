"""``outrider backup``."""

from __future__ import annotations

from pathlib import Path

import click

from outrider.cli import reach, show


@click.command("backup")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--keys", is_flag=True, help="Private keys too: whoever reads the backup can then sign and read all.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, directory: Path, keys: bool, as_json: bool) -> None:
    """Copy the record, charters and content to a new DIRECTORY, and verify the copy. The daemon may run meanwhile.

    Without --keys nobody can go on signing from the copy, and content in it cannot be read. With them, content that
    is erased later stays readable in the copy.

    \b
    Examples:
      outrider backup /mnt/backup/outrider-20261127
      outrider backup /mnt/safe/outrider-20261127 --keys
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    import msgspec

    from outrider.ledger.backup import back_up

    made = back_up(reach.home(), directory.absolute(), keys=keys)
    if as_json:
        show.emit(msgspec.to_builtins(made), kind="backup")
        return
    click.echo(f"{made.events} events, verified, in {show.safe(str(directory))}; the checkpoint covers {made.sealed}.")
    click.echo(f"  {made.size / 2**20:.1f} MB; keys {'are in it: keep it as safe' if keys else 'are not in it'}.")
