"""Names of expressions, as far as they are written out."""

from __future__ import annotations

import ast

from outrider.detect.code.taint_tables import REQUESTS


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for an attribute of an attribute of a name; calls and subscripts in it are ``()`` and ``[]``."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            parts.append(node.id)
            break
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            parts.append("")
            break
    return ".".join(reversed(parts))


def is_request(node: ast.expr) -> bool:
    """Whether an expression is the request object itself."""
    name = dotted(node)
    return name in REQUESTS or name.endswith(tuple(f".{one}" for one in REQUESTS))
