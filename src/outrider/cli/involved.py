"""``outrider involved``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from outrider.cli import questions, reach, show, witnesses
from outrider.cli.blamed import commit_of

if TYPE_CHECKING:
    from outrider.investigate.answer import Answer, Told

_MOST = 15


@click.command("involved")
@click.argument("artefact")
@questions.options("involved")
def command(*, artefact: str, imported: bool, as_of: str | None, explain: bool, as_json: bool) -> int:
    """Was an agent involved in ARTEFACT, which, because of what, and what else did it touch?

    ARTEFACT is anything that you hold: a path, a line of a file (src/app.py:42, by git blame), domain, URL, address,
    commit, package (a purl too), digest, secret, session (as clouds write it, too), process (pid:71@14:03,
    pid:71@HOST@14:03), container, MCP tool, model, or a text
    that a call was given as a value. A secret is looked up by its keyed print; it is never stored or logged.

    Exit status: 0 yes, 1 no, 3 not known (something that could have shown it was not seen).

    \b
    Examples:
      outrider involved evil.example
      outrider involved 9f1c2ab
      outrider involved src/app.py:42
      outrider involved evil.example --as-of 14:03 --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    import platform
    from pathlib import Path

    from outrider.investigate.answer import answer

    commit = commit_of(artefact)
    sought = commit or (str(Path(artefact).absolute()) if _is_here(artefact) else artefact)
    here = () if imported else (platform.node(),)
    told = answer(
        questions.view(imported=imported, as_of=as_of),
        _timed(sought),
        key=reach.key(),
        hosts=here,
        contact=reach.contact(),
    )
    if commit:
        show.say(f"{show.safe(artefact)} was last changed by commit {commit}.")
    if as_json:
        show.emit(told, kind="involved")
    else:
        _print(told)
        if explain:
            show.facts([("read as", ", ".join(f"{kind} {value}" for kind, value in told.involved.read_as))])
            questions.explain("involved")
    return {"yes": 0, "no": 1}.get(told.answer, 3)


def _timed(artefact: str) -> str:
    """Return the artefact with the time of a process, written as people write times, in seconds since 1970."""
    from outrider.cli.times import moment
    from outrider.errors import BadInputError

    head, at, last = artefact.rpartition("@")
    if not at or not head.removeprefix("pid:").partition("@")[0].isdigit():
        return artefact
    try:
        return f"{head}@{moment(last) / 1e6:.6f}"
    except BadInputError:  # A host, then.
        return artefact


def _is_here(artefact: str) -> bool:
    """Whether it is a path below this directory. ``arn:...`` and ``npm:@scope/name`` hold a slash and are none."""
    from pathlib import Path

    first, slash, _ = artefact.partition("/")
    with suppress(OSError, ValueError):  # Longer than a path can be, or with a zero byte.
        if Path(artefact).exists():
            return "://" not in artefact
    return bool(slash) and ":" not in first and not artefact.startswith("~")


def _print(told: Answer) -> None:
    click.echo(show.safe(told.statement))
    for position, one in enumerate(told.agents):
        show.heading(f"\n{'The likeliest' if position == 0 else 'Also'}: {one.agent}")
        _one(one, full=position == 0)
    left = len(told.involved.agents) - len(told.agents)
    if left > 0:
        click.echo(f"\n{left} more agents; --json lists them all.")
    show.heading("\nCoverage")
    show.facts([("", told.coverage.statement)], indent=0)
    show.facts([("assurance", witnesses.words(told.coverage.assurance))], indent=0)


def _one(one: Told, *, full: bool) -> None:
    cause = one.causes[0].event.what if one.causes else "not found"
    rows = [
        ("charter", f"{one.charter}  {one.charter_digest}"),
        ("sponsor", one.sponsor_name or one.sponsor),
        *([("ask", one.contact)] if one.contact else []),
        ("parent", one.parent or "none: it is a root"),
        ("root", one.root),
        ("state", f"{one.ended_how or 'alive'}, born {show.when(one.born)} UTC"),
        ("act", f"event {one.act.n}: {one.act.what} ({one.outcome})"),
        ("because", f"event {one.cause_event}: {cause}" if one.cause_event >= 0 else cause),
        ("how sure", f"artefact by {one.confidence}; cause by {one.cause_confidence}"),
    ]
    show.facts(rows)
    if not full:
        return
    things = [thing for thing in one.artefacts if thing.role not in {"mentioned", "is"}]
    show.heading(f"\nIt touched {len(things)} things")
    show.table(
        ["role", "kind", "what"],
        [(t.role + ("" if t.happened else " (refused)"), t.kind, t.value) for t in things[:_MOST]],
    )
    if len(things) > _MOST:
        click.echo(f"... and {len(things) - _MOST} more; --json lists them all.")
    show.heading("\nWhat else is affected")
    show.facts([("", one.also_affected.statement)], indent=0)
