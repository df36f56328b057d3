"""``outrider charter list|show|check|roll``, and what stands in files of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outrider.charter.narrow import effective, looser
from outrider.cli import (
    charter_diff,
    charter_drift,
    charter_new,
    charter_sign,
    charter_suggest,
    describe,
    named,
    reach,
    show,
)
from outrider.daemon import shelf
from outrider.errors import BadInputError, CharterError, UnavailableError
from outrider.gate.usage import wanted

if TYPE_CHECKING:
    from outrider.charter.model import Charter

OUTGROWN = "the kernel holds files as the older version says: restart to change that"
_JSON = click.option("--json", "as_json", is_flag=True, help="One object on stdout.")


@click.group("charter")
def command() -> None:
    """Make, list, show, compare, check, sign, trust and roll charters.

    Built-in charters come with Outrider; a file in the charters directory of Outrider's home with the same name hides
    one. `outrider charter show base` is a good first read.

    \b
    Examples:
      outrider charter list
      outrider charter show coder
      outrider charter check my-charter.toml
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.


command.add_command(charter_diff.command)
command.add_command(charter_new.command)
command.add_command(charter_suggest.command)
command.add_command(charter_drift.command)
command.add_command(charter_sign.sign)
command.add_command(charter_sign.trust)


@command.command("list")
@_JSON
def list_(*, as_json: bool) -> None:
    """List every charter: who signed it, which version is in force, and how many agents live under it.

    "2 of 5 older" says that two of five living agents stand under another version than the one in force; `outrider
    charter show` names them, and `outrider charter roll` moves them.

    \b
    Example:
      outrider charter list --json
    """  # noqa: D301
    home = reach.home()
    read = shelf.load(home)
    versions = _versions()
    rows: list[dict[str, Any]] = []
    for name in sorted({*read.shelf.names, *read.bad}):
        file, charter = read.found[name], read.shelf.get(name)
        if charter is None:
            rows.append({"name": name, "path": str(file.path), "bad": str(read.bad[name]), **versions.get(name, {})})
            continue
        seal = shelf.seal_of(home, charter, file, read.signing)
        rows.append(
            {
                "name": name,
                "extends": charter.extends,
                "description": charter.description,
                "digest": charter.digest,
                "path": str(file.path),
                "seal": seal,
                "undecided": _undecided(read.shelf, name),
                **versions.get(name, {}),
            }
        )
    gone = [name for name in versions if name not in read.found]
    rows += [{"name": name, "path": "", "bad": versions[name]["refused"], **versions[name]} for name in gone]
    if as_json:
        show.emit(rows, kind="charters")
        return
    show.table(
        ["charter", "extends", "signed", "in force", "living", "what it is for"],
        [
            (one["name"], "", "-", *_in_force(one), f"{'DOES NOT PARSE: ' if one['path'] else ''}{one['bad']}")
            if "bad" in one
            else (one["name"], one["extends"] or "-", one["seal"].told, *_in_force(one), one["description"])
            for one in rows
        ],
        last_wraps=True,
    )
    if not versions:
        show.say("No daemon runs, which would know what is in force.")
    if loose := [one["name"] for one in rows if one.get("undecided") == "allow"]:
        click.echo(click.style(f"Let calls through when undecided: {', '.join(loose)}", fg="red"))
    show.say(f"Your own stand in {show.safe(str(home.charters))}.")


@command.command("show")
@click.argument("name")
@click.option("--cedar", is_flag=True, help="The Cedar policies that are evaluated.")
@_JSON
def show_(*, name: str, cedar: bool, as_json: bool) -> None:
    """Show charter NAME in plain words, with what it inherits.

    \b
    Examples:
      outrider charter show coder
      outrider charter show coder --cedar
    """  # noqa: D301
    home = reach.home()
    read = shelf.load(home)
    if name in read.bad:
        raise read.bad[name]
    line = read.shelf.line(name)
    seal = shelf.seal_of(home, line[0], read.found[name], read.signing)
    if cedar:
        from outrider.charter.cedar import to_cedar

        click.echo("\n".join(to_cedar(one) for one in line), nl=False)
    elif as_json:
        data = {"charter": line[0], "digest": line[0].digest, "effective": effective(line), "seal": seal}
        data["line"] = [{"name": one.name, "digest": one.digest} for one in line]
        show.emit({**data, **_versions().get(name, {})}, kind="charter")
    else:
        describe.charter(line, seal.told)
        describe.version(line[0].digest, _versions().get(name))


@command.command("check")
@click.argument("what", nargs=-1, metavar="[FILE|NAME]...")
@_JSON
def check(*, what: tuple[str, ...], as_json: bool) -> int:
    """Check charters: files, names, or all of them. Exit status 2 if one is wrong.

    A charter's own [examples] are tried: one that comes out otherwise is an error. Nothing runs.

    \b
    Examples:
      outrider charter check
      outrider charter check charters/coder.toml
    """  # noqa: D301
    read = shelf.load(reach.home())
    results = [_checked(one, read) for one in what or sorted(read.found)]
    if as_json:
        show.emit(results, kind="charter-check")
    else:
        for one in results:
            _tell(one)
    return 2 if any(one["errors"] for one in results) else 0


@command.command("roll")
@click.argument("name")
@click.option("--dry-run", "dry", is_flag=True, help="Only say which agents it would move.")
@_JSON
def roll(*, name: str, dry: bool, as_json: bool) -> None:
    """Move the living agents of charter NAME to its newest version; each move is an event.

    An edited charter binds agents born after it; those that live stay under the version that they were born under until
    they are rolled. A child stays within its parent whatever its charter now says. What the kernel holds an agent of
    `outrider run` to was fixed at its start and stays.

    \b
    Examples:
      outrider charter roll coder --dry-run
      outrider charter roll coder
    """  # noqa: D301
    told = reach.daemon({"do": "roll", "charter": name, "dry": dry})
    if as_json:
        show.emit(told, kind="charter-roll")
        return
    count = f"{len(told['moved'])} living {'agent' if len(told['moved']) == 1 else 'agents'}"
    to = f"of {name} to version {told['digest'][:19]}"
    if dry:
        click.echo(f"It would move {count} {to}. Nothing was done.")
    else:
        show.say(f"Moved {count} {to}.")
        if outgrown := told["outgrown"]:
            show.say(f"{len(outgrown)} of them: the rules hold at once, but {OUTGROWN}.")


def _versions() -> dict[str, dict[str, Any]]:
    """Return what a daemon says of the versions in force, by charter; nothing where none runs."""
    try:
        found: dict[str, dict[str, Any]] = reach.daemon({"do": "charters"})["charters"]
    except UnavailableError:
        return {}
    return found


def _in_force(one: dict[str, Any]) -> tuple[str, str]:
    """Return the version that births are bound to, and how many live; a version that is not the file's is marked."""
    if "in_force" not in one:
        return "-", "-"
    digest = one["in_force"].removeprefix("sha256:")[:12]
    other = one["in_force"] != one.get("digest", "")
    older = f"{len(one['older'])} of {one['living']} older" if one["older"] else str(one["living"])
    return (f"{digest} (REFUSED since)" if digest and other else digest or "NONE"), older


def _undecided(known: Any, name: str) -> str:
    try:
        return effective(known.line(name)).undecided
    except CharterError:
        return "deny"


def _checked(what: str, read: shelf.Files) -> dict[str, Any]:
    """Return what is wrong with one charter, and what it writes without effect."""
    from outrider.charter.lines import Lines
    from outrider.charter.parse import parse
    from outrider.charter.shelf import Shelf
    from outrider.cli import charter_examples, rule_keys

    found = read.found.get(what)
    result: dict[str, Any] = {"what": what, "name": "", "digest": "", "examples": 0, "errors": [], "warnings": []}
    try:
        charter = shelf.one(found, what) if found else parse(named.text_of(Path(what)), source=what)
        known = Shelf([*(one for name in read.shelf.names if (one := read.shelf.get(name))), charter])
        line = known.line(charter.name)
    except BadInputError as error:
        result["errors"].append({"line": getattr(error, "line", 0), "message": str(error), "fix": error.fix})
        return result
    text = named.text_of(Path(found.path if found else what))
    lines = Lines(text)
    result["errors"] += [
        {"line": number, "message": f"{what}:{number}: {message}", "fix": fix}
        for key, message, fix in rule_keys.unknown(charter)
        for number in (lines.of(("code", "rules", key)),)
    ]
    tried, wrong = charter_examples.failed(text, what, line)
    result["errors"] += wrong
    result["examples"] = tried
    result |= {"name": charter.name, "digest": charter.digest}
    result["warnings"] = [*_warnings(charter, line), *rule_keys.without_effect(line)]
    return result


def _warnings(charter: Charter, line: tuple[Charter, ...]) -> list[str]:
    out = [f"{name}: it says {wrote}, and {holds} holds" for name, wrote, holds in looser(charter, line[1:])]
    settings = effective(line)
    if settings.undecided == "allow":
        out.append("undecided: calls that nobody can decide are let through")
    return out + [f"budget: {told}" for name in wanted(settings.budget) for told in (_measured(name),)]


def _measured(name: str) -> str:
    """Say where a limit is measured at all."""
    from outrider.doors.registry import DOORS

    where = [
        f"{door.name} tells it {when}"
        for door in DOORS.values()
        if (when := door.reports.get(name) or door.late.get(name))
    ]
    return (
        f"{name} limits only where a host tells it, and elsewhere is not measured ({'; '.join(where) or 'none does'})"
    )


def _tell(one: dict[str, Any]) -> None:
    mark = click.style("wrong", fg="red") if one["errors"] else click.style("good ", fg="green")
    tried = f", {one['examples']} examples tried" if one["examples"] else ""
    click.echo(f"{mark}  {show.safe(one['what'])}{tried}")
    for error in one["errors"]:
        click.echo(f"       {show.safe(error['message'])}")
        if error["fix"]:
            click.echo(f"       {show.safe(error['fix'])}")
    for warning in one["warnings"]:
        click.echo(f"       {click.style('warning', fg='yellow')}: {show.safe(warning)}")
