"""What a charter says about a tool: whether it only looks, and which of its arguments steer it."""

from __future__ import annotations

import re
from functools import lru_cache

from outrider.charter.model import Charter, Tool

VALUES = frozenset({"ordered-value", "suggested-value", "untrusted-value", "secret-value"})
"""Labels in ``[flow]`` that are of a call's own values and not of the agent's context."""

_UNSAID = Tool()


def minds_values(charter: Charter) -> bool:
    """Tell whether a charter has a rule about where a call's values come from."""
    return not VALUES.isdisjoint(charter.flow)


def said_of(charter: Charter, tool: str) -> Tool:
    """Return what a charter says of a tool such as ``mcp:github/close_issue``: the longest pattern that fits counts."""
    if not charter.tools:
        return _UNSAID
    fitting = [pattern for pattern in charter.tools if _pattern(pattern).fullmatch(tool)]
    return charter.tools[max(fitting, key=lambda pattern: (len(pattern), pattern))] if fitting else _UNSAID


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
