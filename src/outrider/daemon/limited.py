"""Starts one program with little: ``python -I -S limited.py SECONDS BYTES PROGRAM ARGUMENTS...``.

The program runs at the lowest priority, may compute for SECONDS, hold BYTES of address space, and write no file larger
than that. It takes the place of this process, which imports nothing of Outrider.
"""

from __future__ import annotations

import os
import resource
import sys


def main() -> None:
    """Limit this process and become the program."""
    seconds, memory, *command = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(19)
    os.execv(command[0], command)  # noqa: S606 - the program is the one that the configuration names


if __name__ == "__main__":
    main()
