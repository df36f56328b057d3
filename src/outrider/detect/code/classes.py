r"""A rule's regular expressions, written so that they are quick to compile: their classes cut down to ASCII.

ast-grep compiles the expressions of a rule each time that it is asked. ``\w``, ``\d``, ``\s`` and ``\b`` mean all of
Unicode there, and compiling them costs about ten times what the rest of the rule does. Names in code that weaknesses
hang on are ASCII, so a rule says ``\w`` and is asked for ``[0-9A-Za-z_]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

_CLASSES: Final = {"w": "0-9A-Za-z_", "d": "0-9", "s": r" \t\r\n\x0b\x0c"}
_BOUNDARY: Final = r"(?-u:\b)"


def narrowed(rule: Any) -> Any:
    """Return a rule object with every ``regex`` in it cut down; other values as they are."""
    return _each(rule, in_ascii)


def quickened(rule: Any) -> Any:
    """Return a rule object with every ``regex`` in it as :func:`quick` writes it; other values as they are."""
    return _each(rule, quick)


def _each(rule: Any, change: Callable[[str], str]) -> Any:
    if isinstance(rule, dict):
        return {key: change(value) if key == "regex" else _each(value, change) for key, value in rule.items()}
    return [_each(one, change) for one in rule] if isinstance(rule, list) else rule


_NOT_ASCII: Final = re.compile(r"\\[SWDBpPu]|\\x(?![0-7][0-9A-Fa-f])|\[\^|\(\?|[^\x00-\x7f]")
_DOT: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|(\.)", re.DOTALL)


def quick(pattern: str) -> str:
    r"""Return an expression that finds the same in ASCII and compiles in a fourth of the time, if it ignores case.

    For words whose case does not matter the library works out every way to begin them, to find them fast in long texts;
    what is looked at here is short. Behind a class of letters that may be left out there is nothing to work out, and
    ``\zx``, which matches nothing, keeps it from looking for a beginning further inside.
    """
    if not pattern.startswith("(?i)"):
        return pattern
    rest = pattern[4:]
    plain = rest.replace(_BOUNDARY, "").replace("(?:", "")
    beyond = _NOT_ASCII.search(plain) or any(found[1] for found in _DOT.finditer(plain))
    flags = "(?i)" if beyond else "(?i-u)"
    return f"{flags}{rest}" if rest.startswith("^") else f"{flags}[a-z_]*(?:{rest})|\\zx"


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
