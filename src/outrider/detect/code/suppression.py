"""Comments by which somebody says that a finding is known and all right here, and why.

``# outrider: allow code.python-weak-hash -- only a cache key`` on the line itself or on the line above it. A reason is
part of it: without one it does not count. What is suppressed is not gone: the finding is recorded with the reason.

``# outrider: allow code.python-weak-hash until 2031-06-30 -- until the cache is rebuilt`` counts to the end of that
day, UTC. A day that is none, or a reason that does not follow, suppresses nothing.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(
    r"(?:#|//|--|/\*|<!--|;)[ \t]*outrider:[ \t]*allow[ \t]+([\w.*-]+(?:[ \t]*,[ \t]*[\w.*-]+)*)"
    r"(?:[ \t]+until[ \t]+(\S+))?[ \t]*(?:--|:|—)[ \t]*(\S[^\n]{0,300})"
)
_DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TAIL = re.compile(r"[ \t]*(?:\*/|-->)[ \t]*$")
_LEAST = 4
"""Characters of a reason; fewer say nothing."""


class Suppressions:
    """The suppressions of one text."""

    def __init__(self, text: str, today: str = "") -> None:
        """Read them.

        Args:
            text: The text.
            today: The day it is, ``2031-06-30``, UTC; empty where nobody says, and then none is over.
        """
        self._by_line: dict[int, list[tuple[frozenset[str], str]]] = {}
        if "outrider:" not in text:
            return
        for number, line in enumerate(text.split("\n"), 1):
            match = _COMMENT.search(line)
            if match is None:
                continue
            reason, until = _TAIL.sub("", match[3]).strip(), match[2] or ""
            if len(reason) < _LEAST or (until and (not _DAY.fullmatch(until) or until < today)):
                continue
            rules = frozenset(name.strip() for name in match[1].split(","))
            alone = not line[: match.start()].strip()
            self._by_line.setdefault(number + 1 if alone else number, []).append((rules, reason))

    def reason(self, rule: str, first: int, last: int) -> str:
        """Return why a rule is suppressed somewhere on lines ``first`` to ``last``, or the empty string."""
        if not self._by_line:
            return ""
        for line in range(first, last + 1):
            for rules, reason in self._by_line.get(line, ()):
                if rule in rules or any(name.endswith("*") and rule.startswith(name[:-1]) for name in rules):
                    return reason
        return ""
