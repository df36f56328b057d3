"""A hook that only records: ``stub_hook.py FOLDER EVENT``.

Writes what the host sent to ``FOLDER/<ns>-EVENT.json``. If ``FOLDER/EVENT.answer`` exists, prints it; that is how a
test cans an answer. Standard library only: the real client starts it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def main() -> None:
    """Record, then answer if an answer was canned."""
    folder, event = Path(sys.argv[1]), sys.argv[2]
    payload = sys.stdin.buffer.read()
    part = folder / f".{time.time_ns()}-{event}"
    part.write_bytes(payload)
    part.rename(folder / f"{part.name[1:]}.json")
    canned = folder / f"{event}.answer"
    if canned.exists():
        sys.stdout.buffer.write(canned.read_bytes())


if __name__ == "__main__":
    main()
