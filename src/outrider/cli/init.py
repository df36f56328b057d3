"""``outrider init``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import hooks, hosts, launchers, person, reach, setup, show, survey
from outrider.config import load_config, remove_repository
from outrider.doors.claude_code.installed import Scope, installations, take_out
from outrider.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from outrider.config import Home, Mode


@click.command("init")
@click.option("--observe", "mode", flag_value="observe", help="Preview: record, refuse nothing. [default]")
@click.option("--enforce", "mode", flag_value="enforce", help="Refuse what the charter refuses.")
@click.option("--charter", "charter", metavar="NAME", default="", help="The charter. [default: one that suits]")
@click.option("--local", "scope", flag_value="local", help="Only here: .claude/settings.local.json.")
@click.option("--shared", "scope", flag_value="shared", help="For all who clone: .claude/settings.json.")
@click.option("--http", "http", is_flag=True, help="Hooks over HTTP where they can be. Weaker.")
@click.option("--claude", "claude", type=click.Path(path_type=Path), help="The program. [default: from PATH]")
@click.option("--undo", is_flag=True, help="Take back what init did for this repository.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    *, mode: Mode | None, charter: str, scope: Scope | None, http: bool, claude: Path | None, undo: bool, yes: bool
) -> None:
    """Set Outrider up for the coding agents on this machine, and give this repository a charter.

    Writes hooks into the agents' settings of this user, after showing what changes. It begins with a preview:
    everything is judged and recorded, and what the charter would refuse is not refused. Once you like what you see,
    `outrider init --enforce` switches.

    \b
    Examples:
      outrider init                   preview, after asking
      outrider init --enforce         from now on, refuse
      outrider init --charter developer   for your own desk: any site, any folder
      outrider init --undo            as it was before
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    home = reach.home()
    person.required(home)
    root = survey.here()
    if undo:
        _undo(home, root, yes=yes)
        return
    program = claude or hosts.named(home)
    found = hosts.find_claude(program)
    if found is None:
        raise UnavailableError(
            "no coding agent was found: there is no `claude` on PATH", fix="Install it, or name it: --claude PATH."
        )
    wanted = setup.Wanted(
        root=root, scope=scope or _scope(home, root), charter=charter, mode=mode, http=http, program=program
    )
    planned = setup.plan(home, wanted, found)
    if wanted.scope == "shared":
        _on_path(home)
    _tell_before(planned)
    if planned.changes_settings and not agreed(yes=yes, question="Write this?"):
        show.say("Nothing was changed.")
        return
    try:
        home.make()
    except OSError as error:
        raise UnavailableError(f"Outrider's home {home.root} cannot be made: {error.strerror}") from error
    setup.apply(home, planned)
    _tell_after(home, planned)


def _scope(home: Home, root: Path) -> Scope:
    """Return the scope that this repository was set up with, else the user's settings."""
    return next((one.scope for one in installations(home) if one.repository == str(root)), "user")


def agreed(*, yes: bool, question: str) -> bool:
    """Ask, where somebody can answer, and return whether the answer is yes.

    Raises:
        RefusedError: Nobody can, and ``--yes`` was not given.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            "nobody is here to say yes, so nothing was changed", fix="Add --yes if that is what you want."
        )
    return click.confirm(question, default=True, err=True)


def _tell_before(planned: setup.Plan) -> None:
    wanted, claude = planned.wanted, planned.claude
    show.say(f"Found {show.safe(claude.told)}{f' at {show.safe(claude.path)}' if claude.path else ''}.")
    if not claude.on_failure:
        show.say(click.style(hosts.CANNOT_FAIL_CLOSED, fg="red", bold=True))
    unsteady = launchers.unsteady(wanted.root)
    if unsteady:
        _warn(unsteady + ".")
    if wanted.http:
        _warn("HTTP hooks are weaker: the sender of a call cannot be told, and an empty answer lets it run.")
        if planned.now.raw is not None and planned.now.mode & 0o077:
            _warn(f"others on this machine can read the token in {planned.now.path}: chmod 600 it.")
    _where_from(planned)
    _which(planned)
    for what in hooks.off_in(wanted.root, planned.now.path, planned.text):
        show.say(click.style(f"NOT IN FORCE: {show.safe(what)}.", fg="red", bold=True))
    if planned.changes_settings:
        show.say("")
        for line in planned.diff():
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.echo(click.style(show.safe(line), fg=colour))
        show.say("")


_DESK = (
    "coder keeps agents to this repository and the hosts on its list: right for work that nobody watches. At your own "
    "desk take developer, which is silent about any website, folder and tool, and stops what does harm: "
    "--charter developer."
)


def _which(planned: setup.Plan) -> None:
    """Say which other charter there is, where a repository gets its first and nobody chose it."""
    if planned.charter == "coder" and not (planned.wanted.charter or planned.is_registered):
        show.say(_DESK)


def _where_from(planned: setup.Plan) -> None:
    """Warn of what the place of the settings file brings with it."""
    wanted = planned.wanted
    if wanted.scope == "shared":
        effect = "are blocked" if planned.claude.on_failure else "go on with an error, unprotected"
        _warn(f"colleagues without `{launchers.NAME}` on PATH: their agents' calls {effect} until they install it.")
    elif wanted.scope == "local" and not survey.is_ignored(planned.now.path, wanted.root):
        _warn(f"git does not ignore {planned.now.path}: do not commit it.")
    elif wanted.scope == "user" and survey.is_tracked(planned.now.target, planned.now.target.parent):
        _warn(f"{planned.now.target} is in a git repository, and the hooks name paths of this machine.")


def _tell_after(home: Home, planned: setup.Plan) -> None:
    """Say in five lines what will now happen."""
    name, where = planned.charter, show.safe(str(planned.wanted.root))
    preview = planned.mode == "observe"
    show.say(click.style(f"{where} has charter {name} ({planned.why}).", bold=True))
    if preview:
        show.say(f"1. PREVIEW: what {name} would refuse is recorded, not refused. The floor holds even so.")
    else:
        show.say(f"1. ENFORCED: what {name} refuses is refused, and the agent is told what to do instead.")
    who = "your Claude Code sessions" if planned.wanted.scope == "user" else "sessions in this repository"
    show.say(f"2. All {who} are judged and recorded from their next start on.")
    failing = {"deny": "refused", "ask": "asked about", "allow": "LET THROUGH"}[planned.undecided]
    show.say(f"3. The daemon starts by itself. If it cannot answer, calls are {failing}, in a preview too.")
    show.say(f"4. See it: `outrider status`, `outrider log`; the rules: `outrider charter show {name}`.")
    switch = "`outrider init --enforce` enforces" if preview else "`outrider init --observe` only watches"
    show.say(f"5. {switch}; `outrider init --undo` takes everything back.")
    running = reach.status(home)
    if running is not None and name not in running.get("charters", {name: ""}):
        _warn(f"the running daemon does not know charter {name} yet: `outrider down`, and it starts anew by itself.")


def _on_path(home: Home) -> None:
    """See that the shared name leads to our launcher.

    Raises:
        UnavailableError: It is not on PATH, or leads to something else.
    """
    ours = launchers.hook(home)
    found = shutil.which(launchers.NAME)
    if found is not None and Path(found).resolve() == ours.resolve():
        return
    if found is not None:
        raise UnavailableError(f"{launchers.NAME} on PATH is {found}, not ours", fix=f"Put {home.bin} first on PATH.")
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    if str(home.bin) in on_path:
        return
    usual = Path.home() / ".local" / "bin"
    if str(usual) in on_path and usual.is_dir():
        (usual / launchers.NAME).unlink(missing_ok=True)
        (usual / launchers.NAME).symlink_to(ours)
        show.say(f"{usual / launchers.NAME} now leads to {ours}.")
        return
    raise UnavailableError(f"{launchers.NAME} is not on PATH", fix=f"Put {home.bin} on PATH, then run this again.")


def _undo(home: Home, root: Path, *, yes: bool) -> None:
    path = survey.pattern(root)
    config = load_config(home)
    others = [one.path for one in config.repositories if one.path != path]
    mine = [one for one in installations(home) if one.repository == str(root) or (one.scope == "user" and not others)]
    registered = any(one.path == path for one in config.repositories)
    if not mine and not registered:
        show.say(f"{show.safe(str(root))} was not set up; there is nothing to undo.")
        return
    for one in mine:
        show.say(f"Outrider's hooks go out of {show.safe(one.path)}.")
    if not agreed(yes=yes, question="Undo?"):
        show.say("Nothing was changed.")
        return
    for one in mine:
        show.say(undone(one.path, take_out(home, one)))
    if registered:
        remove_repository(home, path)
        show.say(f"{show.safe(str(root))} has no charter any more.")
    if others and any(one.scope == "user" for one in installations(home)):
        show.say(f"The user's hooks stay for {len(others)} other repositories; `outrider uninstall` removes them.")
    show.say(f"The record stays in {show.safe(str(home.record))}.")


def undone(path: str, how: str) -> str:
    """Return what became of a settings file, in words."""
    told = {
        "restored": "is as it was before, byte for byte.",
        "removed": "was changed since init: only Outrider's entries were removed, the rest stays.",
        "kept": "held nothing of Outrider's any more, and stays as it is.",
        "gone": "is not there any more.",
    }
    return f"{show.safe(path)} {told[how]}"


def _warn(text: str) -> None:
    show.say(click.style("Warning: ", fg="yellow") + show.safe(text))
