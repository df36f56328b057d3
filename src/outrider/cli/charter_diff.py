"""``outrider charter diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from outrider.charter.compare import compare
from outrider.cli import named, reach, show

if TYPE_CHECKING:
    from outrider.charter.compare import Change
    from outrider.charter.model import Charter
    from outrider.investigate.compare import Compared

_SHOWN = 3
_HEADINGS = {
    "allowed": "Becomes allowed",
    "asked": "Becomes a question to a person",
    "denied": "Becomes denied",
    "other": "What else changes",
}


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, before: str, after: str, as_json: bool) -> None:
    """Say what changes from charter A to charter B, with examples from the record.

    A and B are names of charters or files. The recorded calls of agents of either class are ruled on under both; what
    a call was decided at its time plays no part.

    \b
    Examples:
      outrider charter diff coder reviewer
      outrider charter diff coder ./coder.toml
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.daemon import shelf as files

    read = files.load(reach.home())
    lines = named.line_of(before, read), named.line_of(after, read)
    changes = compare(*lines)
    told = _examples(*lines)
    if as_json:
        sides = [
            {"name": line[0].name, "digest": line[0].digest, "given": given}
            for line, given in zip(lines, (before, after), strict=True)
        ]
        show.emit({"before": sides[0], "after": sides[1], "changes": changes, "record": told}, kind="charter-diff")
        return
    _print(changes, told)


def _examples(before: tuple[Charter, ...], after: tuple[Charter, ...]) -> Compared | None:
    """Return what the record says, or None where there is none yet."""
    from outrider.daemon.wiring import protected
    from outrider.investigate.compare import compare as replayed

    home = reach.home()
    if not home.record.exists():
        return None
    return replayed(reach.view(home), before, after, protected=protected(home))


def _print(changes: tuple[Change, ...], told: Compared | None) -> None:
    if not changes:
        click.echo("Nothing: both say the same.")
    for becomes, title in _HEADINGS.items():
        some = [one for one in changes if one.becomes == becomes]
        examples: Any = getattr(told, becomes, ()) if told is not None else ()
        if not some and not examples:
            continue
        show.heading(title)
        show.table(["section", "what"], [(f"[{one.section}]", one.text) for one in some], last_wraps=True)
        for example in examples[:_SHOWN]:
            show.facts([(f"event {example.n}", f"{example.what}: {example.was}, then {example.now}")], indent=4)
        click.echo()
    _record(told)


def _record(told: Compared | None) -> None:
    if told is None or not told.judged:
        show.say("No recorded call is of an agent of either class, so there are no examples.")
        return
    counts = ", ".join(f"{number:,} {kind}" for kind, number in told.counts.items())
    calls = "call" if told.judged == 1 else "calls"
    show.say(f"Of {told.judged:,} recorded {calls}, judged under both, these would become otherwise: {counts}.")
    if told.not_decidable:
        show.say(f"{told.not_decidable:,} more could not be judged: their agents' places were erased.")
