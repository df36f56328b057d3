"""``outrider assume``."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, reach, show, times
from outrider.errors import FOUND, UnavailableError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.assume import Answer, Checked
    from outrider.investigate.assumptions import Assumption

_MOST = 5
_COLOUR = {"held": "green", "broken": "red", "untested": "yellow"}


@click.group("assume")
def command() -> None:
    """Sentences about the agents, each with a check: held or broken, since when, with the events.

    Twelve come with Outrider; your own stand in assumptions.toml in Outrider's home, and one of the same name takes the
    place of a ready-made one.

    \b
    Examples:
      outrider assume check
      outrider assume list --toml > ~/.outrider/assumptions.toml
      outrider assume watch
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


_FILE = click.option(
    "--file", "named", type=click.Path(path_type=Path, dir_okay=False), help="Only those of this file."
)
_NAMES = click.argument("names", nargs=-1)


@command.command("check")
@_NAMES
@_FILE
@click.option("--since", metavar="TIME", default="", help="Only what came after: 2026-11-23, 14:03, 90m, 7d.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def check(*, names: tuple[str, ...], named: Path | None, since: str, as_json: bool) -> int:
    """Check assumptions over the record: all, or those of these NAMES.

    Exit status: 0 none is broken, 8 one is.
    """
    from outrider.investigate.assume import check as checked

    home = reach.home()
    wanted = _wanted(home, named, names)
    told = checked(reach.view(home), wanted, since=times.moment(since) if since else 0)
    if as_json:
        show.emit(told, kind="assume")
    else:
        _print(told)
    return FOUND if any(one.state == "broken" for one in told.checked) else 0


@command.command("watch")
@_NAMES
@_FILE
@click.option("--every", default=5.0, show_default=True, help="Seconds between two looks.")
@click.option("--rounds", default=0, help="Looks after which it ends; 0 for none.")
def watch(*, names: tuple[str, ...], named: Path | None, every: float, rounds: int) -> int:
    """Say when an assumption is broken, as it happens. Exit status 8 once one was."""
    from outrider.investigate.assume import check as checked

    home = reach.home()
    opened = reach.view(home)
    wanted = _wanted(home, named, names)
    last: dict[str, int] = {}
    done = 0
    while True:
        for one in checked(opened, wanted).checked:
            name = one.assumption.name
            if one.broken > last.get(name, 0):
                click.echo(f"{show.when(one.until)} UTC  {_state(one)}  {name}: {show.safe(one.statement)}")
                _events(one)
            last[name] = one.broken
        done += 1
        if rounds and done >= rounds:
            return FOUND if any(last.values()) else 0
        time.sleep(every)
        reach.refresh(opened, home)


@command.command("list")
@_FILE
@click.option("--toml", "as_toml", is_flag=True, help="The ready-made ones as they are written, to start from.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def listing(*, named: Path | None, as_toml: bool, as_json: bool) -> None:
    """List assumptions without checking them."""
    from outrider.investigate.assumptions import READY_MADE

    if as_toml:
        click.echo(files("outrider.investigate").joinpath(READY_MADE).read_text(), nl=False)
        return
    found = _wanted(reach.home(), named, ())
    if as_json:
        show.emit(found, kind="assumptions")
        return
    show.table(["name", "from", "that"], [(one.name, Path(one.source).name, one.that) for one in found])


def _wanted(home: Home, named: Path | None, names: tuple[str, ...]) -> list[Assumption]:
    """Return the assumptions of a file, or the ready-made ones with the home's own over them.

    Raises:
        BadInputError: A file makes no sense, or there is none of a name.
        UnavailableError: A file cannot be read.
    """
    from outrider.errors import BadInputError
    from outrider.investigate.assumptions import parse, ready_made

    own = named or home.root / "assumptions.toml"
    found = {} if named else {one.name: one for one in ready_made()}
    try:
        found |= {one.name: one for one in parse(own.read_bytes(), source=str(own))}
    except FileNotFoundError as error:
        if named:
            raise UnavailableError(f"there is no {named}") from error
    except OSError as error:
        raise UnavailableError(f"{own} cannot be read: {error.strerror}") from error
    if missing := [name for name in names if name not in found]:
        raise BadInputError(f"there is no assumption {missing[0]!r}", fix=f"There are: {', '.join(found)}.")
    return [one for name, one in found.items() if not names or name in names]


def _print(told: Answer) -> None:
    show.paragraph(told.statement)
    click.echo()
    for one in told.checked:
        since = f"since {show.when(one.since)} UTC" if one.state != "untested" else ""
        click.echo(f"{_state(one)}  {one.assumption.name}  {since}".rstrip())
        show.facts([("", one.statement)], indent=4)
        _events(one)


def _state(one: Checked) -> str:
    return click.style(one.state.ljust(8), fg=_COLOUR[one.state])


def _events(one: Checked) -> None:
    if one.state != "broken":
        return
    for event in one.events[:_MOST]:
        click.echo(show.cut(f"    event {event.n}  {show.when(event.ts)}  {event.agent[-9:]}  {event.what}"))
    left = one.broken - min(len(one.events), _MOST)
    if one.events and left > 0:
        click.echo(f"    ... and {left} more; --json lists fifty.")
