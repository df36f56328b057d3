"""Scores Outrider's judging on data that nobody here wrote, and on our own everyday calls.

    python -m score                               everything, from ../shared/corpora
    python -m score --corpora DIR                 another folder of the same shape
    python -m score --only commands               one section
    python -m score --json                        one object on stdout
    python -m score --wrong                       every row that disagrees, with its text
    python -m score --write docs/quality.md       puts the table into the document, and score.json beside it;
                                                  sections that are left out keep their last figures

What is not there is "not measured", never a pass. Nothing leaves this machine and nothing runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
BESIDE = TOP.parent / "shared" / "corpora"
sys.path.insert(0, str(TOP / "src"))  # From a checkout, whatever is installed.

from score.report import merged, plain, rows_of, table, write
from score.sections import SECTIONS


def main() -> int:
    """Score what is asked for; 0 however it went, for a figure is not an error; 2 where there is no such folder."""
    parser = argparse.ArgumentParser(prog="score", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=BESIDE, metavar="DIR")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="NAME", help=", ".join(SECTIONS))
    parser.add_argument("--json", action="store_true", help="one object on stdout instead of a table")
    parser.add_argument("--wrong", action="store_true", help="every row that disagrees, with its text")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the marks of a document")
    options = parser.parse_args()
    if options.corpora != BESIDE and not options.corpora.is_dir():
        print(f"score: there is no folder {options.corpora}", file=sys.stderr)
        return 2
    began, rows = time.monotonic(), []
    for name in options.only or SECTIONS:
        print(f"[{time.monotonic() - began:4.0f} s] {name}", file=sys.stderr, flush=True)
        rows += SECTIONS[name](options.corpora)
    whole = plain(rows)
    if options.write:
        numbers = TOP / "score.json"
        both = merged(json.loads(numbers.read_text("utf-8")) if numbers.exists() else {}, whole)
        write(options.write, rows_of(both))
        numbers.write_text(json.dumps(both, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if options.json:
        print(json.dumps(whole, ensure_ascii=False))
        return 0
    print(table(rows))
    if options.wrong:
        for row in rows:
            for one in row.wrong:
                print(f"{row.what} [{one.family}] {one.id}: {one.said}, wanted {one.wanted}: {one.why}")
                if one.text:
                    print(f"    {one.text[:400]!r}")
    missed = sum(row.state == "missed" for row in rows)
    print(f"\n{len(rows)} figures, {missed} missed, {sum(not row.of for row in rows)} not measured")
    return 0


if __name__ == "__main__":
    sys.exit(main())
