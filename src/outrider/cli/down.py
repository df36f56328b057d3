"""``outrider down``."""

from __future__ import annotations

import time

import click

from outrider.cli import reach, show

_WAIT = 20.0


@click.command("down")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def command(*, as_json: bool) -> None:
    """End the daemon in good order. Refused from inside an agent's process tree.

    Hooks start it again when an agent next asks; to stop enforcing, `outrider pause` or `outrider uninstall`.

    \b
    Example:
      outrider down
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    from outrider.errors import UnavailableError
    from outrider.identity.process import read

    try:
        pid = int(reach.daemon({"do": "down"})["pid"])
    except UnavailableError:
        show.say("No daemon runs.")
        if as_json:
            show.emit({"pid": 0, "ended": False}, kind="down")
        return
    until = time.monotonic() + _WAIT
    while read(pid) is not None:
        if time.monotonic() > until:
            raise UnavailableError(f"the daemon (pid {pid}) has not ended within {_WAIT:.0f} s")
        time.sleep(0.02)
    if as_json:
        show.emit({"pid": pid, "ended": True}, kind="down")
        return
    show.say("The daemon has ended.")
