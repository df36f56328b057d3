"""Plays every way to change a record against ``outrider verify``, and fails where a verdict is not the expected one.

python -m tamper                      10 and 10,000 events
python -m tamper --size 1000000       a million events: made from the seed, judged, deleted
python -m tamper --keep DIR --size 10000         keeps the folders, for other verifiers
python -m tamper --publish vectors/tamper        writes anew what is published
python -m tamper --json               one JSON object on stdout
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))  # From a checkout, whatever is installed.

from tamper.cases import CASES, SITUATIONS, Case
from tamper.judge import VERSION, Cell, play
from tamper.publish import publish

SIZES = (10, 10_000)


def table(size: int, cells: list[Cell]) -> str:
    """Return the verdicts for a person; ``!`` marks an unexpected one."""
    out = [f"{size:,} events", f"{'':28}" + "".join(f"{one:28}" for one in SITUATIONS)]
    for case in dict.fromkeys(one.case for one in cells):
        row = [one for one in cells if one.case == case]
        out.append(f"{case.name:28}" + "".join(f"{_told(one):28}" for one in row).rstrip())
    return "\n".join(out)


def _told(cell: Cell) -> str:
    mark = "! " if cell.unexpected else ""
    if cell.verdict == "refused":
        asked = "asked: " if cell.offline == "accepted" else ""
        return f"{mark}refused ({asked}{', '.join(cell.by[:2])})"
    return mark + ("not seen" if cell.case.why else "accepted")


def main() -> int:
    """Print the table; 1 if a verdict is not the expected one."""
    parser = argparse.ArgumentParser(prog="tamper", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, action="append", help="events in a record; 10, or a multiple of 1,000")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only these")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the folders under DIR/SIZE")
    parser.add_argument("--publish", type=Path, metavar="DIR", help="write what is published, and judge nothing")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.publish:
        publish(options.publish)
        return 0
    cases = [case for case in CASES if not options.case or case.name in options.case]
    told, unexpected = [], 0
    for size in options.size or SIZES:
        cells = _cells(size, cases, options.keep)
        unexpected += sum(one.unexpected for one in cells)
        told += [_plain(size, one) for one in cells]
        if not options.json:
            slowest = max(one.seconds for one in cells)
            print(table(size, cells), f"\n{len(cells)} cells; verifying took {slowest:.2f} s at most\n", sep="")
    if options.json:
        json.dump({"v": VERSION, "suite": "tamper", "unexpected": unexpected, "cells": told}, sys.stdout)
    elif unexpected:
        print(f"{unexpected} cells are not what they have to be")
    else:
        print("every cell is what it has to be")
    return 1 if unexpected else 0


def _cells(size: int, cases: list[Case], keep: Path | None) -> list[Cell]:
    if keep:
        return list(play(size, keep / str(size), cases, keep=True))
    with tempfile.TemporaryDirectory(prefix="outrider-tamper-") as under:
        return list(play(size, Path(under), cases))


def _plain(size: int, cell: Cell) -> dict[str, object]:
    return {
        "events": size,
        "case": cell.case.name,
        "situation": cell.situation,
        "verdict": cell.verdict,
        "expected": cell.wanted,
        "by": cell.by,
        "offline": cell.offline,
        "assurance": cell.assurance,
        "seconds": round(cell.seconds, 4),
    }


if __name__ == "__main__":
    sys.exit(main())
