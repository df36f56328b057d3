"""What the host parser is shown instead of the text, where its grammar has a gap. Same length, so offsets hold."""

from __future__ import annotations

import re
from collections.abc import Callable

_MASKS: tuple[tuple[re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]], ...] = (
    # The grammar has no here-string behind another redirection; here it is an ordinary input.
    (re.compile(rb"(?<![<\\])<<<(?!<)"), b"<  "),
    (re.compile(rb"(?<![<\\])<>"), b"< "),
    # It takes the # of a length for a comment, and stumbles over ${x:$i:1}.
    (re.compile(rb"\$\{[#!]?\w[^{}`'\"\\()\n]*\}"), lambda found: b"${" + b"_" * (len(found[0]) - 3) + b"}"),
    (re.compile(rb"\$`"), b"_`"),
)
_STORM = re.compile(rb"[<>]{4,}")
STRANGE = re.compile(
    "[\x00\x0b\x0c\r\x85\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u3000\ufeff\U000e0000-\U000e007f]"
)
"""Characters that no person sees, or takes for a blank, and that the shell does not."""


def masked(source: bytes) -> bytes:
    """Return ``source`` as the grammar can read it; never longer, never shorter, never read for what it says."""
    if not any(mark in source for mark in (b"<", b">", b"${", b"$`")):
        return source
    for pattern, other in _MASKS:
        source = pattern.sub(other, source)
    return _STORM.sub(lambda found: b"_" * len(found[0]), source)
