"""Some commands change the guard, and agents do not get to. This catches the honest mistake before the floor does."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from outrider.errors import OutriderError, RefusedError
from outrider.identity import process

if TYPE_CHECKING:
    from outrider.config import Home

_MARKS = ("CLAUDECODE",)
"""What hosts put into the environment of the commands that their agents run."""


def required(home: Home) -> None:
    """Refuse to go on inside an agent's process tree.

    Raises:
        RefusedError: A parent of this process is a living agent's host, or its environment is an agent's.
    """
    agent = next((f"an agent ({mark} is set)" for mark in _MARKS if os.environ.get(mark)), "") or _above(home)
    if agent:
        raise RefusedError(
            f"this was asked from inside the process tree of {agent}; agents cannot change their guard",
            fix="Ask from a terminal of your own.",
        )


def _above(home: Home) -> str:
    if not home.record.is_dir():
        return ""
    from outrider.cli import reach

    above = {(facts.pid, facts.start) for facts in process.ancestors(os.getpid())}
    with contextlib.suppress(OutriderError, OSError):
        opened = reach.view(home)
        rows = opened.rows("SELECT id, pid, start FROM agents WHERE ended_n IS NULL AND boot = ?", process.boot_id())
        opened.close()
        return next((f"agent {name}" for name, pid, start in rows if (pid, start) in above), "")
    return ""
