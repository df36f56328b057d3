"""``outrider erase``."""

from __future__ import annotations

import sys
from typing import Any

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError


@click.command("erase")
@click.option("--subject", help="Everything of the agents that this person or team answers for: a name, or p_...")
@click.option("--agent", help="Everything of one agent; its id, or the end of it.")
@click.option("--event", "events", multiple=True, type=click.IntRange(0), help="The content of one event; repeatable.")
@click.option("--basis", default="", help="Why, and on whose demand; it is recorded.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would go.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(
    *, subject: str | None, agent: str | None, events: tuple[int, ...], basis: str, dry: bool, yes: bool, as_json: bool
) -> None:
    """Make kept content, salts and names unreadable for good.

    The keys are destroyed, so copies of the files are noise without the keys that were copied with them. The record
    stays whole: every proof holds, and what was touched, decided and likely caused is still answered, from
    fingerprints. There is no way back.

    \b
    Examples:
      outrider erase --subject ada@example.org --basis "her request" --dry-run
      outrider erase --event 4711 --basis "a customer's letter"
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if sum((subject is not None, agent is not None, bool(events))) != 1:
        raise BadInputError("an erasure is of one subject, one agent, or events", fix="Say one of them.")
    request: dict[str, Any] = {"do": "erase", "basis": basis, "dry": True}
    if agent is not None:
        opened = reach.view()
        name = reach.agent_id(opened, agent)
        (born,) = opened.rows("SELECT n FROM agents WHERE id = ?", name)[0]
        request |= {"agent": name, "born": born}
    request |= {"subject": subject} if subject is not None else {"events": events} if events else {}
    would = reach.daemon(request, seconds=60)
    if not dry and not yes:
        _confirm(would, basis)
    told = would if dry else reach.daemon({**request, "dry": False}, seconds=600)
    if as_json:
        show.emit(told, kind="erase")
        return
    if dry:
        click.echo(f"It would erase {_words(told)}. Nothing was done.")
        for name in told["living"]:
            click.echo(f"  {name} still lives; it must have ended first")
    else:
        show.say(f"Erased: {_words(told)}. Recorded as event {told['event']}.")
        show.say("Fingerprints stay, so causes are still traced, with less confidence. Backups keep what they had.")


def _confirm(would: dict[str, Any], basis: str) -> None:
    if not basis.strip():
        raise BadInputError("an erasure needs its basis", fix='Say it: --basis "her request of 3 May".')
    if not sys.stdin.isatty():
        raise BadInputError("nobody is there to be asked whether to erase", fix="Say --yes, or --dry-run to look.")
    if not click.confirm(f"Erase {_words(would)}? There is no way back.", err=True):
        raise click.Abort


def _words(told: dict[str, Any]) -> str:
    number = int(told["contents"])
    what = f"{number} {'content' if number == 1 else 'contents'} ({int(told['size']):,} bytes encrypted)"
    if told["handle"]:
        return f"{what}, the names and the key of {told['what']} {told['handle']}"
    return f"{what} of event {', '.join(str(n) for n in told['events'])}"
