"""Which hook client this installation has."""

import os
import sys
from pathlib import Path

NATIVE = Path(__file__).with_name("outrider-hook")
"""The native client; built with the package where there was a C compiler."""

SYSTEM = Path("/usr/local/libexec/outrider/outrider-hook")
"""Where a whole machine's hooks find it."""

PYTHON = Path(__file__).with_name("client.py")


def client() -> list[str]:
    """Return the start of the hook client's command line; its options follow.

    The native client if it was built, else this interpreter, isolated from the environment and from site packages,
    and the Python client.
    """
    if os.access(NATIVE, os.X_OK):
        return [str(NATIVE)]
    return [sys.executable, "-I", "-S", str(PYTHON)]
