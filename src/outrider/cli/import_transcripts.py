"""``outrider import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.gate.imports import Imported

_MOST = 8


@click.command("import")
@click.argument("host", metavar="HOST")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, host: str, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read what HOST itself wrote down of its agents, so that questions can be asked of it.

    HOST is claude, codex, gemini, copilot, cursor, opencode, qwen or cline. PATHS are transcripts, or folders that are
    searched for them. Nothing need have been installed when they were written.

    What they tell is kept in a record of its own, marked as imported and not witnessed; ask with --imported. Importing
    again takes what is new.

    \b
    Examples:
      outrider import claude ~/.claude/projects
      outrider import codex ~/.codex/sessions
      outrider import opencode ~/.local/share/opencode/opencode.db
      outrider involved evil.example --imported
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.daemon.imports import imports
    from outrider.transcripts.registry import FORMATS

    form = FORMATS.get(host)
    if form is None:
        raise BadInputError(f"transcripts of {host!r} cannot be read", fix=f"One of: {', '.join(FORMATS)}.")
    done = imports(reach.home(), form, paths, _progress)
    if sys.stderr.isatty():
        show.say("")
    if as_json:
        show.emit(done, kind="import")
    else:
        _print(done)


def _progress(done: Imported) -> None:
    if sys.stderr.isatty():
        click.echo(f"\rreading: {done.transcripts} transcripts, {done.steps} steps", err=True, nl=False)


def _print(done: Imported) -> None:
    click.echo(
        f"Read {show.many(done.transcripts, 'transcript')}: {done.steps:,} prompts, calls and results"
        f" of {show.many(done.agents, 'agent')}."
        " Imported, not witnessed."
    )
    if done.known:
        click.echo(f"{done.known:,} had been read before and have not changed.")
    if done.unread:
        click.echo(f"{show.many(done.unread, 'line')} could not be read or understood.")
    if done.doubts:
        click.echo(
            f"{show.many(done.doubts, 'place')} not fitting together: lines may have been taken out, put in or changed."
        )
    for reason in done.reasons[:_MOST]:
        click.echo(f"  {show.safe(reason)}")
    left = len(done.reasons) - _MOST
    if left > 0:
        click.echo(f"  and {left} more; --json lists them.")
