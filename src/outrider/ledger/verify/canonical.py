"""Whether a leaf is written in the one form that its value has: RFC 8785 on our profile.

Writing every event a second time and comparing takes as long as reading it. Most events of a record differ from
others in their strings and numbers alone, so after some of a shape were written again, the rest are held against a
pattern made of one that was right.
"""

from __future__ import annotations

import json
import re

_written = json.JSONEncoder(check_circular=False, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_TOKEN = re.compile(r'("[^"]*":)|("[^"]*")|(-?[0-9]+)|(true|false|null|[{}\[\],])')
_STRING, _INTEGER = '"[^"]*"', "(?:0|-?[1-9][0-9]*)"
_AFTER = 64
"""Leaves alike that are written again before a pattern is made, which takes as long as writing sixty."""

_MOST = 2000
"""Kinds of leaves that are counted."""


class Shapes:
    """What canonical leaves were seen to look like."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int, int], re.Pattern[bytes] | int | None] = {}

    def canonical(self, kind: str, leaf: bytes, value: object) -> bool:
        """Return whether ``leaf`` is the canonical form of ``value``, which was read from it; ``kind`` is its event's.

        Raises:
            ValueError: It cannot be written.
            RecursionError: It is nested too deeply to be.
        """
        if b"\\" in leaf or not leaf.isascii():  # Else each string can only be written as it stands there.
            return _written(value).encode() == leaf
        key = kind, leaf.count(b'"'), leaf.count(b",")
        known = self._seen.get(key, 0)
        if isinstance(known, re.Pattern) and known.fullmatch(leaf):
            return True
        right = _written(value).encode() == leaf
        if right and isinstance(known, int) and (known or len(self._seen) < _MOST):
            self._seen[key] = known + 1 if known < _AFTER else _pattern(leaf.decode())
        return right


def _pattern(leaf: str) -> re.Pattern[bytes] | None:
    """Return what matches a plain leaf that has the keys of this canonical one; None where a number is no integer."""
    parts, at = [], 0
    while found := _TOKEN.match(leaf, at):
        key, string, number, other = found.groups()
        parts.append(_STRING if string else _INTEGER if number else re.escape(key or other))
        at = found.end()
    return re.compile("".join(parts).encode()) if at == len(leaf) else None
