"""``outrider lineage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, reach, show

if TYPE_CHECKING:
    from outrider.store.reading import Agent


@click.command("lineage")
@click.argument("agent")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, agent: str, as_json: bool) -> None:
    """Where an agent comes from, and what came from it.

    AGENT is an id, or enough of its end.

    \b
    Example:
      outrider lineage ag_01KB3M2Z8Q4V6X7Y9W0T1R2S3P
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.store import reading

    opened = reach.view()
    identifier = reach.agent_id(opened, agent)
    above = reading.ancestors(opened, identifier)
    root = above[-1].id if above else identifier
    family = [one for one in (reading.agent(opened, root), *reading.descendants(opened, root)) if one is not None]
    if as_json:
        show.emit({"agent": identifier, "root": root, "family": family}, kind="lineage")
        return
    children: dict[str, list[Agent]] = {}
    for one in family:
        children.setdefault(one.parent, []).append(one)
    head = family[0]
    show.heading(f"{head.sponsor_name or head.sponsor or 'nobody'} sponsors")
    _tree(head, children, identifier, "", "")


def _tree(one: Agent, children: dict[str, list[Agent]], marked: str, lead: str, branch: str) -> None:
    state = one.ended_how or "alive"
    text = show.safe(f"{lead}{branch}{one.id}  {one.charter}  {state}")
    click.echo(click.style(text, bold=True) if one.id == marked else text)
    below = children.get(one.id, [])
    deeper = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    for position, child in enumerate(below):
        _tree(child, children, marked, deeper, "└─ " if position == len(below) - 1 else "├─ ")
