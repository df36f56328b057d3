"""Comments by which somebody says that a finding is known and all right here, and why.

``# outrider: allow code.python-weak-hash -- only a cache key`` on the line itself or on the line above it. A reason is
part of it: without one it does not count. What is suppressed is not gone: the finding is recorded with the reason.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(
    r"(?:#|//|--|/\*|<!--|;)[ \t]*outrider:[ \t]*allow[ \t]+([\w.*-]+(?:[ \t]*,[ \t]*[\w.*-]+)*)"
    r"[ \t]*(?:--|:|—)[ \t]*(\S[^\n]{0,300})"
)
_TAIL = re.compile(r"[ \t]*(?:\*/|-->)[ \t]*$")
_LEAST = 4
"""Characters of a reason; fewer say nothing."""


class Suppressions:
    """The suppressions of one text."""

    def __init__(self, text: str) -> None:
        self._by_line: dict[int, list[tuple[frozenset[str], str]]] = {}
        if "outrider:" not in text:
            return
        for number, line in enumerate(text.split("\n"), 1):
            match = _COMMENT.search(line)
            if match is None:
                continue
            reason = _TAIL.sub("", match[2]).strip()
            if len(reason) < _LEAST:
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
