"""Checks 3 to 8 on a part of the journal, as a process of its own: ``python -P -m outrider.ledger.verify.part``.

Reads one line of JSON: the ``segments`` by first event and path, the checkpoint's size ``sealed``, and whether the part
``ends`` the journal. Writes one line of JSON with what it found, and behind it the hashes of all leaves, 32 bytes each.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from outrider.ledger.verify.formats import Roots
from outrider.ledger.verify.report import Problems
from outrider.ledger.verify.story import Story
from outrider.ledger.verify.walk import Walk


def main() -> int:
    """Check what is asked for."""
    gc.disable()  # Nothing here refers to itself, and looking for that takes a tenth of the time.
    asked = json.loads(sys.stdin.readline())
    segments = [(first, Path(path)) for first, path in asked["segments"]]
    problems, begins = Problems(), segments[0][0]
    walk = Walk(problems, segments, asked["sealed"], begins=begins, ends=asked["ends"])
    story, hashes = Story(problems, begins), bytearray()
    for piece in walk.pieces():
        hashed = Roots.of_leaf(piece.leaf)
        story.event(walk.index - 1, piece, hashed)
        hashes += hashed
    told = {
        "sound": not problems.found,
        "begins": begins,
        "next": walk.index,
        "tail": walk.tail,
        "groups": [walk.before, walk.group],
        "story": story.told(),
    }
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    sys.stdout.buffer.write(hashes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
