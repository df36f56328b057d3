"""``outrider restore``."""

from __future__ import annotations

from pathlib import Path

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError


@click.command("restore")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ask the witnesses in this file (c2sp.org/tlog-policy) what they have seen.",
)
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, directory: Path, policy: Path | None, as_json: bool) -> None:
    """Put the backup in DIRECTORY back into a home that has no record. It is verified first, and overwrites nothing.

    A backup that holds less than a witness has seen is refused: events that somebody vouched for would be gone. Where
    no witness is asked, that is said.

    Exit status: 6 if it does not verify or a witness has seen more.

    \b
    Examples:
      outrider restore /mnt/backup/outrider-20261127 --policy witnesses.policy
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    import msgspec

    from outrider.cli.verify import asked
    from outrider.ledger.backup import restore
    from outrider.ledger.verify.policy import parse_policy

    source, seen = directory.absolute(), []
    if policy is not None:
        try:
            seen = asked(source / "record", None, parse_policy(policy.read_bytes()))
        except OSError as error:
            raise BadInputError(f"{policy} cannot be read: {error.strerror}") from error
    told = restore(source, reach.home(), seen=seen)
    if as_json:
        show.emit({**msgspec.to_builtins(told), "asked": policy is not None}, kind="restore")
        return
    click.echo(f"{told.events} events are back, verified. What came after this backup is not in it.")
    if policy is None:
        show.say("No witness was asked: --policy would show whether this is an older state than somebody vouched for.")
    if not told.keys:
        show.say("The backup holds no keys: put keys/ back from where you keep it before the daemon starts.")
