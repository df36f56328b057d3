# ruff: noqa: INP001 - a script, not a module
"""Writes the pages and snapshots of all rules about code, from the rules: ``python docs/write_rules.py``.

A page is ``docs/rules/<id>.md``, a snapshot ``tests/detect/snapshots/<id>.json``: what the rule finds in its own
vectors. Tests hold all three together. Pages and snapshots of rules that are gone are removed.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from outrider.detect.code.page import page
from outrider.detect.code.rule import everything
from outrider.detect.code.vectors import snapshot

_TOP = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write what has changed, and say how much that was."""
    wanted: dict[Path, str] = {}
    for rule in everything():
        wanted[_TOP / "docs" / "rules" / f"{rule.id}.md"] = page(rule)
        found = msgspec.json.format(msgspec.json.encode(snapshot(rule)), indent=1).decode() + "\n"
        wanted[_TOP / "tests" / "detect" / "snapshots" / f"{rule.id}.json"] = found
    folders = {path.parent for path in wanted}
    changed = 0
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("code.*"):
            if path not in wanted:
                path.unlink()
                changed += 1
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed += 1
    print(f"{len(wanted) // 2} rules; {changed} files changed")  # noqa: T201 - it is what the script says


if __name__ == "__main__":
    main()
