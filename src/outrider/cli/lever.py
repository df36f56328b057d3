"""What ``quarantine``, ``release``, ``revoke`` and ``observe`` share: whom they reach, and what is told of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    Any_ = TypeVar("Any_", bound=Callable[..., Any])

_UNIT = {"s": 1, "m": 60, "h": 3600}
_KINDS = ("charter", "sponsor", "lineage", "agent")


def options(command: Any_) -> Any_:
    """Add the options that every lever has."""
    for option in reversed(
        (
            click.option("--charter", help="Every agent of this class, of classes that extend it, and their children."),
            click.option("--sponsor", help="Every agent that this person or team answers for."),
            click.option("--lineage", help="An agent and all that descends from it."),
            click.option("--agent", help="One agent; its id, or the end of it."),
            click.option("--why", default="", help="The reason; it is recorded, and the agents are told."),
            click.option("--dry-run", "dry", is_flag=True, help="Only say whom it would reach."),
            click.option("--json", "as_json", is_flag=True, help="One object on stdout."),
        )
    ):
        command = option(command)
    return command


def pull(lever: str, scope: dict[str, str | None], *, as_json: bool, **more: Any) -> None:
    """Ask the daemon to pull a lever, and tell what came of it.

    Raises:
        BadInputError: Not exactly one scope was named.
    """
    named = [(kind, value) for kind, value in scope.items() if value]
    if len(named) != 1:
        raise BadInputError(
            f"{lever} reaches one thing at a time, and {len(named)} were named",
            fix="Say one of " + ", ".join(f"--{kind}" for kind in _KINDS) + ".",
        )
    kind, value = named[0]
    answer = reach.daemon({"do": "lever", "lever": lever, "kind": kind, "value": value, **more})
    if as_json:
        show.emit(answer, kind=lever)
        return
    _tell(lever, kind, value, answer)


def micros(duration: str) -> int:
    """Return the microseconds in ``90s``, ``10m`` or ``1h``.

    Raises:
        click.BadParameter: It is none of these.
    """
    match = re.fullmatch(r"(\d{1,6})([smh])", duration)
    if match is None:
        raise click.BadParameter("write a number and s, m or h, such as 10m")
    return int(match[1]) * _UNIT[match[2]] * 1_000_000


_DONE = {
    "quarantine": "In quarantine: {count} now, and every agent of {scope} that is born until it is released.",
    "revoke": "Revoked: {count}. They never come back.",
    "observe": "Observed only, until {until} UTC: {count}. The floor and every [never] still hold.",
    "release": "Released: {count}.",
}
_KERNEL = {
    "quarantine": "{count} {is_} of `outrider run`: programs that run go on, held as before. --kill ends them.",
    "observe": "{count} {is_} of `outrider run`: what the kernel holds it holds on.",
}
_WOULD = {"quarantine": "stop", "revoke": "end for good", "observe": "be observed only for", "release": "free"}


def _tell(lever: str, kind: str, value: str, answer: dict[str, Any]) -> None:
    number = int(answer["living"])
    count = f"{number} living {'agent' if number == 1 else 'agents'}"
    scope = f"{kind} {value}"
    if answer.get("dry"):
        click.echo(f"It would {_WOULD[lever]} {count} of {scope}. Nothing was done.")
        for name in answer["agents"]:
            click.echo(f"  {name}")
        return
    show.say(_DONE[lever].format(count=count, scope=scope, until=show.when(int(answer["until"]))))
    if (number := int(answer.get("confined", 0))) and lever in _KERNEL and not answer.get("killed"):
        show.say(_KERNEL[lever].format(count="One" if number == 1 else number, is_="is" if number == 1 else "are"))
    if killed := answer.get("killed"):
        show.say(f"{len(killed)} processes that Outrider had started were ended.")
    show.say(f"Recorded as event {answer['event']}.")
    if lever == "quarantine" or (lever == "revoke" and kind in {"charter", "sponsor"}):
        again = "go on" if lever == "quarantine" else "be born"
        show.say(f"`outrider release --{kind} {value}` lets them {again} again.")
