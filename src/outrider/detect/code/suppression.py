"""Comments by which somebody says that a finding is known and all right here, and why.

``# outrider: allow code.python-weak-hash -- only a cache key`` on the line itself or on the line above it. A reason is
part of it: without one it does not count, and that is told. What is suppressed is not gone: the finding is recorded
with the reason, and with who gave it.

``# outrider: allow code.python-weak-hash until 2031-06-30 -- until the cache is rebuilt`` counts to the end of that
day, UTC. A day that is none, or a reason that does not follow, suppresses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_OPENS = r"(?:#|//|--|/\*|<!--|;)[ \t]*outrider:[ \t]*allow"
_COMMENT = re.compile(
    _OPENS + r"[ \t]+([\w.*-]+(?:[ \t]*,[ \t]*[\w.*-]+)*)"
    r"(?:[ \t]+until[ \t]+(\S+))?[ \t]*(?:--|:|—)[ \t]*(\S[^\n]{0,300})"
)
_NAMELESS = re.compile(r"[ \t]*(?:--|:|—)")
_BARE = re.compile(_OPENS + r"\b")
DAY: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TAIL = re.compile(r"[ \t]*(?:\*/|-->)[ \t]*$")
_QUOTED = re.compile(r"""\"(?:\\.|[^\"\\])*\"|(?<![A-Za-z0-9_)\]])[A-Za-z]{0,2}'(?:\\.|[^'\\])*'|`[^`]*`""")
_OPEN = re.compile(r"""[\"`]|(?:(?<![A-Za-z0-9_)\]])[A-Za-z]{0,2})'""")
LEAST: Final = 4
"""Characters of a reason; fewer say nothing."""


class Comment(NamedTuple):
    """A comment that lets a finding be, or would.

    Attributes:
        line: Where it stands, from 1.
        rules: The rules that it is about; one that ends with a star is about all that begin so.
        reason: Why.
        over: The day on which it ended, or empty.
    """

    line: int
    rules: frozenset[str]
    reason: str
    over: str

    def is_about(self, rule: str) -> bool:
        """Return whether it is about a rule."""
        return is_about(self.rules, rule)


def is_about(rules: frozenset[str], rule: str) -> bool:
    """Return whether names, of which one that ends with a star means all that begin so, mean a rule."""
    return rule in rules or any(name.endswith("*") and rule.startswith(name[:-1]) for name in rules)


class Suppressions:
    """The suppressions of one text.

    Attributes:
        faults: What would be one and counts for nothing: its line, the offsets of its comment, and why.
    """

    def __init__(self, text: str, today: str = "") -> None:
        """Read them.

        Args:
            text: The text.
            today: The day it is, ``2031-06-30``, UTC; empty where nobody says, and then none is over.
        """
        self._by_line: dict[int, list[Comment]] = {}
        self.faults: list[tuple[int, int, int, str]] = []
        if "outrider:" not in text:
            return
        offset = 0
        for number, line in enumerate(text.split("\n"), 1):
            bare = _BARE.search(line)
            if bare is not None and not _is_quoted(line, bare.start()):
                self._read(number, line, bare, offset, today)
            offset += len(line) + 1

    def _read(self, number: int, line: str, bare: re.Match[str], offset: int, today: str) -> None:
        match = _COMMENT.search(line)
        why = ""
        reason, until = (_TAIL.sub("", match[3]).strip(), match[2] or "") if match is not None else ("", "")
        if match is None and _NAMELESS.match(line, bare.end()):
            why = "it names no rule"
        elif len(reason) < LEAST:
            why = "it gives no reason"
        elif until and not DAY.fullmatch(until):
            why = f"{until} is no day"
        if why or match is None:
            self.faults.append((number, offset + bare.start(), offset + bare.end(), why))
            return
        rules = frozenset(name.strip() for name in match[1].split(","))
        alone = not line[: match.start()].strip()
        over = until if until and until < today else ""
        self._by_line.setdefault(number + 1 if alone else number, []).append(Comment(number, rules, reason, over))

    def about(self, rule: str, first: int, last: int) -> Comment | None:
        """Return the comment about a rule somewhere on lines ``first`` to ``last``, one that counts before one over."""
        found = [one for one in self._on(first, last) if one.is_about(rule)]
        return min(found, key=lambda one: bool(one.over), default=None)

    def reason(self, rule: str, first: int, last: int) -> str:
        """Return why a rule is suppressed somewhere on lines ``first`` to ``last``, or the empty string."""
        found = self.about(rule, first, last)
        return found.reason if found is not None and not found.over else ""

    def _on(self, first: int, last: int) -> Iterator[Comment]:
        if self._by_line:
            for line in range(first, last + 1):
                yield from self._by_line.get(line, ())


def _is_quoted(line: str, at: int) -> bool:
    """Return whether a place of a line lies within quotes: what is written there is text that speaks of a comment."""
    opened = _OPEN.search(_QUOTED.sub("", line[:at]))
    return opened is not None and opened[0][-1] in line[at:]
