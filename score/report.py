"""The figures as a table for people, as a document, and as one object for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from score.row import SHOWN, Row, Wrong

MARKS = ("<!-- measured -->", "<!-- /measured -->")
VERSION = 1
_SMALL = 300


def plain(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what ``score.json`` holds; the same rows give the same bytes."""
    return {
        "score": VERSION,
        "rows": [
            {
                "section": row.section,
                "what": row.what,
                "hit": row.hit,
                "of": row.of,
                "asked": row.asked,
                "share": round(row.share, 4),
                "interval": [round(one, 4) for one in row.interval],
                "at_least": row.at_least,
                "at_most": row.at_most,
                "state": row.state,
                "note": row.note,
                "wrong": [_named(one) for one in row.wrong[:SHOWN]],
            }
            for row in rows
        ],
    }


def _named(one: Wrong) -> dict[str, str]:
    """Return a row that disagrees without its text, which is not ours to copy."""
    return {"id": one.id, "family": one.family, "said": one.said, "wanted": one.wanted, "why": one.why}


def merged(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return what was scored now, and what an earlier score says of the sections that were left out, by section."""
    done = {row["section"] for row in now["rows"]}
    kept = [row for row in before.get("rows", ()) if row["section"] not in done]
    return {**now, "rows": sorted([*kept, *now["rows"]], key=lambda row: str(row["section"]))}


def rows_of(whole: dict[str, Any]) -> list[Row]:
    """Return the rows that :func:`plain` was made of, but for texts."""
    return msgspec.convert(whole["rows"], list[Row])


def table(rows: Sequence[Row]) -> str:
    """Return the figures for a terminal of 80 columns."""
    lines = []
    for row in rows:
        figure = f"{row.share:7.1%} of {row.of:,}" if row.of else "not measured"
        lines.append(f"{row.what[:50]:<50} {figure:<18} {row.state if row.of else ''}".rstrip())
        more = [part for part in (f"wanted {row.wanted}" if row.wanted else "", _asked(row), row.note) if part]
        if more:
            lines.append("    " + "; ".join(more)[:400])
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """Return the figures as the table of a document."""
    lines = ["| on | figure | wanted | | notes |", "|---|---|---|---|---|"]
    for row in rows:
        figure = f"{row.share:.1%} ({row.hit:,} of {row.of:,})" if row.of else "-"
        if 0 < row.of < _SMALL:
            low, high = row.interval
            figure += f", 95 %: {low:.1%} to {high:.1%}"
        state = "**missed**" if row.state == "missed" else row.state
        notes = "; ".join(part for part in (_asked(row), row.note) if part)
        lines.append(f"| {row.what} | {figure} | {row.wanted} | {state} | {notes} |")
    return "\n".join(lines)


def write(document: Path, rows: Sequence[Row]) -> None:
    """Put the table between the marks of a document.

    Raises:
        ValueError: The document has no such marks.
    """
    before, opened, rest = document.read_text("utf-8").partition(MARKS[0])
    _, closed, after = rest.partition(MARKS[1])
    if not (opened and closed):
        raise ValueError(f"{document} has no {MARKS[0]} and {MARKS[1]}")
    document.write_text(f"{before}{opened}\n{markdown(rows)}\n{closed}{after}", "utf-8")


def _asked(row: Row) -> str:
    return f"{row.asked} left to a person" if row.asked else ""
