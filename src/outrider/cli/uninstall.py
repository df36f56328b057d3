"""``outrider uninstall``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outrider.cli import hosts, init, launchers, person, reach, show
from outrider.config import load_config, save_config
from outrider.doors.claude_code import files, settings
from outrider.doors.claude_code.installed import Installation, installations, take_out
from outrider.errors import BadInputError, OutriderError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from outrider.config import Home


@click.command("uninstall")
@click.option("--system", "whole", is_flag=True, help="What `install --system` set up.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(*, whole: bool, yes: bool) -> int:
    """Take Outrider out of the agents' configuration, everywhere that init put it.

    Ends the daemon and its service. The record, the keys and your own charters stay; where they are is said.

    \b
    Example:
      outrider uninstall
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    home = reach.home()
    person.required(home)
    if whole:
        return _whole(yes=yes)
    known, strays = _known(home), _strays(home)
    service = launchers.unit_path()
    for name in [*(one.path for one in known), *map(str, strays), *([str(service)] if service.exists() else [])]:
        show.say(f"Outrider goes out of {show.safe(name)}.")
    if not init.agreed(yes=yes, question="Uninstall?"):
        show.say("Nothing was changed.")
        return 0
    steps: list[Callable[[], None]] = [partial(_take_out, home, one) for one in known]
    steps += [partial(_strip, path) for path in strays]
    steps.append(partial(_forget, home))
    if service.exists():
        steps.append(_unserve)
    failed = sum([not _done(step) for step in steps])
    with contextlib.suppress(UnavailableError):
        reach.daemon({"do": "down"}, home)
        show.say("The daemon has ended.")
    _remove_launchers(home)
    show.say(
        f"The record stays in {show.safe(str(home.record))}, the keys that prove it in {show.safe(str(home.keys))}."
    )
    return 1 if failed else 0


def _whole(*, yes: bool) -> int:
    """Take a system installation out of this machine.

    Raises:
        RefusedError: Who asks is not root.
    """
    from outrider.cli import sensor_unit, system

    steps = (*sensor_unit.undoing(), *system.undoing())
    for step in steps:
        show.say(f"{step.told}  # {step.why}")
    if os.geteuid() != 0:
        raise RefusedError("only root can do this", fix="`sudo outrider uninstall --system`")
    if not init.agreed(yes=yes, question="Uninstall?"):
        show.say("Nothing was changed.")
        return 0
    failed = sum([not _done(partial(system.do, step, Path("/"))) for step in steps])
    show.say(f"The record and its keys stay in {system.HOME.root}, and the user {system.USER} with them.")
    return 1 if failed else 0


def _known(home: Home) -> tuple[Installation, ...]:
    try:
        return installations(home)
    except BadInputError as error:
        show.say(f"outrider: {show.safe(error.diagnostics())}")
        return ()


def _strays(home: Home) -> list[Path]:
    """Return settings files that hold our hooks though our list does not name them."""
    listed = {one.path for one in _known(home)}
    usual = [hosts.user_settings()]
    with contextlib.suppress(BadInputError):
        for one in load_config(home).repositories:
            usual += [files.local_settings(Path(one.path)), files.shared_settings(Path(one.path))]
    found = []
    for path, text in files.texts([path for path in usual if str(path) not in listed]).items():
        with contextlib.suppress(BadInputError):
            if settings.uninstall(text) != text:
                found.append(Path(path))
    return found


def _strip(path: Path) -> None:
    now = files.read(path)
    if now.text is not None:
        files.write(now.target, settings.uninstall(now.text).encode(), now.mode)
        show.say(init.undone(str(path), "removed"))


def _forget(home: Home) -> None:
    from msgspec.structs import replace

    config = load_config(home)
    if config.repositories or config.http.enabled:
        save_config(home, replace(config, repositories=(), http=replace(config.http, enabled=False)))


def _unserve() -> None:
    unit = launchers.unit_path()
    with contextlib.suppress(UnavailableError):
        launchers.systemctl("disable", "--now", launchers.UNIT)
    unit.unlink(missing_ok=True)
    with contextlib.suppress(UnavailableError):
        launchers.systemctl("daemon-reload")
    show.say(f"{show.safe(str(unit))} is gone.")


def _remove_launchers(home: Home) -> None:
    link = Path.home() / ".local" / "bin" / launchers.NAME
    with contextlib.suppress(OSError):
        if link.is_symlink() and link.readlink() == launchers.hook(home):
            link.unlink()
    for path in (launchers.daemon(home), launchers.hook(home)):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _take_out(home: Home, one: Installation) -> None:
    show.say(init.undone(one.path, take_out(home, one)))


def _done(step: Callable[[], None]) -> bool:
    """Do one step. If it cannot be done, say why and return False: the next ones are done all the same."""
    try:
        step()
    except (OutriderError, OSError) as error:
        show.say(click.style("outrider: ", fg="red") + show.safe(str(error)))
        return False
    return True
