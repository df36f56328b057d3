"""``outrider rules list|show|test``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outrider.cli import show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.detect.code.rule import Rule


@click.group("rules")
def command() -> None:
    """The rules about code: what they find, what to write instead, and whether they still find it.

    \b
    Examples:
      outrider rules list --language python
      outrider rules show code.python-sql-injection
      outrider rules test
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


@command.command("list")
@click.option("--language", metavar="NAME", help="Only rules for one language.")
@click.option("--persona", type=click.Choice(["everyday", "strict", "audit"]), help="Only rules of one persona.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def list_(*, language: str | None, persona: str | None, as_json: bool) -> None:
    """List the rules.

    \b
    Example:
      outrider rules list --language go --persona everyday
    """  # noqa: D301
    from outrider.detect.code.rule import everything

    rules = [
        rule
        for rule in everything()
        if (language is None or language in rule.languages) and (persona is None or rule.persona == persona)
    ]
    if not rules:
        raise BadInputError("there is no such rule", fix="`outrider rules list` names all of them and their languages.")
    if as_json:
        show.emit([_plain(rule) for rule in rules], kind="rules")
        return
    show.table(
        ["rule", "severity", "sure", "persona", "finds"],
        [(rule.id, rule.severity, rule.confidence, rule.persona, rule.title) for rule in rules],
    )


@command.command("show")
@click.argument("rule")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def show_(*, rule: str, as_json: bool) -> None:
    """Show one rule: what it finds, why, what to write instead, with examples.

    \b
    Example:
      outrider rules show code.python-sql-injection
    """  # noqa: D301
    from outrider.detect.code.page import page

    found = _named(rule)
    if as_json:
        show.emit(_plain(found), kind="rule")
        return
    click.echo(page(found), nl=False)


@command.command("test")
@click.argument("rules", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def test(*, rules: tuple[str, ...], as_json: bool) -> int:
    """Hold rules to their own vectors: all of them, or those named. Exit status 1 if one does not find what it must.

    \b
    Example:
      outrider rules test code.python-sql-injection
    """  # noqa: D301
    from outrider.detect.code.rule import everything
    from outrider.detect.code.vectors import problems

    chosen = [_named(name) for name in rules] if rules else everything()
    wrong = [what for rule in chosen for what in problems(rule)]
    if as_json:
        show.emit({"rules": len(chosen), "problems": wrong}, kind="rules-test")
    else:
        for what in wrong:
            click.echo(show.safe(what))
        vectors = sum(len(rule.flag) + len(rule.passes) for rule in chosen)
        show.say(
            f"{len(chosen)} rules, {vectors} vectors: {f'{len(wrong)} problems' if wrong else 'all as they must be'}."
        )
    return 1 if wrong else 0


def _named(name: str) -> Rule:
    from outrider.detect.code.rule import everything

    known = {rule.id: rule for rule in everything()}
    found = known.get(name) or known.get(f"code.{name}")
    if found is None:
        near = [one for one in known if name.rsplit("-", 1)[-1] in one][:3]
        fix = f"Did you mean {', '.join(near)}?" if near else "`outrider rules list` names all of them."
        raise BadInputError(f"there is no rule {name}", fix=fix)
    return found


def _plain(rule: Rule) -> dict[str, object]:
    names = (
        "id",
        "title",
        "languages",
        "severity",
        "confidence",
        "persona",
        "cwe",
        "owasp",
        "message",
        "advice",
        "why",
    )
    return {name: getattr(rule, name) for name in names}
