r"""Character classes of a rule's regular expressions, cut down to ASCII.

ast-grep compiles the expressions of a rule each time that it is asked. ``\w``, ``\d``, ``\s`` and ``\b`` mean all of
Unicode there, and compiling them costs about ten times what the rest of the rule does. Names in code that weaknesses
hang on are ASCII, so a rule says ``\w`` and is asked for ``[0-9A-Za-z_]``.
"""

from __future__ import annotations

from typing import Any, Final

_CLASSES: Final = {"w": "0-9A-Za-z_", "d": "0-9", "s": r" \t\r\n\x0b\x0c"}
_BOUNDARY: Final = r"(?-u:\b)"


def narrowed(rule: Any) -> Any:
    """Return a rule object with every ``regex`` in it cut down; other values as they are."""
    if isinstance(rule, dict):
        return {key: in_ascii(value) if key == "regex" else narrowed(value) for key, value in rule.items()}
    return [narrowed(one) for one in rule] if isinstance(rule, list) else rule


def in_ascii(pattern: str) -> str:
    """Return a regular expression with its classes cut down to ASCII."""
    out: list[str] = []
    inside = False
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and at + 1 < len(pattern):
            out.append(_escape(pattern[at + 1], inside=inside))
            at += 2
            continue
        out.append(char)
        at += 1
        if inside:
            inside = char != "]"
        elif char == "[":
            inside = True
            # A bracket that comes first, or right behind the caret, stands for itself.
            for first in ("^", "]"):
                if pattern[at : at + 1] == first:
                    out.append(first)
                    at += 1
    return "".join(out)


def _escape(letter: str, *, inside: bool) -> str:
    if letter == "b" and not inside:
        return _BOUNDARY
    members = _CLASSES.get(letter)
    if members is None:
        return "\\" + letter
    return members if inside else f"[{members}]"
