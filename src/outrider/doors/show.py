"""Make text that an attacker may have written safe to show: what can not be seen is named instead."""

from __future__ import annotations

import unicodedata

# Letters and symbols by category, but drawn as nothing: Hangul fillers, Braille blank, Khmer inherent vowels.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f")
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def _hidden(char: str) -> bool:
    if char in "\n\t ":
        return False
    category = unicodedata.category(char)
    if category in _HIDDEN_CATEGORIES or category == "Zs" or char in _BLANK:
        return True
    return 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF  # Variation selectors.


def show(text: str) -> str:
    """Return ``text`` with every character that can not be seen written as ``<U+200B>``.

    Newline, tab and space stay. Control characters (terminal escapes), zero-width and bidirectional marks, tags,
    variation selectors, odd spaces, private and unassigned characters and lone surrogates are marked.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"<U+{ord(char):04X}>" if _hidden(char) else char for char in text)


def cap(text: str, limit: int) -> str:
    """Return ``text`` cut to ``limit`` UTF-16 units, which is how hosts written in JavaScript count."""
    if len(text) * 2 <= limit:
        return text
    mark = " [cut]"
    units, out = 0, []
    for char in text:
        units += 2 if ord(char) > 0xFFFF else 1
        out.append(char)
        if units > limit:
            break
    else:
        return text
    while units > limit - len(mark):
        units -= 2 if ord(out.pop()) > 0xFFFF else 1
    return "".join(out) + mark
