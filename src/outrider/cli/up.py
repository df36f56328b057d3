"""``outrider up``."""

from __future__ import annotations

import subprocess
import sys
import time

import click

from outrider.cli import reach, show

_WAIT = 20.0


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay in this terminal.")
def command(*, foreground: bool) -> None:
    """Start the daemon. Hooks start it by themselves when they need it; this does so beforehand.

    \b
    Examples:
      outrider up
      outrider up --foreground
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.errors import UnavailableError

    home = reach.home()
    home.make()
    if foreground:
        from outrider.daemon.service import serve

        serve(home)
        return
    running = reach.status(home)
    if running is None:
        with (home.run / "daemon.log").open("ab") as log:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "outrider.daemon", str(home.root)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _WAIT
        while running is None and time.monotonic() < until and daemon.poll() is None:
            time.sleep(0.02)
            running = reach.status(home)
        if running is None:
            raise UnavailableError("the daemon did not start", fix=f"See {home.run / 'daemon.log'}.")
    show.say(f"The daemon runs (pid {running.get('pid', '?')}), {running.get('events', 0)} events in its record.")
