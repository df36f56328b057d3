"""``outrider run``: hands over to the launcher, which is native where there was a C compiler."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from outrider.cli import launchers, reach
from outrider.confine.find import launcher


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--charter", required=True, help="The charter that it is born under.")
@click.option("--sponsor", default="", help="Who answers for it; else as configured, or git's identity.")
@click.option("--purpose", default="", help="What it is for.")
@click.option("--lend", multiple=True, metavar="WHAT", help="HOST:PORT or env:NAME that it needs itself, unjudged.")
@click.option("--shared-view", is_flag=True, help="No file system and network of its own: held by rules alone.")
@click.option("--unseen", is_flag=True, help="What its processes start and connect to is not heard of.")
@click.option("--verbose", is_flag=True, help="Say what is held, what is not, and what was taken out.")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def command(
    *,
    charter: str,
    sponsor: str,
    purpose: str,
    lend: tuple[str, ...],
    shared_view: bool,
    unseen: bool,
    verbose: bool,
    arguments: tuple[str, ...],
) -> None:
    """Start COMMAND as an agent: born before its first instruction, under a charter, held by the kernel.

    Ambient secrets are taken out of its environment; files and hosts are held to the charter; its end is recorded
    with its exit status, which is also this command's. Needs no root.

    \b
    Examples:
      outrider run --charter coder -- make test
      outrider run --charter ci --sponsor ops@example.com --verbose -- ./build.sh
    """  # noqa: D301 - \b is click's mark for text that is not re-wrapped.
    home = reach.home()
    launchers.check(home)
    words = [*launcher(), "--charter", charter]
    for name, text in (("--sponsor", sponsor), ("--purpose", purpose)):
        words += [name, text] if text else []
    words += [word for one in lend for word in ("--lend", one)]
    words += ["--shared-view"] if shared_view else []
    words += ["--unseen"] if unseen else []
    words += ["--verbose"] if verbose else []
    if reach.status(home) is None:
        _up()
    os.execv(words[0], [*words, "--", *arguments])  # noqa: S606 - the person named the command


def _up() -> None:
    """Start the daemon from a process of its own: the launcher takes our place, and must not be above the daemon."""
    done = subprocess.run([sys.executable, "-m", "outrider", "up"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
