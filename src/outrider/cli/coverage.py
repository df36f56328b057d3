"""``outrider coverage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, hooks, hosts, reach, show, times, witnesses
from outrider.cli.finding import Finding, tell
from outrider.config import load_config
from outrider.errors import OutriderError

if TYPE_CHECKING:
    from outrider.config import Home
    from outrider.investigate.extent import Extent, Lack
    from outrider.store.view import View

_MOST = 40
_SPANS = 5


@click.command("coverage")
@click.option("--since", metavar="TIME", default="", help="Only what came after: 2026-11-23, 14:03, 90m, 7d.")
@click.option("--agent", metavar="ID", default="", help="Only this agent.")
@click.option("--diff", is_flag=True, help="Hold hosts' own transcripts against what was decided.")
@click.option("--from", "sources", metavar="HOST=PATH", multiple=True, help="With --diff: which, also otel=PATH.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, since: str, agent: str, diff: bool, sources: tuple[str, ...], as_json: bool) -> int:
    """What was covered and what was not: by host, door and agent, since when, and why.

    Exit status: 0 nothing that may have been done is missing, 3 something is.

    \b
    Examples:
      outrider coverage
      outrider coverage --since 24h
      outrider coverage --agent ag_01KB3M2Z8Q4V6X7Y9W0T1R2S3P
      outrider coverage --diff
      outrider coverage --diff --from claude=~/.claude/projects
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.extent import extent

    home = reach.home()
    opened = reach.view(home)
    start = times.moment(since) if since else 0
    if diff or sources:
        return _diff(opened, sources, start, as_json=as_json)
    told = extent(opened, since=start, agent=reach.agent_id(opened, agent) if agent else "")
    installed = [] if elsewhere.home() else _installed(home)  # another machine's record says nothing of this one
    if as_json:
        show.emit({"extent": told, "installed": installed}, kind="coverage")
    else:
        _print(told, installed)
    states = [one.state for one in told.doors] + [one.state for one in told.agents]
    return 3 if "in part" in states else 0


def _diff(opened: View, sources: tuple[str, ...], since: int, *, as_json: bool) -> int:
    from outrider.cli import coverage_diff
    from outrider.doors.registry import DOORS
    from outrider.investigate.ungoverned import compare

    told = coverage_diff.told(sources, Path.home())
    found = compare(opened, told, doors=frozenset(DOORS), since=since)
    if as_json:
        show.emit(found, kind="coverage-diff")
    else:
        coverage_diff.tell(found)
    return 3 if found.compared > found.governed or found.despite else 0


def _installed(home: Home) -> list[Finding]:
    """Return what keeps the agent hosts of this machine from asking us now; empty if nothing does."""
    try:
        return [one for one in hooks.check(home, hosts.find_claude(hosts.named(home))) if one.level != "ok"] + [
            Finding(level="bad", what=f"{one.path}: {why}", fix="`outrider init` there.")
            for one in hooks.repositories(load_config(home), None)
            for why in one.why
        ]
    except OutriderError as error:
        return [Finding(level="bad", what=str(error), fix=error.fix)]


def _print(told: Extent, installed: list[Finding]) -> None:
    show.paragraph(told.statement)
    show.paragraph(f"Assurance level: {witnesses.words(told.coverage.assurance)}.")
    show.heading("\nDoors")
    show.table(
        ["door", "agents", "living", "in part", "state", "since"],
        [
            (one.door, f"{one.agents:,}", f"{one.living:,}", f"{one.in_part:,}", one.state, show.when(one.since))
            for one in told.doors
        ],
    )
    for on, off in told.sensor[-_SPANS:]:
        show.paragraph(f"Sensor: listened from {show.when(on)} to {show.when(off) if off else 'now'} UTC.")
    rows = [("", "host", lack) for lack in told.lacks]
    rows += [(one.door, "", lack) for one in told.doors for lack in one.lacks]
    rows += [(one.agent.door, _short(one.agent.id), lack) for one in told.agents for lack in one.lacks]
    if rows:
        show.heading("\nNot covered")
        show.table(["door", "whose", "since", "what"], [_row(*row) for row in rows[:_MOST]])
        if len(rows) > _MOST:
            click.echo(f"... and {len(rows) - _MOST} more; --json lists them all.")
    for one in told.agents:
        if len(told.agents) == 1:
            seen = "heard from the kernel" if one.deeds else "not seen"
            show.facts([("agent", one.agent.id), ("calls", f"{one.calls} judged"), ("deeds", seen)])
    if installed:
        show.heading("\nNot in force now")
        tell(installed)


def _row(door: str, whose: str, lack: Lack) -> tuple[str, str, str, str]:
    answered = f", told {lack.answered}" if lack.answered else ""
    return (door[:11], whose, show.when(lack.since)[:16], f"{lack.count:,} {lack.why}{answered}"[:38])


def _short(agent: str) -> str:
    """Return the end of an agent's id, which ``--agent`` takes."""
    return agent[-9:]
