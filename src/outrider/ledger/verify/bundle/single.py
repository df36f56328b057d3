"""Puts the modules of this check together into one file that needs nothing of ours."""

from __future__ import annotations

import ast
from importlib.resources import files

PARTS = ("archive", "notes", "tree", "leaves", "checklist", "telling")
"""The modules, each behind what it imports."""

_HEAD = '''#!/usr/bin/env python3
"""Checks a sealed bundle of an Outrider record. Needs Python 3.9 or newer and `cryptography`; nothing of Outrider.

{usage}
{checks}
"""

from __future__ import annotations

try:
    import cryptography as _needed  # noqa: F401
except ImportError:
    raise SystemExit("verify.py needs the package cryptography: python -m pip install cryptography") from None

'''
_END = """

if __name__ == "__main__":
    raise SystemExit(main())
"""


def source() -> str:
    """Return the source of ``verify.py``: every part as it stands, without docstrings of parts and inner imports."""
    texts = {name: (files(__package__) / f"{name}.py").read_text(encoding="utf-8") for name in PARTS}
    usage, checks = (_docstring(texts[name]).partition("\n\n")[2] for name in ("telling", "checklist"))
    head = _HEAD.format(usage=usage.strip("\n"), checks="\nThe checklist:\n\n" + checks.strip("\n"))
    return head + "\n\n".join(_body(texts[name]) for name in PARTS) + _END


def _docstring(text: str) -> str:
    return ast.get_docstring(ast.parse(text), clean=False) or ""


def _body(text: str) -> str:
    dropped: set[int] = set()
    for position, node in enumerate(ast.parse(text).body):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        inner = module == "__future__" or module.startswith(__package__ or "outrider")
        if position == 0 or inner:
            dropped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    kept = [line for number, line in enumerate(text.split("\n"), 1) if number not in dropped]
    return "\n".join(kept).strip("\n") + "\n"
