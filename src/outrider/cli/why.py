"""``outrider why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import elsewhere, reach, show

if TYPE_CHECKING:
    from outrider.events.deeds import Deeds
    from outrider.investigate.why import Why


@click.command("why")
@click.argument("event", type=click.IntRange(0))
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, event: int, as_json: bool) -> None:
    """One decision explained: what, which rules, which labels from where, and what would allow it.

    \b
    Example:
      outrider why 42
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.why import why

    told = why(reach.view(), event, contact=reach.contact())
    if as_json:
        show.emit(told, kind="why")
        return
    _print(told)


def _print(told: Why) -> None:
    click.echo(show.cut(f"Event {told.event.n}, {show.when(told.event.ts)} UTC: {told.event.what}"))
    if told.agent is not None:
        agent = told.agent
        show.facts([("agent", agent.id), ("charter", agent.charter), ("sponsor", agent.sponsor_name or agent.sponsor)])
    rows = (("ask", told.contact), ("content", told.content))
    show.facts((name, text) for name, text in rows if text)
    _decision(told)
    _evidence(told)
    if told.corrects is not None or told.corrected is not None:
        show.heading("\nAdvice")
        pairs = (("corrects", told.corrects), ("corrected by", told.corrected))
        show.facts((name, f"event {one.n}: {one.what}") for name, one in pairs if one is not None)
    if told.asked is not None:
        show.heading("\nWhat a person was asked")
        said = [("answer", f"event {one.n}, {show.when(one.ts)} UTC: {one.what}") for one in told.answers]
        over = told.agent is not None and told.agent.ended_n is not None
        none = "none; its agent has ended, and that is a no" if over else "none so far; without one it is a no"
        show.facts([("question", str(told.asked.n)), *(said or [("answer", none)])])
    if told.charters:
        show.heading("\nRules in force")
        show.facts(dict.fromkeys((charter.name, charter.digest) for charter in told.charters))
    if told.unlock:
        show.heading("\nWhat would allow it")
        for text in told.unlock:
            click.echo(f"  {show.safe(text)}")
    if told.before:
        show.heading("\nBefore it")
        for one in told.before:
            click.echo(show.cut(f"  {one.n:>6}  {one.what}"))


_BASIS = {
    "call": "told by event {call}",
    "shell": "the shell of a call",
    "launch": "the launch",
    "hook": "Outrider's hook or tool",
    "host": "the host's own upkeep",
    "nothing": "nothing was told",
    "none": "NO CALL TOLD OF IT",
}


def _deeds(deeds: Deeds, *, whole: bool) -> None:
    span = f"from {show.when(deeds.since)} to {show.when(deeds.until)} UTC"
    calls = f"; {deeds.told} calls had been told" if whole else ""
    click.echo(f"\nWhat its processes asked the kernel for, {span}{calls}.")
    show.heading("\nPrograms")
    show.table(
        ["times", "program", "under", "explained by"],
        [(str(one.count), one.program, one.under, _BASIS[one.basis].format(call=one.call)) for one in deeds.ran],
    )
    if deeds.reached:
        show.heading("\nConnections")
        show.table(
            ["times", "peer", "by", "explained by"],
            [(str(one.count), one.peer, one.program, _BASIS[one.basis].format(call=one.call)) for one in deeds.reached],
        )


def _decision(told: Why) -> None:
    decision = told.decision
    if decision is None:
        if told.deeds is not None:
            return
        show.say("This event is not a decision; the events before it are below.")
        return
    click.echo(f"\nVerdict: {show.verdict(decision.verdict)}", nl=False)
    differs = decision.enforced != decision.verdict
    click.echo(f" (the host was told: {decision.enforced}; mode {decision.mode})" if differs else "")
    for hit in decision.hits:
        click.echo(f"  {show.verdict(hit.verdict)}  {show.safe(hit.rule)}  of {show.safe(hit.charter)}")
        show.facts([("because", hit.reason), ("instead", hit.advice)], indent=4)


def _evidence(told: Why) -> None:
    if told.deeds is not None:
        _deeds(told.deeds, whole=told.decision is None)
    if told.effects:
        show.heading("\nWhat it would do")
        show.table(
            ["verb", "what", "flags"],
            [(e.verb, e.value + (f" -> {e.resolved}" if e.resolved else ""), " ".join(e.flags)) for e in told.effects],
        )
    if told.findings:
        show.heading("\nWhat nothing explains" if told.event.kind == "deeds.seen" else "\nWhat detectors saw")
        show.facts((finding.rule, f"{finding.message} {finding.advice}") for finding in told.findings)
    if told.second_looks:
        show.heading("\nWhat a second look saw")
        for look in told.second_looks:
            said = [
                (one.rule, f"{one.message} {one.suppressed and '(allowed: ' + one.suppressed + ')'}".strip())
                for one in look.findings
            ]
            nothing = f"not looked at: {look.unlooked}" if look.unlooked else "nothing new"
            if look.cut:
                said.append((look.scanner, f"{look.cut} more, less severe, that found no room in the record"))
            show.facts(said or [(look.scanner, nothing)])
    if told.labels:
        show.heading("\nWhat its context carried")
        show.facts(
            (label.name, f"from event {label.event.n}: {label.event.what}" if label.event else "from this call")
            for label in told.labels
        )
