"""Names of tools that only look: what effects and labels both go by, where nothing else is known of a tool."""

from __future__ import annotations

import re
from functools import lru_cache

_LOOKS = re.compile(
    r"(?i)(?!checkout|check_?in|listen)(?:get|read|list|search|fetch|view|find|describe|show|lookup|query|stat|count|check"
    r"|browse|calculate|current|glob|grep|ls|look)(?:$|[_a-z-])"
)


@lru_cache(maxsize=1024)
def looks_only(tool: str) -> bool:
    """Tell whether a tool's name (``get_issue``, ``mcp:server/tool``, ``host:Tool``) says that it only looks."""
    return _LOOKS.match(tool.rpartition("/")[2].rpartition(":")[2]) is not None
