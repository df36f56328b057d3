"""``outrider answer``."""

from __future__ import annotations

from typing import Any

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError


@click.command("answer")
@click.argument("question", type=click.IntRange(0))
@click.argument("word", type=click.Choice(["yes", "no"]), metavar="yes|no")
@click.option("--once", is_flag=True, help="This very call, one time (what holds if nothing is said).")
@click.option("--agent", is_flag=True, help="The same rule and resource, for this agent until its end.")
@click.option("--charter", is_flag=True, help="Let nothing through; print a change of the charter for you to apply.")
@click.option("--why", default="", help="The reason; it is recorded, and for a no the agent is told.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, question: int, word: str, once: bool, agent: bool, charter: bool, why: str, as_json: bool) -> None:
    """Answer QUESTION, the number that `outrider asks` shows, with yes or no.

    The agent is told when it makes the very same call again: the same tool, input, folder and effects. A yes never
    lifts what is refused: [never], the floor, a quarantine. Refused from inside an agent's process tree.

    \b
    Examples:
      outrider answer 42 yes
      outrider answer 42 yes --agent --why "this remote is ours"
      outrider answer 42 yes --charter > change.diff
      outrider answer 42 no --why "wait for the release"
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if once + agent + charter > 1:
        raise BadInputError("an answer reaches one thing", fix="Say one of --once, --agent and --charter.")
    if word == "no" and (agent or charter):
        raise BadInputError("a no is about this one question", fix="Leave --agent and --charter out.")
    how = "agent" if agent else "charter" if charter else "once"
    told = reach.daemon({"do": "answer", "question": question, "yes": word == "yes", "reach": how, "why": why})
    if as_json:
        show.emit(told, kind="answer")
        return
    _tell(how, told)


def _apply(change: dict[str, Any]) -> str:
    """Say how a person applies a change; Outrider never does."""
    path, to = show.safe(change["path"]), show.safe(change["to"])
    if path == to:
        return f"To apply it: patch {to} FILE-WITH-THE-LINES-ABOVE"
    return f"{change['charter']} came with Outrider; a copy hides it: patch -o {to} {path} FILE-WITH-THE-LINES-ABOVE"


def _tell(how: str, told: dict[str, Any]) -> None:
    if not told["yes"]:
        show.say("Answered with no: the call stays refused.")
    elif how == "agent":
        show.say("Answered with yes: this agent may do the same again until its end.")
    elif how == "charter":
        show.say("Nothing is let through yet. What would allow it for everybody under the charter:")
        for step in told["instead"]:
            show.say(f"  {show.safe(step)}")
        for change in told["changes"]:
            click.echo("\n".join(show.safe(line) for line in change["diff"].splitlines()))
            show.say(_apply(change))
        show.say("Then `outrider charter check`, and `outrider charter roll` for those who live already.")
    else:
        show.say(f"Answered with yes, once, until {show.when(told['answer']['until'])} UTC.")
        show.say("The agent has to make the very same call again.")
    show.say(f"Recorded as event {told['event']}.")
