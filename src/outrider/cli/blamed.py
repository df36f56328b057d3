"""A line of a file, as a person names it (``src/app.py:42``), to the commit that last changed it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_LINE = re.compile(r"(.+):([1-9]\d{0,7})\Z")
_COMMIT = re.compile(r"[0-9a-f]{40,64} ")


def commit_of(artefact: str) -> str:
    """Return the commit that git blames for a line of an existing file; empty where it is no such line.

    A line that is not committed yet has none.
    """
    found = _LINE.match(artefact)
    if found is None or not Path(found[1]).is_file() or Path(artefact).exists():
        return ""
    path = Path(found[1]).absolute()
    asked = ["git", "-C", str(path.parent), "blame", "--porcelain", "-L", f"{found[2]},{found[2]}", "--", path.name]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    commit = told.stdout.partition(" ")[0] if _COMMIT.match(told.stdout) else ""
    return "" if set(commit) == {"0"} else commit
