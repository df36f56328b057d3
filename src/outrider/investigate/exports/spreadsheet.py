"""Plain CSV (RFC 4180), a row an event.

A spreadsheet runs what begins with ``=``, ``+``, ``-`` or ``@``, and attackers write what stands here: such a cell gets
an apostrophe before it (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from outrider.investigate.exports.flat import COLUMNS, Value, flat
from outrider.investigate.exports.material import iso

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material

_RUN = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(material: Material) -> Iterator[bytes]:
    """Yield the head, then the rows."""
    yield _line(("time", *COLUMNS))
    for event, leaf_hash in material.events():
        row = flat(material, event, leaf_hash)
        yield _line((iso(event.ts), *(_cell(row.get(name, "")) for name in COLUMNS)))


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(value) if isinstance(value, tuple) else str(value)
    return f"'{text}" if text.startswith(_RUN) else text


def _line(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "replace")
