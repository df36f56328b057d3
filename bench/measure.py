"""Numbers, and how they are told: percentiles, baselines of the same run, budgets met and missed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_UNITS = {"us": 1e3, "ms": 1e6}
_BLOCK = 16 << 20


@dataclass
class Row:
    """One thing measured.

    Attributes:
        name: What it is.
        unit: ``us`` or ``ms`` for durations, ``/s`` for a rate.
        values: ``p50``, ``p95``, ``p99`` of durations, or ``rate``.
        baseline: What stands beside it, from the same run.
        beside: Value of the baseline in the same unit; 0 if there is none.
        budgets: Value's name to its limit; a rate must reach it, all else stay within it.
        above: Amount that is taken off a value before it is held against its budget, and what that amount is.
        notes: What a reader has to know.
        wrong: How many answers were not what they had to be.
    """

    name: str
    unit: str
    values: dict[str, float]
    baseline: str = ""
    beside: float = 0.0
    budgets: dict[str, float] = field(default_factory=dict)
    above: tuple[float, str] = (0.0, "")
    notes: str = ""
    wrong: int = 0

    @property
    def main(self) -> float:
        """The value that counts: the median, or the rate."""
        return self.values.get("p50", self.values.get("rate", 0.0))

    @property
    def ratio(self) -> float:
        """How many times the baseline; 0 if there is none."""
        return self.main / self.beside if self.beside else 0.0

    @property
    def missed(self) -> list[str]:
        """Names of the values that are outside their budgets; ``wrong`` if an answer was wrong."""
        out = ["wrong"] if self.wrong else []
        for name, limit in self.budgets.items():
            value = self.values[name] - self.above[0]
            if value < limit if name == "rate" else value > limit:
                out.append(name)
        return out

    def plain(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "name": self.name,
            "unit": self.unit,
            **{name: round(value, 3) for name, value in self.values.items()},
            "baseline": {"name": self.baseline, "value": round(self.beside, 3), "ratio": round(self.ratio, 3)},
            "budgets": self.budgets,
            "above": {"name": self.above[1], "value": round(self.above[0], 3)},
            "wrong": self.wrong,
            "missed": self.missed,
            "notes": self.notes,
        }


def spread(spent: Sequence[float], unit: str = "us") -> dict[str, float]:
    """Return percentiles of nanoseconds in ``unit``."""
    ranked = sorted(spent)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    last = len(ranked) - 1
    return {name: ranked[min(int(len(ranked) * share), last)] / _UNITS[unit] for name, share in at.items()}


def timed(call: Callable[[], Any]) -> int:
    """Return how many nanoseconds a call takes."""
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def flushes(where: Path, count: int = 200, size: int = 1200) -> list[int]:
    """Return the nanoseconds of ``count`` bare ``fdatasync`` of ``size`` bytes each into a file of zeros."""
    path = where / "flushed"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    spent = []
    try:
        os.write(fd, bytes(_BLOCK))
        os.fsync(fd)
        data = os.urandom(size)
        for at in range(count):
            start = time.perf_counter_ns()
            os.pwrite(fd, data, at * size % (_BLOCK - size))
            os.fdatasync(fd)
            spent.append(time.perf_counter_ns() - start)
    finally:
        os.close(fd)
        path.unlink()
    return spent


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(text, file=sys.stderr, flush=True)


def number(value: float) -> str:
    """Return a number with as many digits as one looks at."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value < 0.1:
        return f"{value:.2g}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows for a person, at most 100 columns wide: two lines each, the second for what stands beside."""
    out = [f"{'':44} {'p50':>9} {'p95':>9} {'p99':>9}        budget", "-" * 96]
    for row in rows:
        if "rate" in row.values:
            cells = f"{number(row.values['rate']) + '/s':>29}   "
        else:
            cells = " ".join(f"{number(row.values[name]):>9}" for name in ("p50", "p95", "p99")) + f" {row.unit:<2}"
        verdict = "MISSED " + ", ".join(row.missed) if row.missed else "met" if row.budgets else ""
        out.append(f"{row.name:44} {cells}    {verdict}")
        beside = f"{row.baseline}: {number(row.beside)}{_unit(row)}, x{row.ratio:.3g}" if row.baseline else ""
        out.append(f"    {_fit(beside, 58):58} {_budget(row)}".rstrip())
        if row.notes:
            out.append(f"    {row.notes}")
    return "\n".join(out)


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table of a document."""
    out = ["| what | p50 | p95 | p99 | budget | | beside it, in the same run |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if "rate" in row.values:
            cells = f"{number(row.values['rate'])}/s | | "
        else:
            cells = " | ".join(number(row.values[name]) for name in ("p50", "p95", "p99")) + f" {row.unit}"
        verdict = "**missed**" if row.missed else "met" if row.budgets else ""
        beside = f"{row.baseline} {number(row.beside)}{_unit(row)}, x{row.ratio:.3g}" if row.baseline else ""
        told = "; ".join(part for part in (beside, row.notes) if part)
        out.append(f"| {row.name} | {cells} | {_budget(row)} | {verdict} | {told} |")
    return "\n".join(out)


def _unit(row: Row) -> str:
    return row.unit if row.unit == "/s" else f" {row.unit}"


def _budget(row: Row) -> str:
    parts = []
    for name, limit in row.budgets.items():
        parts.append(f">= {number(limit)}/s" if name == "rate" else f"{name} <= {number(limit)} {row.unit}")
    text = ", ".join(parts)
    return f"{text} above {row.above[1]}" if row.above[1] else text


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + ".."
