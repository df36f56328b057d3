"""Asking a record that lies elsewhere: a copy from a machine that is gone, a backup, what a story left behind."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from outrider.cli import show
from outrider.config import Home
from outrider.errors import BadInputError, TamperedError

if TYPE_CHECKING:
    from collections.abc import Callable

_ASKED: Final = "outrider.elsewhere"
_BESIDE: Final = ("record", "keys", "content", "charters", "imported")
"""What of a home answers questions. Its socket and configuration are of the machine that it was on."""


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that asks the options ``--record`` and ``--unverified``; :func:`home` says what they chose."""
    for option in (
        click.option(
            "--unverified", is_flag=True, expose_value=False, is_eager=True, callback=_unverified,
            help="With --record: ask it although it does not verify.",
        ),
        click.option(
            "--record", metavar="DIR", type=click.Path(path_type=Path), expose_value=False, callback=_chosen,
            help="Ask the record in this folder: a copy, or a backup.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def home() -> Home | None:
    """Return the home that the running command was told to ask, None where it was told of none."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_ASKED) if context else None


def _unverified(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    context.meta[f"{_ASKED}.unverified"] = value


def _chosen(context: click.Context, _: click.Parameter, named: Path | None) -> None:
    if named is None:
        if context.meta.get(f"{_ASKED}.unverified"):
            raise BadInputError("--unverified says nothing without --record", fix="Name the folder of the record.")
        return
    found = _parts(named.absolute())
    _trusted(context, named, found["record"])
    # The folder may be read-only, evidence or both: the view that is asked is made in a place of its own, and no more.
    place = Path(tempfile.mkdtemp(prefix="outrider-elsewhere-"))
    context.find_root().call_on_close(lambda: shutil.rmtree(place, ignore_errors=True))
    for name, path in found.items():
        (place / name).symlink_to(path)
    context.meta[_ASKED] = Home(place)


def _parts(named: Path) -> dict[str, Path]:
    """Return what is to be asked, by name: a record alone, or the home or backup whose record it is.

    Raises:
        BadInputError: There is no record.
    """
    try:
        if (named / "record").is_dir():
            return {name: named / name for name in _BESIDE if (named / name).is_dir()}
        if (named / "journal").is_dir() or (named / "pack").is_dir():
            return {"record": named}
    except OSError as error:
        raise BadInputError(f"{named} cannot be read: {error.strerror}") from error
    fix = "Name a folder that holds record/, or a record itself; `outrider verify FILE` reads a sealed bundle."
    raise BadInputError(f"there is no record in {named}", fix=fix)


def _trusted(context: click.Context, named: Path, record: Path) -> None:
    """Say whose record it is, and go on only if it verifies or the user said that it need not.

    Raises:
        TamperedError: It does not verify.
    """
    from outrider.ledger.verify import verify

    report = verify(record)
    whose = f"{show.safe(report.origin)}, {report.events:,} events"
    if report.ok:
        show.say(f"Asked: {show.safe(str(named))} ({whose}); it verifies with its own key, which proves no more.")
        return
    first = show.safe(str(report.problems[0])) if report.problems else "no more is known"
    if not context.meta[f"{_ASKED}.unverified"]:
        raise TamperedError(
            f"{named} does not verify: {first}",
            fix=f"`outrider verify --record {record}` lists what is wrong; --unverified asks it all the same.",
        )
    show.say(f"Asked: {show.safe(str(named))} ({whose}). IT DOES NOT VERIFY: {first}")
