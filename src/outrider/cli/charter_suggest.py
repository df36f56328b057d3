"""``outrider charter suggest``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import named, reach, show
from outrider.cli.toml import listed, quoted
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outrider.investigate.suggest import Suggestion

_SHOWN = 12


@click.command("suggest")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, name: str, as_json: bool) -> None:
    """Suggest the narrowest charter that would have allowed what agents of NAME really did.

    It is made from the record, printed as TOML and put nowhere; it extends NAME, so that it can only narrow. Comments
    below it say what NAME permits and nobody used, and what it refused and agents tried.

    \b
    Examples:
      outrider charter suggest coder
      outrider charter suggest coder > coder-narrow.toml
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.daemon import shelf
    from outrider.daemon.wiring import protected
    from outrider.investigate.suggest import suggest

    home = reach.home()
    line = named.line_of(name, shelf.load(home))
    told = suggest(reach.view(home), line, protected=protected(home))
    if not told.calls:
        fix = "`outrider charter list` names the charters, `outrider agents --all` the agents."
        raise BadInputError(f"the record holds no call that an agent of {line[0].name} made", fix=fix)
    text = "\n".join(toml_of(told)) + "\n"
    if as_json:
        show.emit({**_plain(told), "toml": text}, kind="charter-suggestion")
        return
    click.echo(text, nl=False)
    if told.left_out:
        show.say(
            f"{told.left_out:,} of the {told.calls:,} calls would not be allowed by it: no narrow pattern fits them."
        )
    if told.not_decidable:
        show.say(f"{told.not_decidable:,} calls could not be used: their agents' places were erased.")


def _plain(told: Suggestion) -> dict[str, object]:
    import msgspec

    return {name: getattr(told, name) for name in msgspec.structs.asdict(told)}


def toml_of(told: Suggestion) -> Iterator[str]:
    """Yield the lines of a charter's file. What agents wrote stands in quoted texts and in escaped comments only."""
    own = told.charter
    yield f"# Made from {told.calls:,} calls of {told.agents:,} agents; the busiest made {told.most_calls:,}."
    yield "[charter]"
    for key in ("name", "extends", "description"):
        yield f"{key} = {quoted(getattr(own, key))}"
    yield ""
    yield "[may]"
    for verb, patterns in own.may.items():
        yield from listed(verb, patterns)
    extends = own.extends
    if told.unused:
        yield ""
        yield f"# Permitted by {extends}, and nobody used it:"
        for verb, patterns in told.unused.items():
            yield f"#   {verb} {', '.join(show.safe(one) for one in patterns)}"
    if told.tried:
        yield ""
        yield f"# Refused under {extends}, or asked about, and tried all the same:"
        for one in told.tried[:_SHOWN]:
            whose = f"{one.agents:,} of {told.agents:,} agents in {one.calls:,} calls"
            yield f"#   {one.verb} {show.safe(one.value)}: {whose} ({show.safe(one.rule)})"
        if len(told.tried) > _SHOWN:
            yield f"#   and {len(told.tried) - _SHOWN:,} more: --json has them all"
