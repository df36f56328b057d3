"""Which of many patterns occur in a text: RE2's set, made cheap and safe against its own silence.

``RE2::Set`` answers "none" both when nothing matches and when its automaton ran out of memory, and a text can be
written to exhaust it. So every set here holds one more pattern, which always matches: where that is missing from the
answer, the set has failed and every pattern is asked by itself, slower and as sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import re2


class Patterns:
    """A fixed sequence of RE2 expressions.

    Attributes:
        each: The compiled expressions, over bytes, in the order given.
    """

    def __init__(self, alarms: Sequence[str], expressions: Sequence[str], *, memory: int) -> None:
        """Compile ``expressions``.

        Args:
            alarms: What the set looks for, one an expression: occurs wherever the expression does.
            expressions: RE2 expressions over text.
            memory: Bytes that the set's automaton may use.

        Raises:
            re2.error: An expression is not RE2.
        """
        options = re2.Options()
        options.max_mem = memory
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self.each: list[Any] = []
        for alarm, expression in zip(alarms, expressions, strict=True):
            self._set.Add(alarm)
            self.each.append(re2.compile(expression.encode(), options))
        self._always = self._set.Add("")
        self._set.Compile()

    def which(self, data: bytes) -> list[int]:
        """Return the positions, ascending, of the expressions that may occur in ``data``; none is left out."""
        found = self._set.Match(data)
        if found is None or self._always not in found:
            return [place for place, pattern in enumerate(self.each) if pattern.search(data)]
        return sorted(place for place in found if place != self._always) if len(found) > 1 else []


def encoded(text: str) -> bytes:
    """Return the bytes that patterns run over; lone surrogates become question marks, one byte each."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


class Characters:
    """Turns offsets of bytes into offsets of characters, for offsets that are asked in ascending order."""

    def __init__(self, data: bytes, *, ascii_only: bool) -> None:
        """Begin at the beginning of ``data``."""
        self._data = data
        self._ascii = ascii_only
        self._byte = self._char = 0

    def at(self, byte: int) -> int:
        """Return the offset of the character that begins at ``byte``."""
        if self._ascii:
            return byte
        self._char += len(self._data[self._byte : byte].decode("utf-8", "replace"))
        self._byte = byte
        return self._char
