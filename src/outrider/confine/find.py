"""Which launcher this installation has."""

from __future__ import annotations

import os
from pathlib import Path

from outrider.errors import UnavailableError

NATIVE = Path(__file__).with_name("outrider-run")
"""The native launcher; built with the package where there was a C compiler."""


def launcher() -> list[str]:
    """Return the start of the launcher's command line; its options follow.

    Raises:
        UnavailableError: It was not built.
    """
    if not os.access(NATIVE, os.X_OK):
        raise UnavailableError(
            "the launcher was not built: there was no C compiler when Outrider was installed",
            fix="Install gcc or clang, then Outrider again.",
        )
    return [str(NATIVE)]
