"""``outrider asks``."""

from __future__ import annotations

from typing import Any

import click

from outrider.cli import reach, show


@click.command("asks")
@click.option("--all", "everything", is_flag=True, help="Also those of living agents that are answered or over.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, everything: bool, as_json: bool) -> None:
    """Calls that wait for a person: whose, what they would do, and why it was asked.

    A call that a charter leaves to a person waits here until it is answered, at most as long as the charter says
    (`within` in its [ask]; an hour if it says nothing). No answer is a no, and an event. `outrider answer` answers,
    where the charter lets you.

    \b
    Examples:
      outrider asks
      outrider asks --all --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    found = reach.daemon({"do": "asks", "all": everything})["asks"]
    if as_json:
        show.emit(found, kind="asks")
        return
    if not found:
        show.say("Nothing waits for you.")
        return
    for one in found:
        _print(one)


def _print(one: dict[str, Any]) -> None:
    show.heading(f"Question {one['question']}: {_state(one)}")
    rows = [("agent", f"{one['agent']}, under charter {one['charter']}"), ("tool", one["tool"])]
    rows += [("call", one["call"] or "not kept: the daemon was started again since")]
    rows += [("answered by", one["for"])] if one["waits"] else []
    rows += [("would be", what) for what in one["what"]]
    rows += [("because", why) for why in one["because"]]
    show.facts(rows)


def _state(one: dict[str, Any]) -> str:
    answer = one["answer"]
    if one["waits"]:
        also = "; its host asks too" if one["by"] == "host" else ""
        return f"waits until {show.when(one['until'])} UTC{also}"
    if answer is None:
        return "nobody answered it in time, and that is a no"
    if not answer["yes"]:
        return "answered with no"
    if one["lapsed"]:
        return "answered with yes, and the call was not made again in time"
    reach_ = answer.get("reach", "once")
    return "answered with yes, for this agent" if reach_ == "agent" else f"answered with yes, {_once(one)}"


def _once(one: dict[str, Any]) -> str:
    return "once, and that is used" if one["used"] else "once"
