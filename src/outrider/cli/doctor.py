"""``outrider doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import facts, hooks, hosts, kernel, launchers, reach, sensor, show, witnesses
from outrider.cli.finding import Finding, bad, ok, tell, warn
from outrider.config import load_config
from outrider.daemon import lent, shelf
from outrider.errors import BadInputError, OutriderError
from outrider.identity import process
from outrider.identity.registries import setups

if TYPE_CHECKING:
    from outrider.config import Home

_LOW = 1_000_000_000
_OUT = 100_000_000
_LATE = 1_700_000_000
"""A clock before this second of 1970 was never set."""
_LOG = 64 * 1024


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> int:
    """Look for what is wrong, and say what to do about it. Exit status 1 if something is bad.

    \b
    Examples:
      outrider doctor
      outrider doctor --json
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    home = reach.home()
    claude = hosts.find_claude(hosts.named(home))
    parts = {
        "This machine": [*_system(), *_client(), *_programs()],
        "Confinement": [*kernel.check(), _sensor(home)],
        "Claude Code": [*_claude(claude), *hooks.check(home, claude)],
        "Outrider": [
            *_daemon(home),
            *_places(home),
            *_charters(home),
            *_rules(),
            *_second_look(home),
            *_lent(home),
            *_separated(home),
        ],
        "Packages": [*_registries(), *_facts(home)],
    }
    worst = any(one.level == "bad" for found in parts.values() for one in found)
    if as_json:
        show.emit({"ok": not worst, "findings": parts}, kind="doctor")
        return 1 if worst else 0
    for title, found in parts.items():
        show.heading(title)
        tell(found)
        click.echo()
    count = sum(one.level == "bad" for found in parts.values() for one in found)
    click.echo(click.style(f"{count} bad findings." if worst else "Nothing is bad.", fg="red" if worst else "green"))
    return 1 if worst else 0


def _separated(home: Home) -> list[Finding]:
    return witnesses.separated(reach.proves(home).separation) if home.record.is_dir() else []


def _system() -> list[Finding]:
    version = platform.python_version()
    out = [ok(f"Python {version} at {sys.executable}, {platform.system()} {platform.release()}")]
    if why := process.unavailable():
        out.append(bad(f"processes cannot be attested: {why}", "Outrider needs Linux's /proc to know who asks."))
    else:
        out.append(ok("processes can be attested (/proc)"))
    if time.time() < _LATE:
        out.append(bad("the clock was never set", "Set it: the record's times come from it."))
    return out


def _client() -> list[Finding]:
    if launchers.is_native():
        out = [ok("hooks run the native client")]
    else:
        has = any(shutil.which(name) for name in ("musl-gcc", "cc", "gcc", "clang"))
        fix = "Install Outrider again: it builds the native client, since there is a C compiler."
        fix = fix if has else "Install a C compiler (such as gcc), then Outrider again: it builds the native client."
        out = [warn("hooks run the Python client, which is slower at every call", fix)]
    if unsteady := launchers.unsteady(Path("/nonexistent")):
        out.append(warn(unsteady))
    return out


def _programs() -> list[Finding]:
    git = shutil.which("git")
    return [ok(f"git at {git}") if git else warn("there is no git", "Install it: commits are part of an identity.")]


def _rules() -> list[Finding]:
    from outrider.detect.code.vectors import canaries, silent

    blind = silent()
    if blind:
        fix = "Install Outrider again; until then code in these languages is not looked at."
        return [bad(f"rules about code find nothing where they must, in: {', '.join(blind)}", fix)]
    return [ok(f"rules about code find what they must in {len(canaries())} languages and formats")]


def _second_look(home: Home) -> list[Finding]:
    """Let the scanners that look again, where there are any, find their canary."""
    import asyncio

    from outrider.daemon.scanners import canary, scanners

    out = []
    for one in scanners(load_config(home).second_look):
        if why := asyncio.run(canary(one)):
            fix = f"Install {one.name} for the daemon, or take it out of [second_look] in {home.config}."
            out.append(bad(f"{one.name} cannot look again at what is written: {why}", fix))
        else:
            out.append(ok(f"{one.name} at {one.program} looks again at what is written"))
    return out


def _lent(home: Home) -> list[Finding]:
    """Read what may be lent to agents, where somebody wrote that down."""
    if not (home.root / lent.FILE).exists():
        return []
    try:
        here = lent.load(home.root)
    except BadInputError as error:
        return [bad(f"nothing is lent to agents: {error}", error.fix or "Correct the file; docs/identity.md has one.")]
    names = [*(f"aws:{name}" for name in sorted(here.aws)), *(f"git:{name}" for name in sorted(here.git))]
    return [ok(f"may be lent to agents whose charter names it: {', '.join(names) or 'tokens'}")]


def _claude(claude: hosts.Claude | None) -> list[Finding]:
    if claude is None:
        return [warn("no coding agent was found", "Install one, or name it: `outrider init --claude PATH`.")]
    where = f" at {claude.path}" if claude.path else ", though there is no `claude` on PATH"
    if not claude.version:
        return [bad(f"{claude.told}{where}: {hosts.CANNOT_FAIL_CLOSED}", "See that `claude --version` answers.")]
    if not claude.on_failure:
        return [bad(f"{claude.told}{where}: {hosts.CANNOT_FAIL_CLOSED}", "Update it, then `outrider init` again.")]
    return [ok(f"{claude.told}{where}; it can fail closed")]


def _daemon(home: Home) -> list[Finding]:
    try:
        running = reach.status(home)
    except OutriderError as error:
        return [warn(f"the daemon does not say how it is: {error}", error.fix), *_log(home)]
    if running is None:
        return [ok("no daemon runs; the next hook starts it"), *_log(home)]
    out = [ok(f"the daemon runs (pid {running.get('pid')}, version {running.get('version')})")]
    if running.get("seal_problem"):
        out += [bad(f"the record cannot be sealed: {running['seal_problem']}", "See the disk and the keys below.")]
        out += _log(home)
    if running.get("issuer_problem"):
        fix = f"Correct {home.root / lent.FILE} and start the daemon again."
        out.append(bad(f"what checks credentials is not served: {running['issuer_problem']}", fix))
    out += (*witnesses.look(running), *witnesses.stamps(running))
    if running.get("paused_until"):
        out.append(bad("enforcing is paused", "`outrider resume`"))
    return out


def _sensor(home: Home) -> Finding:
    try:
        return sensor.look(reach.status(home))
    except OutriderError:
        return sensor.look(None)


def _log(home: Home) -> list[Finding]:
    """Return the last thing in the daemon's log, if that is an error."""
    path = home.run / "daemon.log"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    wrong = [line for line in lines if line.startswith("outrider: ") or " ERROR " in line or "Error: " in line]
    return [warn(f"the daemon's log ends in trouble: {wrong[-1][:300]}", f"See {path}.")] if wrong else []


def _places(home: Home) -> list[Finding]:
    if not home.root.exists():
        return [ok(f"{home.root} will be made on first use")]
    out = []
    try:
        launchers.check(home)
        load_config(home)
    except BadInputError as error:
        out.append(bad(str(error), error.fix))
    private = [home.root, home.run, home.record, home.keys, home.content, home.charters, home.bin, home.view.parent]
    private += sorted(home.keys.glob("*")) if home.keys.is_dir() else []
    private += [home.root / "backups", home.root / "installed.json", home.config, home.socket]
    wrong = [found for path in private if (found := _private(path))]
    out += wrong or [ok(f"{home.root}, its socket and its keys are private to you")]
    if not os.access(home.root, os.W_OK):
        out.append(bad(f"{home.root} cannot be written", "Nothing can be recorded: see to its permissions."))
    return out


def _private(path: Path) -> Finding | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    if facts.st_uid != os.geteuid():
        return bad(f"{path} belongs to another user", "Every decision rests on it: find out why.")
    if stat.S_ISLNK(facts.st_mode):
        return warn(f"{path} is a link")
    if stat.S_IMODE(facts.st_mode) & 0o077:
        return bad(f"others can reach {path}", f"chmod {'700' if path.is_dir() else '600'} {path}")
    return None


def _charters(home: Home) -> list[Finding]:
    read = shelf.load(home)
    wrong = [
        bad(f"charter {name}: {error}", error.fix or "`outrider charter check`") for name, error in read.bad.items()
    ]
    try:
        known = {one.charter: one.path for one in load_config(home).repositories}
    except BadInputError:
        known = {}
    wrong += [
        bad(f"{path} has charter {name}, which is not there", "`outrider init --charter NAME` there.")
        for name, path in known.items()
        if read.shelf.get(name) is None and name not in read.bad
    ]
    return wrong or [ok(f"{len(read.shelf.names)} charters, all good")]


def _disk(home: Home) -> list[Finding]:
    there = next(path for path in (home.record, *home.record.parents) if path.exists())
    free = shutil.disk_usage(there).free
    told = f"{free / 1e9:.1f} GB are free for the record"
    fix = "Make room: what cannot be recorded is refused."
    if free < _OUT:
        return [bad(told, fix)]
    return [warn(told, fix) if free < _LOW else ok(told)]


def _facts(home: Home) -> list[Finding]:
    try:
        running = reach.status(home)
    except OutriderError:
        running = None
    return facts.look(home, running)


def _registries() -> list[Finding]:
    """Say which package managers are here whose registry is not known, so that a charter's @registries lacks it."""
    found = setups(Path.home())
    known = [one.tool for one in found if one.hosts]
    out = [ok(f"@registries knows those of {', '.join(known)}")] if known else [warn("@registries knows none")]
    fix = "Configure it for this user, or allow its host in a charter."
    return out + [warn(f"{one.tool}: {one.note}", fix) for one in found if one.note and shutil.which(one.tool)]
