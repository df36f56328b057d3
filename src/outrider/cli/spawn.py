"""``outrider spawn``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outrider.cli import lever, reach, show
from outrider.errors import BadInputError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("spawn", context_settings={"ignore_unknown_options": True})
@click.option("--charter", help="Agent class of the child; the agent's own charter must let it start that class.")
@click.option("--only", multiple=True, metavar="VERB=PATTERN", help="All that it may do of a verb. May be repeated.")
@click.option("--no", "without", multiple=True, metavar="VERB", help="A verb that it may not use at all.")
@click.option("--for", "lasts", help="How long it lives, such as 10m; at most as long as its parent.")
@click.option("--calls", type=click.IntRange(min=0), help="Calls that it may make.")
@click.option("--spawns", type=click.IntRange(min=0), help="Children that it may start.")
@click.option("--purpose", default="", help="What it is for; recorded.")
@click.option("--token", metavar="FILE", help="Become the child that the token in FILE (- for stdin) names.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout; without a COMMAND.")
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def command(
    *,
    charter: str | None,
    only: tuple[str, ...],
    without: tuple[str, ...],
    lasts: str | None,
    calls: int | None,
    spawns: int | None,
    purpose: str,
    token: str | None,
    as_json: bool,
    command_line: tuple[str, ...],
) -> None:
    """Make a child of the agent that runs this, which may do less and never more.

    With a COMMAND it becomes the child: born first, then the command runs in its place. Without one it prints a token
    that makes the child wherever it is shown, once.

    \b
    Examples:
      outrider spawn --charter reviewer --no connect -- claude -p "review"
      outrider spawn --charter reviewer --no write --for 10m > child.token
      outrider spawn --token child.token -- python review.py
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if (charter is None) == (token is None):
        raise BadInputError("a child has a charter or a token that names one", fix="Say --charter or --token.")
    wanted: dict[str, Any] = {"may": narrowed(only, without), "purpose": purpose}
    wanted |= {name: value for name, value in (("calls", calls), ("spawns", spawns)) if value is not None}
    micros = lever.micros(lasts) if lasts else 0
    if token is not None:
        _run(_by_token(token, command_line), command_line)
    elif command_line:
        born = reach.daemon({"do": "spawn", "charter": charter, "us": micros, "cwd": str(Path.cwd()), **wanted})
        _run(born, command_line)
    else:
        _print_token(str(charter), micros, wanted, as_json=as_json)


def narrowed(only: Sequence[str], without: Sequence[str]) -> dict[str, list[str]]:
    """Return verb to patterns, from ``read=repo/**`` and from verbs alone.

    Raises:
        BadInputError: A word is neither.
    """
    found: dict[str, list[str]] = {verb: [] for verb in without}
    for word in only:
        match = re.fullmatch(r"([a-z_]+)=(.+)", word)
        if match is None:
            raise BadInputError(f"{word!r} is not VERB=PATTERN", fix="For example: --only 'read=repo/docs/**'.")
        found.setdefault(match[1], []).append(match[2])
    return found


def _by_token(place: str, command_line: Sequence[str]) -> dict[str, Any]:
    if not command_line:
        raise BadInputError("a token makes a process a child, and there is none", fix="Add -- and a COMMAND.")
    text = sys.stdin.read() if place == "-" else _read(Path(place))
    return reach.daemon({"do": "spawn", "token": text.strip(), "cwd": str(Path.cwd())})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise BadInputError(f"the token {path} cannot be read: {error}") from error


def _print_token(charter: str, micros: int, wanted: dict[str, Any], *, as_json: bool) -> None:
    from outrider import sdk

    mine = str(reach.daemon({"do": "token"})["token"])
    text = sdk.narrow(mine, charter, seconds=micros // 1_000_000, **wanted)
    if as_json:
        show.emit({"token": text, "charter": charter}, kind="spawn")
    else:
        click.echo(text)


def _run(born: dict[str, Any], command_line: Sequence[str]) -> None:
    """Become the command. The process stays the same, and so does the child that was born in it."""
    show.say(f"outrider: agent {born['agent']} ({born['charter']}), child of {born['parent']}")
    os.environ["OUTRIDER_AGENT"] = str(born["agent"])
    os.environ["OUTRIDER_CHARTER"] = str(born["charter"])
    try:
        os.execvp(command_line[0], list(command_line))  # noqa: S606 - it is what was asked for
    except OSError as error:
        raise UnavailableError(f"{command_line[0]} cannot be run: {error.strerror}") from error
