"""``outrider facts show|update|check``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outrider.cli import reach, show
from outrider.errors import BadInputError

if TYPE_CHECKING:
    from outrider.cli.finding import Finding
    from outrider.config import Home

_JSON = click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
_SAID = {
    "known": "known",
    "unknown": "unknown: not in the whole list at hand",
    "near": "almost another name",
    "malicious": "malicious",
    "confused": "the name of a module",
    "namesake": "a package of its own, and the name of a module",
    "not-checked": "not checked: the set at hand says nothing about it",
}


@click.group("facts")
def command() -> None:
    """What is known of names of packages, and how to know more.

    About 9,800 popular names ship with Outrider. Whole lists of names, and lists of malicious ones, are yours to fetch:
    nothing here contacts a network.

    \b
    Examples:
      outrider facts show
      outrider facts check pypi:reqeusts
      outrider facts update --from names.txt --ecosystem pypi
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


@command.command("show")
@_JSON
def show_(*, as_json: bool) -> None:
    """Show how many names are known, of which ecosystem, and how old that is.

    \b
    Example:
      outrider facts show --json
    """  # noqa: D301
    from outrider.daemon.facts import load
    from outrider.detect.dependencies.facts import MADE
    from outrider.detect.dependencies.known import shipped
    from outrider.detect.dependencies.names import ECOSYSTEMS

    facts, bad = load(reach.home())
    sets = [(one, "popular", len(shipped(one)), MADE, "shipped") for one in ECOSYSTEMS]
    sets += [(one.ecosystem, one.kind, one.count, one.made, one.source) for one in facts.heads]
    if as_json:
        names = ("ecosystem", "kind", "names", "made", "source")
        show.emit({"sets": [dict(zip(names, one, strict=True)) for one in sets], "bad": bad}, kind="facts")
    else:
        show.table(
            ["ecosystem", "holds", "names", "made", "age", "from"],
            [(name, kind, f"{count:,}", made, _age(made), source) for name, kind, count, made, source in sets],
        )
        whole = sorted(one.ecosystem for one in facts.heads if one.kind == "names")
        click.echo(f"\nWhole lists: {', '.join(whole) or 'none, so that a name nobody knows is only not checked'}.")
    for problem in bad:
        show.say(f"outrider: left out: {problem}")


@command.command("check")
@click.argument("name", metavar="ECOSYSTEM:NAME")
@_JSON
def check(*, name: str, as_json: bool) -> None:
    """Say what is known of one name.

    \b
    Example:
      outrider facts check npm:axois
    """  # noqa: D301
    from outrider.daemon.facts import load

    ecosystem, colon, rest = name.partition(":")
    if not colon or not rest:
        raise BadInputError(f"{name} names no ecosystem", fix=f"Write pypi:{name} or npm:{name}.")
    facts, bad = load(reach.home())
    verdict = facts.ask(ecosystem, rest)
    if as_json:
        show.emit(
            {"name": name, "verdict": verdict.word, "near": verdict.near, "package": verdict.package}, kind="fact"
        )
    else:
        click.echo(f"{show.safe(name)}: {_SAID[verdict.word]}")
        if verdict.near is not None:
            show.facts([("almost", f"{verdict.near.name}, different {verdict.near.how}")])
        if verdict.package:
            meant = "comes with the language" if verdict.package == "-" else verdict.package
            show.facts([("meant", meant)])
    for problem in bad:
        show.say(f"outrider: left out: {problem}")


@command.command("update")
@click.option("--from", "source", required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE|DIR")
@click.option("--ecosystem", default="", metavar="NAME", help="Whose names a FILE holds. [default: the file's name]")
@_JSON
def update(*, source: Path, ecosystem: str, as_json: bool) -> None:
    """Import a list that you fetched. Nothing is fetched here.

    FILE holds all names of an ecosystem: one a line, CSV with a column "name", or JSON (the registry's own list of
    projects, or a list of names). Fitting are the index of PyPI in its JSON form, npm's names of all documents, the
    database dump of the Rust registry, the names file of RubyGems' compact index, Packagist's list of packages.
    DIR holds advisories in OSV's form, such as OpenSSF's malicious-packages. The date is the file's own.

    \b
    Examples:
      outrider facts update --from pypi.json
      outrider facts update --from npm-names.txt --ecosystem npm
      outrider facts update --from malicious-packages/osv
    """  # noqa: D301
    from outrider.charter.groups import ECOSYSTEMS
    from outrider.daemon.facts import bring_malicious, bring_names

    made = dt.datetime.fromtimestamp(source.stat().st_mtime, tz=dt.UTC).date().isoformat()
    if source.is_dir():
        counts = bring_malicious(reach.home(), source, made)
        kind = "malicious"
    else:
        ecosystem = ecosystem or source.stem
        if ecosystem not in {*ECOSYSTEMS, "actions"}:
            fix = "Say --ecosystem: " + ", ".join(sorted({*ECOSYSTEMS, "actions"})) + "."
            raise BadInputError(f"{show.safe(ecosystem)} is no ecosystem", fix=fix)
        counts = {ecosystem: bring_names(reach.home(), source, ecosystem, made)}
        kind = "names"
    if as_json:
        show.emit({"kind": kind, "names": counts, "made": made}, kind="facts")
        return
    for name, count in counts.items():
        click.echo(f"{name}: {count:,} {'malicious ' if kind == 'malicious' else ''}names of {made}.")
    click.echo("A running daemon takes them up within a second or two.")


def look(home: Home, running: dict[str, Any] | None) -> list[Finding]:
    """Return what is to be said of the lists that a user brought: damaged, old, none, not taken up.

    Args:
        home: Outrider's home.
        running: What a running daemon says of itself, or None.
    """
    from outrider.cli.finding import bad, ok, warn
    from outrider.daemon.facts import OLD, age, load

    again = "Bring it again: `outrider facts update --from FILE`."
    facts, wrong = load(home)
    out = [bad(f"a list of packages was left out: {problem}", f"{again} Or remove the file.") for problem in wrong]
    today = dt.datetime.now(tz=dt.UTC).date()
    for head in facts.heads:
        days = age(head.made, today)
        if not 0 <= days <= OLD:
            old = f"{days} days old" if days >= 0 else "of no day that can be read"
            what = (
                "what is younger is taken for unknown" if head.kind == "names" else "what was found since is not in it"
            )
            out.append(warn(f"the list of {head.kind} of {head.ecosystem} is {old}: {what}", again))
    mine = [[head.ecosystem, head.kind, head.count, head.made] for head in facts.heads]
    if running is not None and running.get("facts", mine) != mine:
        fix = "Look again in a second; then see the daemon's log."
        out.append(warn("the daemon has not taken up the lists of packages as they are now", fix))
    if not facts.heads and not wrong:
        fix = "Fetch a registry's list of names and bring it: `outrider facts update --help`."
        out.append(warn("no whole list of names of packages is here: names that a model made up cannot be told", fix))
    held = ", ".join(f"{head.ecosystem} ({head.kind}, {_age(head.made)})" for head in facts.heads)
    return out or [ok(f"lists of packages: {held}")]


def _age(made: str) -> str:
    from outrider.daemon.facts import age

    days = age(made, dt.datetime.now(tz=dt.UTC).date())
    return "-" if days < 0 else f"{days} d"
