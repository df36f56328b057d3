"""``outrider sigma``."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import click

from outrider.cli import elsewhere, reach, show, times


@click.command("sigma")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--since", metavar="TIME", help="Only events from then on: 2026-11-23, 14:03, 90m, 7d.")
@click.option("-n", "--limit", default=50, show_default=True, help="Most matches printed; all are counted.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
@elsewhere.options
def command(*, paths: tuple[Path, ...], since: str | None, limit: int, as_json: bool) -> int:
    """Ask Sigma rules of the record: those in PATHS, or the ready-made ones.

    Rules are of `logsource: {product: agent, category: ...}` with the category tool_call, tool_result, prompt, spawn,
    end, process or finding; their fields are the columns of `outrider export --to csv`. Single events are matched;
    a rule that correlates several is refused. Exits with 8 if something matched.

    \b
    Examples:
      outrider sigma
      outrider sigma rules/ --since 24h
      outrider sigma exfil.yml --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.investigate.exports.flat import flat
    from outrider.investigate.exports.material import Material, iso
    from outrider.investigate.sigma.rule import Rule, read

    rules: list[Rule] = []
    passed: list[str] = []
    with as_file(files("outrider.investigate.sigma") / "rules") as own:
        for path in paths or (Path(own),):
            found, over = read(path)
            rules += found
            passed += over
    for text in passed:
        show.say(f"passed over: {text}")
    view = reach.view()
    after = times.moment(since) if since else 0
    numbers = tuple(int(n) for (n,) in view.rows("SELECT n FROM events WHERE ts >= ? ORDER BY n", after))
    matched = []
    material = Material(view, numbers)
    for event, leaf_hash in material.events():
        row = None
        for rule in rules:
            if rule.kind and rule.kind != str(event.__struct_config__.tag):
                continue
            row = row or flat(material, event, leaf_hash)
            if rule.matches(row):
                matched.append((rule, event, row))
    if as_json:
        out = [
            {"rule": rule.id, "title": rule.title, "level": rule.level, "time": iso(event.ts), "event": row}
            for rule, event, row in matched
        ]
        show.emit({"rules": len(rules), "events": len(numbers), "passed_over": passed, "matches": out}, kind="sigma")
        return 8 if matched else 0
    for rule, event, row in matched[:limit]:
        click.echo(show.cut(f"{event.n:>7}  {show.when(event.ts)}  {rule.level or '-':<8}  {rule.title}"))
        click.echo(show.cut(f"         {str(row.get('agent', '-'))[-8:]}  {row['message']}"))
    more = len(matched) - limit
    count = f"{len(rules)} rule{'s' * (len(rules) != 1)}"
    said = f"{count} asked of {len(numbers):,} events: {len(matched):,} matches"
    show.say(said + (f", {more:,} of them not printed (--limit)" if more > 0 else "") + ".")
    return 8 if matched else 0
