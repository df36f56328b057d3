"""``outrider demo``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from outrider.cli import show

if TYPE_CHECKING:
    from outrider.demo.play import Played

_FIELDS = ("truth", "answers", "verify", "replay", "stolen", "seconds", "story", "case")


@click.command("demo")
@click.option("--agents", default=500, show_default=True, type=click.IntRange(6, 20_000), help="How many agents live.")
@click.option("--seed", default=1, show_default=True, help="Seed of the story.")
@click.option(
    "--case", "case", type=click.Path(path_type=Path), help="Folder to leave. [default: ./outrider-case-TIME]"
)
@click.option("--dir", "under", type=click.Path(path_type=Path), help="Where to play. [default: the user's cache]")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, agents: int, seed: int, case: Path | None, under: Path | None, as_json: bool) -> int:
    """Play the flagship story, and answer for it.

    Hundreds of real, short-lived processes of six charters run and exit, their homes are deleted, and one of them
    leaked a key. From the leaked domain alone, and from one commit alone, Outrider says who, why, and what else. In the
    end somebody who stole the record's key forges it, and a witness shows that.

    The agents are scripted programs, not models. Everything runs on this machine; nothing leaves it.

    \b
    Examples:
      outrider demo
      outrider demo --agents 100 --seed 7 --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.demo.play import play
    from outrider.demo.tell import tell

    # The players write both into their own files, where only a whole path has a meaning.
    under = under.absolute() if under else None
    place = case.absolute() if case else Path.cwd() / time.strftime("outrider-case-%Y%m%d-%H%M%S")
    if place.exists():
        raise click.UsageError(f"{place} is already there; choose another --case")
    with _Bar(agents, quiet=as_json) as bar:
        played = play(agents, seed, case=place, under=under, progress=bar.at)
    if as_json:
        import msgspec

        data = msgspec.json.encode({name: getattr(played, name) for name in _FIELDS})
        click.echo(msgspec.json.format(data, indent=2).decode())
    else:
        tell(played)
    return 0 if _right(played) else 1


def _right(played: Played) -> bool:
    keys = ("agent", "charter", "charter_digest", "parent", "root", "sponsor", "cause_event", "artefacts")
    agree = all(told.get(key) == played.truth[key] for told in played.answers.values() for key in keys)
    caught = played.stolen["honest"]["ok"] and not played.stolen["policy"]["ok"]
    return agree and caught and played.verify["ok"] and not sum(played.verify["missing"].values())


class _Bar:
    """A progress bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._tty = sys.stderr.isatty()
        self._quiet = quiet and not self._tty
        self._said = -1

    def __enter__(self) -> Self:
        if self._tty:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._progress.start()
            self._task = self._progress.add_task("agents that lived and are gone", total=self._total)
        return self

    def __exit__(self, *_: object) -> None:
        if self._tty:
            self._progress.stop()

    def at(self, done: int) -> None:
        """Show how many agents are done."""
        if self._tty:
            self._progress.update(self._task, completed=done)
        elif not self._quiet and done * 10 // self._total != self._said:
            self._said = done * 10 // self._total
            show.say(f"{done} of {self._total} agents have lived and are gone")
