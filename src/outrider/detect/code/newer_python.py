"""Python whose f-strings are newer than the Python that runs us (PEP 701), written so that ``ast`` can read it.

Every f-string becomes a call that names its pieces, on as many lines as it had: ``_f_('hello ', name)``. What it means
to the taint pass is the same, and statements keep their lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ast_grep_py import SgRoot

if TYPE_CHECKING:
    from ast_grep_py import SgNode

JOINED: Final = "_f_"
"""Name of the call that stands for an f-string."""
_HAS_PIECES: Final = {"rule": {"kind": "string", "has": {"kind": "interpolation"}}}


def readable(text: str) -> str:
    """Return ``text`` with its f-strings written as calls; the same text if it has none."""
    root = SgRoot(text, "python").root()
    return _written(root, text)


def _written(node: SgNode, text: str) -> str:
    """Return the text of a node, its outermost f-strings written as calls."""
    out: list[str] = []
    at = node.range().start.index
    end = node.range().end.index
    seen = at
    for one in node.find_all(_HAS_PIECES):  # type: ignore[call-overload]
        whole = one
        above = one.parent()
        if above is not None and above.kind() == "concatenated_string":
            whole = above
        place = whole.range()
        if place.start.index < seen:
            continue  # Within one that is written already, or a part of the same.
        out.append(text[seen : place.start.index])
        out.append(_call(whole, text))
        seen = place.end.index
    out.append(text[seen:end])
    return "".join(out)


def _call(node: SgNode, text: str) -> str:
    pieces = []
    parts = node.children() if node.kind() == "concatenated_string" else [node]
    for part in parts:
        if part.kind() != "string":
            continue
        for child in part.children():
            if child.kind() == "string_content":
                pieces.append(repr(child.text()))
            elif child.kind() == "interpolation":
                inner = next((one for one in child.children() if one.is_named()), None)
                if inner is not None:
                    pieces.append(f"({_written(inner, text)})")
    joined = f"{JOINED}({', '.join(pieces)}"
    lines = node.text().count("\n") - joined.count("\n")
    return joined + "\n" * max(0, lines) + ")"
