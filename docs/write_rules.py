# ruff: noqa: INP001 - a script, not a module
"""Writes the pages and snapshots of all rules, from the rules: ``python docs/write_rules.py``.

A page is ``docs/rules/<id>.md``, a snapshot ``tests/detect/snapshots/<id>.json``: what the rule finds in its own
vectors. Tests hold all three together. Pages and snapshots of rules that are gone are removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from outrider.detect import rules
from outrider.detect.code.page import page
from outrider.detect.code.rule import everything
from outrider.detect.code.vectors import snapshot
from outrider.detect.dependencies import page as dependencies
from outrider.detect.dependencies.rules import RULES
from outrider.detect.page import secret_page, secret_snapshot, sign_page, sign_snapshot, signs

_TOP = Path(__file__).resolve().parents[1]
_OF = ("code", "secret", "content", "dependency")


def _all() -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield the id, the page and the snapshot of every rule."""
    for rule in everything():
        yield rule.id, page(rule), snapshot(rule)
    for secret in rules.load():
        yield secret.id, secret_page(secret), secret_snapshot(secret)
    for sign in signs():
        yield sign.id, sign_page(sign), sign_snapshot(sign)
    for name in RULES:
        yield name, dependencies.page(name), dependencies.snapshot(name)


def main() -> None:
    """Write what has changed, and say how much that was."""
    wanted: dict[Path, str] = {}
    for name, text, seen in _all():
        wanted[_TOP / "docs" / "rules" / f"{name}.md"] = text
        found = msgspec.json.format(json.dumps(seen), indent=1) + "\n"
        wanted[_TOP / "tests" / "detect" / "snapshots" / f"{name}.json"] = found
    folders = {path.parent for path in wanted}
    changed = 0
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (one for of in _OF for one in folder.glob(f"{of}.*")):
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
