"""``outrider status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from outrider.charter.narrow import effective
from outrider.cli import facts, hooks, hosts, reach, show, witnesses
from outrider.cli.finding import Finding, bad, tell, warn
from outrider.config import Config, load_config
from outrider.daemon import shelf
from outrider.doors.claude_code.installed import installations
from outrider.errors import BadInputError, CharterError, OutriderError

if TYPE_CHECKING:
    from outrider.config import Home


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> None:
    """What is protected, what is not, and why.

    \b
    Examples:
      outrider status
      outrider status --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    home = reach.home()
    told = _look(home)
    if as_json:
        show.emit(told, kind="status")
        return
    _daemon(told["daemon"])
    _covered(told["repositories"], paused=bool(told["daemon"].get("paused_until")))
    show.heading("\nRecord")
    record = told["record"]
    show.facts(
        [
            ("events", str(record["events"])),
            ("size", f"{record['bytes'] / 1e6:.1f} MB in {record['path']}"),
            ("assurance", witnesses.words(record["assurance"], told["daemon"].get("witnesses"))),
        ]
    )
    _advice(told["daemon"].get("advice"))
    if told["findings"]:
        show.heading("\nWhat is not as it could be")
        tell(told["findings"])


def _look(home: Home) -> dict[str, Any]:
    running, findings = _running(home)
    claude = hosts.find_claude(hosts.named(home))
    try:
        config = load_config(home)
    except BadInputError as error:
        config = Config()
        findings.append(bad(str(error), error.fix or "Correct the file; until then the last good one holds."))
    covered = hooks.repositories(config, claude)
    findings += [*_hosts(claude, covered, home), *_charters(home, running), *_live(running)]
    findings += [
        one
        for one in (*facts.look(home, running), *witnesses.look(running), *witnesses.stamps(running))
        if one.level != "ok"
    ]
    record = _record(home, running)
    if record["spool_waiting"]:
        findings.append(warn(f"{record['spool_waiting']} calls were not answered and wait to be recorded as gaps"))
    return {
        "daemon": {"running": running is not None, **(running or {})},
        "host": claude,
        "repositories": covered,
        "record": record,
        "findings": findings,
    }


def _running(home: Home) -> tuple[dict[str, Any] | None, list[Finding]]:
    try:
        return reach.status(home), []
    except OutriderError as error:
        return None, [warn(f"the daemon does not say how it is: {error}", error.fix)]


def _hosts(claude: hosts.Claude | None, covered: list[hooks.Covered], home: Home) -> list[Finding]:
    out = []
    if claude is None:
        out.append(warn("no coding agent was found on this machine"))
    elif not claude.on_failure:
        out.append(bad(f"{claude.told}: {hosts.CANNOT_FAIL_CLOSED}", "Update Claude Code, then `outrider init` again."))
    out += [
        bad(f"{one.path}: {why}", "`outrider init` there writes the hooks again; `outrider doctor` says more.")
        for one in covered
        for why in one.why
    ]
    out += [
        warn(
            f"{one.path} is a preview: nothing of charter {one.charter} is enforced", "`outrider init --enforce` there."
        )
        for one in covered
        if one.mode == "observe" and not one.why
    ]
    try:
        http = [one.path for one in installations(home) if one.http]
    except BadInputError as error:
        return [*out, bad(str(error), error.fix)]
    out += [warn(f"{path}: hooks over HTTP are weaker: a sender cannot be told") for path in http]
    return out


def _charters(home: Home, running: dict[str, Any] | None) -> list[Finding]:
    read = shelf.load(home)
    out = [bad(f"charter {name}: {error}", "`outrider charter check`") for name, error in read.bad.items()]
    refused = running.get("refused", {}) if running else {}
    fix = "Put the file back, or change what extends it."
    out += [bad(f"charter {name}: {why}", fix) for name, why in refused.items() if name not in read.found]
    loose = set(running.get("undecided_allow", ()) if running else ())
    for name in read.shelf.names:
        charter = read.shelf.get(name)
        assert charter is not None
        try:
            if effective(read.shelf.line(name)).undecided == "allow":
                loose.add(name)
        except CharterError as error:
            out.append(bad(f"charter {name}: {error}", error.fix))
        seal = shelf.seal_of(home, charter, read.found[name], read.signing)
        if seal.state == "invalid":
            out.append(bad(f"charter {name}: its signature is invalid: {seal.why}", "`outrider charter sign`"))
    fix = 'Set undecided = "deny" or "ask" in it.'
    return out + [bad(f"charter {name} lets through what nobody can decide", fix) for name in sorted(loose)]


def _live(running: dict[str, Any] | None) -> list[Finding]:
    if running is None:
        return []
    out = []
    if until := running.get("paused_until"):
        why = str(running.get("paused_why", ""))
        out.append(bad(f"PAUSED until {show.when(until)} UTC: nothing is enforced ({why})", "`outrider resume`"))
    for one in running.get("levers", ()):
        fix = f"`outrider release --{one['scope'].replace(':', ' ', 1)}`"
        out.append((warn if one["lever"] == "observe" else bad)(f"{_lever(one)} ({one['living']} living)", fix))
    if count := running.get("asks"):
        out.append(warn(f"{count} calls wait for a person's answer", "`outrider asks`"))
    out += _agents(running)
    out += _done(running)
    if blind := running.get("blind"):
        what = f"rules about code find nothing where they must, in: {', '.join(blind)}"
        out.append(bad(what, "Install Outrider again; until then code in these languages is not looked at."))
    looks = running.get("second_look") or {}
    out += [warn(f"{tool} does not look again at what is written: {why}") for tool, why in looks.items() if why]
    if problem := running.get("seal_problem"):
        out.append(bad(f"the record cannot be sealed: {problem}", "`outrider doctor`"))
    return out


def _agents(running: dict[str, Any]) -> list[Finding]:
    out = []
    if count := running.get("unclaimed"):
        out.append(warn(f"{count} living agents have no charter", "`outrider init` in their repositories."))
    if count := running.get("observing"):
        out.append(warn(f"{count} living agents are only observed"))
    if count := len(running.get("outgrown", ())):
        what = f"{count} living agents are held by the kernel to an older version of their charter"
        out.append(warn(what, "Restart them: rules follow a roll at once, a sandbox is fixed at its start."))
    if count := running.get("opaque_runs"):
        out.append(warn(f"{count} programs that living agents ran were not seen inside"))
    for name, count in (running.get("unmeasured") or {}).items():
        what = f"{count} living agents have a budget of {name} that nobody measures, so that it limits nothing"
        out.append(warn(what, f"Where {name} are told: `outrider charter check`."))
    return out


def _done(running: dict[str, Any]) -> list[Finding]:
    out = []
    if count := running.get("undeclared"):
        fix = "`outrider log --kind deeds.seen`, then `outrider why EVENT`."
        out.append(warn(f"{count} programs or connections of living agents were told by no call", fix))
    if count := running.get("untold"):
        out.append(warn(f"{count} living agents under `outrider run` have told no call: only what they do is seen"))
    return out


def _record(home: Home, running: dict[str, Any] | None) -> dict[str, Any]:
    from outrider.ledger.reader import Reader

    events = int(running.get("events", 0)) if running else 0
    if running is None:
        try:
            events = Reader(home.record).size()
        except OutriderError:
            events = 0
    proves = witnesses.level(home, running)
    size = sum(path.stat().st_size for path in home.record.rglob("*") if path.is_file())
    return {
        "path": str(home.record),
        "events": events,
        "bytes": size,
        "assurance": proves.level,
        "separation": proves.separation,
        "spool_waiting": _lines(home),
    }


def _lines(home: Home) -> int:
    count = 0
    for path in (home.spool, *home.run.glob("spool-*.taken")):
        try:
            with path.open("rb") as file:
                count += sum(1 for line in file if line.strip())
        except OSError:
            continue
    return count


def _daemon(told: dict[str, Any]) -> None:
    if not told["running"]:
        click.echo("No daemon runs; the next hook starts it.")
        return
    if told.get("paused_until"):
        click.echo(click.style(f"PAUSED until {show.when(told['paused_until'])} UTC.", fg="red", bold=True))
    for one in told.get("levers", ()):
        click.echo(click.style(f"{_lever(one)}.", fg="red", bold=True))
    lasts = show.lasting(_now() - int(told.get("started", 0)))
    click.echo(f"The daemon runs (pid {told.get('pid')}, for {lasts}); {told.get('living', 0)} agents live.")


_STATE = {"quarantine": "QUARANTINE", "revoke": "REVOKED, no new births", "observe": "OBSERVED ONLY"}


def _lever(one: dict[str, Any]) -> str:
    since = f"since {show.when(one['ts'])} UTC" if not one["until"] else f"until {show.when(one['until'])} UTC"
    why = f" ({show.safe(one['why'])})" if one["why"] else ""
    return f"{_STATE[one['lever']]}: {show.safe(one['scope'].replace(':', ' ', 1))} {since}{why}"


def _advice(tally: dict[str, int] | None) -> None:
    if not tally or not tally["refused"]:
        return
    refused, corrected = tally["refused"], tally["corrected"]
    again = f"; asked again {tally['repeated']} times" if tally["repeated"] else ""
    show.heading("\nAdvice")
    show.facts([("refused", f"{refused} calls; corrected after it {corrected} ({corrected / refused:.0%}){again}")])


def _now() -> int:
    import time

    return time.time_ns() // 1000


def _covered(covered: list[hooks.Covered], *, paused: bool) -> None:
    show.heading("\nRepositories")
    if not covered:
        click.echo("  None was set up: `outrider init` in one. Agents elsewhere are `unclaimed`.")
        return
    rows = []
    for one in covered:
        state = "PAUSED" if paused else "protected" if one.protected else "preview: not enforced"
        state = "NOT PROTECTED" if one.why else state
        rows.append((state, one.charter, one.path))
    show.table(["state", "charter", "repository"], rows)
