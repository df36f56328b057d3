"""``outrider up``."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click

from outrider.cli import reach, show
from outrider.errors import UnavailableError

if TYPE_CHECKING:
    from outrider.config import Home

_WAIT = 20.0


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay in this terminal.")
@click.option("--service", is_flag=True, help="As a systemd service of yours, from now on.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, foreground: bool, service: bool, as_json: bool) -> None:
    """Start the daemon. Hooks start it by themselves when they need it; this does so beforehand.

    \b
    Examples:
      outrider up
      outrider up --service
      outrider up --foreground
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    if foreground and service:
        raise click.UsageError("--foreground and --service exclude each other")
    home = reach.home()
    try:
        home.make()
    except OSError as error:
        raise UnavailableError(f"Outrider's home {home.root} cannot be made: {error.strerror}") from error
    if foreground:
        from outrider.daemon.service import serve

        serve(home)
        return
    if service:
        _serve_always(home)
    running = reach.status(home)
    if running is None and not service:
        _start(home)
    running = _wait(home)
    if as_json:
        show.emit(running, kind="up")
        return
    show.say(f"The daemon runs (pid {running.get('pid', '?')}), {running.get('events', 0)} events in its record.")


def _start(home: Home) -> None:
    with (home.run / "daemon.log").open("ab") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "outrider.daemon", str(home.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + _WAIT
    while reach.status(home) is None and time.monotonic() < until:
        if daemon.poll() is not None:
            raise _not_started(home)
        time.sleep(0.02)


def _serve_always(home: Home) -> None:
    """Write the service, end a daemon that runs without it, and start the service."""
    from outrider.cli import launchers, person
    from outrider.doors.claude_code import files

    person.required(home)
    launchers.systemctl("show-environment")  # Before anything is written: is it there at all?
    launchers.write(home, shared=False)
    files.make_parents(launchers.unit_path())
    files.write(launchers.unit_path(), launchers.unit_text(home).encode(), 0o600)
    launchers.systemctl("daemon-reload")
    if reach.status(home) is not None:
        pid = int(reach.daemon({"do": "down"}, home)["pid"])
        _gone(pid)
    launchers.systemctl("enable", "--now", launchers.UNIT)
    show.say(f"{launchers.UNIT} is enabled: {show.safe(str(launchers.unit_path()))}.")
    show.say("It ends with your last session, unless you run: loginctl enable-linger")


def _gone(pid: int) -> None:
    from outrider.identity.process import read

    until = time.monotonic() + _WAIT
    while read(pid) is not None and time.monotonic() < until:
        time.sleep(0.02)


def _wait(home: Home) -> dict[str, object]:
    until = time.monotonic() + _WAIT
    while time.monotonic() < until:
        running = reach.status(home)
        if running is not None:
            return running
        time.sleep(0.02)
    raise _not_started(home)


def _not_started(home: Home) -> UnavailableError:
    return UnavailableError("the daemon did not start", fix=f"See {home.run / 'daemon.log'}, or `outrider doctor`.")
