"""Tells a person what was played and what came of it: sentences first, then evidence, eighty columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from outrider.demo.play import Played

_WIDTH = 80
_MOST = 12


def tell(played: Played) -> None:
    """Print the telling on stdout."""
    _story(played)
    _answer("From the leaked domain alone", played.story["domain"], played.answers["from_domain"], full=True)
    _answer("From the commit alone", played.story["commit"], played.answers["from_commit"], full=False)
    _trust(played)
    _stolen(played)
    _replay(played)
    _truth(played)
    _times(played)


def _head(text: str) -> None:
    click.echo()
    click.echo(click.style(text, bold=True))
    click.echo(click.style("─" * min(_WIDTH, len(text)), dim=True))


def _para(text: str, indent: str = "") -> None:
    click.echo(textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent))


def _rows(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        lines = textwrap.wrap(value, _WIDTH - width - 4, break_on_hyphens=False) or [""]
        click.echo(f"  {click.style(name.ljust(width), fg='cyan')}  {lines[0]}")
        for more in lines[1:]:
            click.echo(" " * (width + 4) + more)


def _story(played: Played) -> None:
    story = played.story
    out = story["outcomes"]
    refused = out.get("deny", 0) + out.get("ask", 0)
    _head("What happened")
    _para(
        f"{story['agents']} short-lived agents of {len(story['charters'])} charters, in {story['families']} families "
        f"of up to {story['generations']} generations, asked for {story['steps']} actions. {out.get('done', 0)} were "
        f"done, {refused} were refused with advice, and {out.get('corrected', 0)} times the agent then did what the "
        f"advice said. All have exited, and their homes are deleted."
    )
    _para(
        f"One of them read a page with instructions planted in it, read a key, and sent it to {story['domain']} "
        f"through a channel that its charter had left open. Somebody notices the domain."
    )


def _answer(title: str, artefact: str, told: dict[str, Any], *, full: bool) -> None:
    _head(f"{title}: {artefact[:44]}")
    if "agent" not in told:
        _para(told["statement"])
        return
    _rows(
        [
            ("agent", told["agent"]),
            ("charter", f"{told['charter']}  {told['charter_digest'][:23]}…"),
            ("parent", told["parent"] or "none: it is a root"),
            ("root", told["root"]),
            ("sponsor", told["sponsor"]),
            ("act", f"event {told['act']['n']}: {told['act']['what']}"),
            ("cause", f"event {told['cause_event']}: {told['cause']['what'] if told['cause'] else 'not found'}"),
            ("how sure", f"artefact: {told['confidence']}; cause: {told['cause_confidence']}"),
        ]
    )
    if not full:
        return
    click.echo()
    _para(f"It touched {len(told['artefacts'])} paths, hosts, commits and packages (programs and branches apart):")
    for one in told["artefacts"][:_MOST]:
        click.echo(f"    {_short(one)}")
    others = told["also_affected"]
    click.echo()
    _para(
        f"What else is affected: {len(others['agents'])} more agents of its family came under it; "
        f"{len(others['met_the_same_content'])} others read the same page, and {others['refused_among_them']} calls of "
        "theirs were refused; "
        f"to change: {', '.join(_short(one) for one in others['credentials']) or 'no credential'}."
    )
    _para(f"Coverage: {told['coverage']}")


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH - 4 else text[:24] + "…" + text[-(_WIDTH - 30) :]


def _trust(played: Played) -> None:
    verify = played.verify
    _head("Can it be trusted?")
    missing = sum(verify["missing"].values())
    good = "verifies" if verify["ok"] else "DOES NOT VERIFY"
    _para(
        f"The record of {verify['events']} events {good}, read from its bytes by code that shares nothing with the "
        f"writer. Missing: {missing or 'nothing'} ("
        + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in verify["missing"].items())
        + f"). Assurance level: {verify['assurance']}."
    )


def _stolen(played: Played) -> None:
    stolen = played.stolen
    _head("What if somebody steals the record's key?")
    _para(
        f"A thief with that key took a copy, let event {stolen['event']}, the leak, read as a refusal, made every "
        "number, hash and digest around it fit, and signed it. The copy lies in forged/."
    )
    click.echo()
    _rows(
        [
            ("outrider verify", _verdict(stolen["alone"])),
            ("... --policy witness.policy", _verdict(stolen["policy"])),
            ("the real record, --policy", _verdict(stolen["honest"])),
        ]
    )
    click.echo()
    _para(
        "A witness, a process of its own with its own key, had cosigned the record every second and signs no second "
        f"history. It covers the first {stolen['honest']['cosigned']} events; {stolen['honest']['after']} came after."
    )


def _verdict(told: dict[str, Any]) -> str:
    if told["ok"]:
        return f"accepts it ({told['assurance']})"
    return f"refuses it: {told['problems'][0]}"


def _replay(played: Played) -> None:
    replay = played.replay
    _head("What would have stopped it")
    click.echo(f"  [flow]\n  {click.style('+ ' + replay['line'], fg='green')}")
    click.echo()
    _para(
        f"With this line in charter {replay['charter']}, {replay['stopped']} recorded call would have been refused "
        f"(event {', '.join(map(str, replay['stopped_events']))}: the leak), {replay['broken']} other calls would have "
        f"been broken, and {replay['unchanged']} would have been decided as they were."
    )


def _truth(played: Played) -> None:
    _head("Held against what was planted")
    for name, told in played.answers.items():
        wrong = [
            key
            for key in ("agent", "charter", "charter_digest", "parent", "root", "sponsor", "cause_event", "artefacts")
            if told.get(key) != played.truth[key]
        ]
        mark = (
            click.style("agrees", fg="green") if not wrong else click.style("differs in " + ", ".join(wrong), fg="red")
        )
        click.echo(f"  {name:<12} {mark}")


def _times(played: Played) -> None:
    _head("How long it took")
    _rows([(name.replace("_", " "), f"{value:.2f} s") for name, value in played.seconds.items()])
    click.echo()
    _para(f"Left behind: {played.case} (look at README.md there). Nothing else.")
