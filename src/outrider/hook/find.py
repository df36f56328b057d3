"""Which hook client this installation has."""

import os
import sys
from pathlib import Path

NATIVE = Path(__file__).with_name("outrider-hook")
"""The native client; built with the package where there was a C compiler."""

PYTHON = Path(__file__).with_name("client.py")


def client() -> list[str]:
    """Return the start of the hook client's command line; its options follow.

    The native client if it was built, else this interpreter, isolated from the environment and from site packages,
    and the Python client.
    """
    if os.access(NATIVE, os.X_OK):
        return [str(NATIVE)]
    return [sys.executable, "-I", "-S", str(PYTHON)]


def command(*, door: str, socket: Path, spool: Path, undecided: str, start: Path | None = None) -> list[str]:
    """Return the hook client's whole command line but for ``--event``, as it is written into a host's settings.

    Args:
        door: Name of the door, such as ``claude_code``.
        socket: The daemon's socket, absolute, at most 107 bytes (103 on macOS).
        spool: Where an unanswered call leaves its line, absolute.
        undecided: ``deny``, ``ask`` or ``allow``.
        start: An executable that becomes the daemon; it gets no arguments, and of the environment only ``PATH`` and
            ``LANG``. None: the client starts nothing.
    """
    words = [*client(), "--door", door, "--socket", str(socket), "--spool", str(spool), "--undecided", undecided]
    return [*words, "--start", str(start)] if start is not None else words
