"""``outrider blast``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import questions, reach, show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.investigate.blast import Blast
    from outrider.investigate.touched import Thing
    from outrider.store.view import View

_MOST = 10


@click.command("blast")
@click.argument("start", metavar="EVENT|AGENT|CONTENT")
@questions.options("blast")
def command(*, start: str, imported: bool, as_of: str | None, explain: bool, as_json: bool) -> None:
    """What else is affected by an event, an agent, or content that agents met?

    An event is named by its number, an agent by its id or enough of its end, content by anything that `outrider
    involved` takes: then the first event that met it is where it starts.

    \b
    Examples:
      outrider blast 17
      outrider blast 1R2S3P
      outrider blast https://blog.example/howto
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.blast import blast

    opened = questions.view(imported=imported, as_of=as_of)
    told = blast(opened, _start(opened, start))
    if as_json:
        show.emit(told, kind="blast")
        return
    _print(told)
    if explain:
        questions.explain("blast")


def _start(opened: View, text: str) -> int | str:
    if text.isascii() and text.isdigit() and len(text) < 12:
        return int(text)
    try:
        return reach.agent_id(opened, text)
    except BadInputError:
        from outrider.investigate.involved import involved

        found = involved(opened, text, key=reach.key())
        first = min((one.n for agent in found.agents for one in agent.evidence), default=-1)
        if first < 0:
            raise BadInputError(
                f"nothing that was seen is or met {text!r}: {found.statement}",
                fix="Name an event by its number, an agent by its id, or something that agents met.",
            ) from None
        return first


def _print(told: Blast) -> None:
    click.echo(show.safe(told.statement))
    show.facts([("from", f"event {told.start.n}, {show.when(told.start.ts)} UTC: {told.start.what}")])
    _things("Change these credentials", told.credentials)
    _things("Hosts that were reached", told.hosts)
    _things("Review these commits, pushes and packages", told.commits)
    _things("Files that were changed", told.files)
    show.heading("\nAgents that came under it")
    rows = [(str(one.since), one.agent.id, one.agent.charter, one.by, one.confidence) for one in told.agents[:_MOST]]
    show.table(["from event", "agent", "charter", "by", "how sure"], rows)
    _more(len(told.agents))
    if told.met:
        show.heading("\nWho met the same content or place")
        show.table(
            ["event", "agent", "role", "what"],
            [(str(one.n), one.agent, one.role, f"{one.what} {one.value}") for one in told.met[:_MOST]],
        )
        _more(len(told.met))
    if told.truncated:
        click.echo("A limit was reached: there may be more.")
    questions.covered(told.coverage)


def _things(title: str, things: tuple[Thing, ...]) -> None:
    if not things:
        return
    show.heading(f"\n{title}")
    rows = [
        (str(one.first), one.role + ("" if one.happened else " (tried)"), one.kind, one.value) for one in things[:_MOST]
    ]
    show.table(["event", "role", "kind", "what"], rows)
    _more(len(things))


def _more(count: int) -> None:
    if count > _MOST:
        click.echo(f"... and {count - _MOST:,} more; --json lists them all.")
