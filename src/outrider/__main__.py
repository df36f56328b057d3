"""The ``outrider`` command, and ``python -m outrider``.

``outrider run`` stands between a person and every command that they start so: where a daemon is there, it becomes the
launcher before anything of the command line tool is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_HERE = os.path.abspath(__file__)  # noqa: PTH100 - pathlib takes as long to import as the launcher to start
_LAUNCHER = f"{_HERE.rpartition('/')[0]}/confine/outrider-run"


def main() -> None:
    """Run the command line."""
    words = launch(sys.argv[1:], os.environ.get("OUTRIDER_HOME") or os.path.expanduser("~/.outrider"))  # noqa: PTH111
    if words:
        os.execv(words[0], words)  # noqa: S606 - our own launcher
    from outrider.cli import main as whole  # noqa: PLC0415 - importing it is what takes the time

    whole()


def launch(args: Sequence[str], home: str) -> list[str]:
    """Return the launcher's command line where nothing needs to be said or started first; else nothing."""
    options = args[1 : args.index("--")] if "--" in args else ()
    plain = all(one not in {"--help", "-h"} and not (one.startswith("--") and "=" in one) for one in options)
    if not options or args[0] != "run" or not plain or "--charter" not in options:
        return []
    there = os.access(_LAUNCHER, os.X_OK) and os.path.exists(f"{home}/run/daemon.sock")  # noqa: PTH110
    return [_LAUNCHER, *args[1:]] if there else []


if __name__ == "__main__":
    main()
