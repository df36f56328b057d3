"""The table of rules in ``docs/detectors.md``, made from the rules themselves.

``python -m outrider.detect.table`` reads the document and writes it with the table renewed; a test holds document and
rules together.
"""

from __future__ import annotations

import sys

from outrider.detect.page import signs
from outrider.detect.rules import load

BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def table() -> str:
    """Return the table of all rules, Markdown."""
    rows = [
        "| rule | finds | severity | confidence |",
        "|---|---|---|---|",
        *(f"| `{rule.id}` | {rule.title} | {rule.severity} | {rule.confidence} |" for rule in load()),
        *(f"| `{sign.id}` | {sign.title} | {sign.severity} | {sign.confidence} |" for sign in signs()),
    ]
    return "\n".join(rows)


def filled(document: str) -> str:
    """Return ``document`` with the table put between its two marks.

    Raises:
        ValueError: A mark is missing.
    """
    head, rest = document.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    sys.stdout.write(filled(sys.stdin.read()))
