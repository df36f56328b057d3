"""``outrider scan``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import show
from outrider.errors import FOUND, BadInputError

if TYPE_CHECKING:
    from outrider.cli.sweep import Found, Swept
    from outrider.detect.code.rule import Persona
    from outrider.events.call import Severity

_RANK = {"low": 0, "medium": 1, "high": 2}
_COLOUR = {"high": "red", "medium": "yellow", "low": "cyan"}


@click.command("scan")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--staged", is_flag=True, help="Only lines that are staged for the next commit.")
@click.option("--diff", "revision", metavar="REV", help="Only lines that the work tree adds to REV, such as HEAD.")
@click.option("--persona", type=click.Choice(["everyday", "strict", "audit"]), default="everyday", help="Whose rules.")
@click.option(
    "--fail", type=click.Choice(["high", "medium", "low", "never"]), default="medium", help="Exit 8 from here on."
)
@click.option("--sarif", "as_sarif", is_flag=True, help="SARIF 2.1.0 on stdout.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(
    *, paths: tuple[Path, ...], staged: bool, revision: str | None, persona: Persona, fail: str, as_sarif: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Look for secrets and weaknesses in code: the same rules that judge what agents write.

    Without paths: the folder that you are in. In a repository what git ignores is left out. A comment
    `outrider: allow RULE -- why` on a line or above it lets a finding be, and so does the repository's .outrider.toml.

    \b
    Examples:
      outrider scan
      outrider scan src tests --persona strict
      outrider scan --staged --fail high
      outrider scan --diff origin/main --sarif > outrider.sarif
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.cli.sweep import changed, everything, sweep

    if (staged or revision) and (paths or (staged and revision)):
        raise BadInputError("--staged, --diff and paths exclude each other", fix="Give one of them.")
    skipped: Counter[str] = Counter()
    if staged or revision:
        targets = changed(None if staged else revision, skipped)
    else:
        targets = everything(paths or (Path(),), skipped)
    swept = sweep(targets, persona=persona, skipped=skipped)
    if not swept.files and not (staged or revision):
        raise BadInputError(
            "nothing was scanned: there is no text there", fix="Name files, or a folder that holds some."
        )
    _tell(swept, as_sarif=as_sarif, as_json=as_json)
    least = _RANK.get(fail, len(_RANK))
    return FOUND if any(_counts(one, least) for one in swept.found) else 0


def _counts(one: Found, least: int) -> bool:
    return not one.finding.suppressed and _RANK[one.finding.severity] >= least


def _tell(swept: Swept, *, as_sarif: bool, as_json: bool) -> None:
    if as_sarif:
        from outrider.cli.sarif import sarif

        click.echo(json.dumps(sarif(swept.found), indent=1, ensure_ascii=False))
        return
    if as_json:
        show.emit(swept, kind="scan")
        return
    for one in swept.found:
        if not one.finding.suppressed or one.finding.excused == "added":
            _print(one)
    _sum_up(swept)


def _print(one: Found) -> None:
    finding = one.finding
    severity: Severity = finding.severity
    mark = click.style(severity, fg=_COLOUR[severity])
    click.echo(f"{show.safe(one.path)}:{one.line}:{one.column}: {mark} {finding.rule}")
    told = [("what", finding.message), ("instead", finding.advice)]
    if finding.suppressed:
        told.append(("let be", f"by a comment that this change brings: {finding.suppressed}"))
    show.facts(told, indent=4)


def _sum_up(swept: Swept) -> None:
    open_ones = Counter(one.finding.severity for one in swept.found if not one.finding.suppressed)
    quiet = sum(bool(one.finding.suppressed) for one in swept.found)
    said = (
        ", ".join(f"{open_ones[one]} {one}" for one in ("high", "medium", "low") if open_ones[one]) or "nothing found"
    )
    languages = (
        ", ".join(f"{name} {count}" for name, count in swept.code.items()) or "no language that there are rules for"
    )
    show.say(f"{swept.files} files: {said}" + (f", {quiet} suppressed with a reason" if quiet else "") + ".")
    show.say(f"Looked at as code: {languages}.")
    if swept.partly:
        show.say(f"Partly read, for some text does not fit the language: {len(swept.partly)} files.")
    for fault in swept.faults:
        show.say(f"Counts for nothing: {fault}.")
    for why, count in swept.passed_over.items():
        show.say(f"Not looked at: {count} {why}.")
