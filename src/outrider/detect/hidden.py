"""Places of a page that a reader does not see and a model does: comments, and elements that a style hides."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_PLACES = 500
MAX_LENGTH = 4_000
"""Characters of one hidden place that are looked at."""

_OPENS = re.compile(
    r"""<!--|\[//\]:\s{0,4}#\s{0,4}[("']|<(?P<tag>[a-zA-Z][\w-]{0,20})\b[^<>]{0,400}?(?:\bhidden\b|(?:display\s{0,3}:\s{0,3}none"""
    r"""|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|opacity\s{0,3}(?::\s{0,3}|=["'])0(?:\.0\d?)?[;"'\s]"""
    r"""|(?:left|top|text-indent)\s{0,3}:\s{0,3}-\d{3,}|color\s{0,3}:\s{0,3}(?:white|#fff(?:fff)?|transparent)\b))[^<>]{0,400}>"""
    r"""|<[a-zA-Z][^<>]{0,300}?\b(?P<name>alt|title|aria-label|content|data-[\w-]{1,20})\s{0,3}=\s{0,3}(?P<quote>["'])"""
)


def hidden(text: str) -> Iterator[tuple[int, int]]:
    """Yield the starts and ends of places in ``text`` that a page shows to nobody, in the order of the text."""
    for count, match in enumerate(_OPENS.finditer(text)):
        if count >= MAX_PLACES:
            return
        if text[match.start() - 1 : match.start()] == "`":
            continue  # a page shows what a code span holds
        start = match.end()
        if match["quote"]:
            closing = match["quote"]
        elif match["tag"]:
            closing = f"</{match['tag']}"
        else:
            closing = "-->" if match[0] == "<!--" else "\n"
        end = text.find(closing, start, start + MAX_LENGTH)
        yield start, end if end >= 0 else min(len(text), start + MAX_LENGTH)
