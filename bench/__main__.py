"""Measures every budget, each beside a baseline of the same run.

    python -m bench                   everything, five minutes on two quiet cores
    python -m bench --quick           the same with less of each, a minute
    python -m bench --only judge      one of them
    python -m bench --full            10 million events in the record and in the view; hours
    python -m bench --json            one JSON object on stdout
    python -m bench --write docs/performance.md     puts the table into the document too

Nothing leaves this machine; homes are temporary; no process is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))  # From a checkout, whatever is installed.

from bench.measure import Row, markdown, say, table
from bench.suite import ROWS, SIZES

MARKS = ("<!-- measured -->", "<!-- /measured -->")


def machine() -> dict[str, object]:
    """Return what the numbers were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def write(document: Path, said: str, rows: list[Row]) -> None:
    """Put the table between the marks of a document.

    Raises:
        ValueError: The document has no such marks.
    """
    before, opened, rest = document.read_text().partition(MARKS[0])
    _, closed, after = rest.partition(MARKS[1])
    if not (opened and closed):
        raise ValueError(f"{document} has no {MARKS[0]} and {MARKS[1]}")
    document.write_text(f"{before}{opened}\n{said}\n\n{markdown(rows)}\n{closed}{after}")


def main() -> int:
    """Run what is asked for; 1 if an answer was wrong. Budgets do not count: a busy machine misses some."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.add_argument("--only", metavar="NAME", action="append", choices=ROWS, help=", ".join(ROWS))
    parser.add_argument("--write", metavar="FILE", type=Path, help="put the table between the marks of a document")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="less of each")
    how.add_argument("--full", action="store_true", help="10 million events")
    options = parser.parse_args()
    name = "quick" if options.quick else "full" if options.full else "default"
    where, rows = machine(), list[Row]()
    began = time.monotonic()
    for one in options.only or ROWS:
        say(f"[{time.monotonic() - began:5.0f} s] {one}")
        rows += ROWS[one](SIZES[name])
    took = time.monotonic() - began
    wrong = [row.name for row in rows if row.wrong]
    if options.json:
        plain = [row.plain() for row in rows]
        print(json.dumps({"v": 1, "bench": name, "machine": where, "seconds": round(took), "rows": plain}))
        return 1 if wrong else 0
    said = (
        f"{where['cores']} cores, {where['processor']}, {where['system']}, Python {where['python']}, "
        f"load {where['load']} at the start; {took:.0f} s."
    )
    if options.write:
        write(options.write, said, rows)
    print(f"{said}\n")
    print(table(rows))
    missed = [row.name for row in rows if row.missed]
    print(f"\n{len(missed)} of {sum(1 for row in rows if row.budgets)} budgets missed" + (": " if missed else ""))
    print("".join(f"    {one}\n" for one in missed), end="")
    print("".join(f"wrong answers: {one}\n" for one in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
