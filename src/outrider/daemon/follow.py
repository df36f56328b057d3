"""The process that keeps the view: follows the journal into SQLite, and ends when its daemon does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from outrider.config import Home
from outrider.investigate.reach import Names, Pairs, record_of
from outrider.store.follow import follow
from outrider.store.view import View


def main(argv: list[str]) -> None:
    """Follow the record of the home ``argv[1]`` for as long as the process ``argv[2]`` is our parent."""
    home = Home(Path(argv[1]))
    parent = int(argv[2])
    os.nice(5)  # The view may lag; no answer waits for it.
    record = Pairs(record_of(home))
    # A home that is deleted must stay deleted: opening its view again would make the directory anew.
    view = View(home.view, opened=Names(home))
    follow(view, record, stop=lambda: os.getppid() != parent or not home.record.is_dir())


if __name__ == "__main__":
    main(sys.argv)
