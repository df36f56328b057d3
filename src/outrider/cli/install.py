"""``outrider install``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import init, person, reach, sensor_unit, show, system
from outrider.config import Home
from outrider.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from outrider.config import Mode


@click.command("install")
@click.option("--system", "whole", is_flag=True, help="For this machine, with a user of its own.")
@click.option("--user", "users", metavar="NAME", multiple=True, help="Whose agents are judged. May be given again.")
@click.option("--charter", default="developer", show_default=True, help="The charter of agents in their homes.")
@click.option("--enforce", "mode", flag_value="enforce", help="Refuse what the charter refuses.")
@click.option("--observe", "mode", flag_value="observe", help="Preview: record, refuse nothing. [default]")
@click.option("--sensor", is_flag=True, help="The sensor as well: what only hooks know of is heard too.")
@click.option("--dry-run", is_flag=True, help="Show every step and text; do nothing.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Write below DIR, as for an image.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    *,
    whole: bool,
    users: tuple[str, ...],
    charter: str,
    mode: Mode | None,
    sensor: bool,
    dry_run: bool,
    root: Path | None,
    yes: bool,
) -> None:
    """Set Outrider up for a whole machine, so that agents cannot touch the record.

    The daemon runs as the user `outrider`, the record and its keys are that user's, and the hooks stand in the hosts'
    managed settings. For yourself alone, `outrider init` is enough.

    \b
    Examples:
      outrider install --system --user ada --dry-run
      sudo outrider install --system --user ada --user bob --charter developer
      sudo outrider install --system --user ada --sensor
      sudo outrider uninstall --system
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if not whole:
        raise BadInputError(
            "install is for whole machines", fix="`outrider init` for yourself, or --system with --user NAME."
        )
    if not users:
        raise BadInputError("whose agents are to be judged is not said", fix="Add --user NAME for each user.")
    wanted = system.Wanted(users=users, charter=_known(charter), mode=mode or "observe")
    homes = dict(system.homes(users))
    steps = (*system.steps(wanted, homes), *(sensor_unit.steps(users) if sensor else ()))
    _tell(steps, texts=dry_run)
    for problem in (loose := system.loose(users)):
        show.say(click.style(f"NOT OUT OF REACH: {show.safe(problem)}.", fg="red", bold=True))
    if dry_run:
        return
    _allowed(loose, root)
    if not init.agreed(yes=yes, question="Do this?"):
        show.say("Nothing was changed.")
        return
    for step in steps:
        system.do(step, root or Path("/"))
    _after(users, root)


def _known(charter: str) -> str:
    from outrider.daemon import shelf

    names = shelf.load(Home(system.HOME.root)).shelf.names
    if charter not in names:
        raise BadInputError(f"there is no charter {charter!r}", fix=f"There are: {', '.join(sorted(names))}.")
    return charter


def _allowed(loose: list[str], root: Path | None) -> None:
    """Refuse what would not hold.

    Raises:
        RefusedError: Who asks may not, or agents could replace the program.
    """
    person.required(reach.home())
    if os.geteuid() != 0 and root is None:
        raise RefusedError("only root can install for a machine", fix="`sudo outrider install --system ...`")
    if not system.native():
        raise RefusedError(
            "there is no native hook client to put out of users' reach",
            fix="Install a C compiler, then Outrider again: it builds one.",
        )
    if loose and root is None:
        raise RefusedError(
            "those whose agents are judged could replace Outrider's program",
            fix="Install Outrider where only root writes, such as `sudo pipx install --global outrider`.",
        )


def _tell(steps: tuple[system.Step, ...], *, texts: bool) -> None:
    for step in steps:
        click.echo(f"{show.safe(step.told)}  # {step.why}")
        if texts and step.does == "file":
            click.echo("".join(f"    | {line}\n" for line in step.text.splitlines()), nl=False)


def _after(users: tuple[str, ...], root: Path | None) -> None:
    if root is not None:
        show.say(f"Written below {show.safe(str(root))}. In the image, run the lines that begin with `run`.")
        return
    show.say(f"Installed. The agents of {show.safe(', '.join(users))} are judged from their next session on.")
    show.say(f"Look with: sudo OUTRIDER_HOME={system.HOME.root} outrider status")
    if not sensor_unit.UNIT.exists():
        show.say("What their agents' processes do can be heard in the kernel too: install again with --sensor.")
    show.say("Hooks that these users wrote with `outrider init` still ask daemons of their own: `outrider uninstall`.")
