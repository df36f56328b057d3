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
@click.option(
    "--record",
    "newer",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A newer copy of the record: put back, and its erasures with it.",
)
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, directory: Path, policy: Path | None, newer: Path | None, as_json: bool) -> None:
    """Put the backup in DIRECTORY back into a home that has no record. It is verified first, and overwrites nothing.

    A backup that holds less than a witness has seen is refused: events that somebody vouched for would be gone. Where
    no witness is asked, that is said.

    A backup that holds content and keys brings back what was erased after it was made, and cannot know of it. With
    --record, a newer copy of record/ is put back instead of the backup's own, and what its events say was erased is
    erased from the backup's content before anybody can read it.

    Exit status: 6 if it does not verify or a witness has seen more.

    \b
    Examples:
      outrider restore /mnt/backup/outrider-20261127 --policy witnesses.policy
      outrider restore /mnt/backup/outrider-20261127 --record /mnt/copy/record
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    import msgspec

    from outrider.cli.verify import asked
    from outrider.ledger.backup import restore
    from outrider.ledger.verify.policy import parse_policy

    source, seen = directory.absolute(), []
    if policy is not None:
        try:
            seen = asked(newer or source / "record", None, parse_policy(policy.read_bytes()))
        except OSError as error:
            raise BadInputError(f"{policy} cannot be read: {error.strerror}") from error
    done = restore(source, reach.home(), seen=seen, newer=newer.absolute() if newer else None)
    told = done.backup
    if as_json:
        said = {"events": done.events, "erased": done.erased, "asked": policy is not None}
        show.emit({**msgspec.to_builtins(told), **said}, kind="restore")
        return
    after = "What came after this backup is not in it." if newer is None else "The record is the newer one."
    click.echo(f"{done.events} events are back, verified. {after}")
    if done.erased is not None:
        click.echo(f"{done.erased} contents that were erased after the backup are erased again.")
    elif told.content and told.keys:
        show.say(
            "Content that was erased after this backup can be read again, and nothing here knows of it: neither the "
            "record that is back nor `outrider verify`. Erase it again (`outrider erase`), or restore with --record."
        )
    if policy is None:
        show.say("No witness was asked: --policy would show whether this is an older state than somebody vouched for.")
    if not told.keys:
        show.say("The backup holds no keys: put keys/ back from where you keep it before the daemon starts.")
