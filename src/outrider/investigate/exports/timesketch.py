"""Timesketch's JSONL: one event a line, with ``message``, ``datetime``, ``timestamp`` and ``timestamp_desc``.

Source: Timesketch documentation, "Import and timelines" (mandatory fields; a file ends in ``.jsonl``). A field longer
than 32,766 bytes cannot be sorted or searched whole there; none is, since a leaf holds 16 KiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from outrider.investigate.exports.flat import Value, flat
from outrider.investigate.exports.material import iso

if TYPE_CHECKING:
    from outrider.investigate.exports.material import Material


def timesketch(material: Material) -> Iterator[bytes]:
    """Yield the lines."""
    for event, leaf_hash in material.events():
        row = flat(material, event, leaf_hash)
        line: dict[str, Value] = {
            "message": str(row.pop("message", "")) or str(row["kind"]),
            "datetime": iso(event.ts),
            "timestamp": event.ts,
            "timestamp_desc": str(row["kind"]),
        }
        line |= {name: " ".join(text) if isinstance(text, tuple) else text for name, text in row.items()}
        yield msgspec.json.encode(line) + b"\n"
