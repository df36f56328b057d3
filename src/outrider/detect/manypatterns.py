"""Which of many patterns occur in a text: the letters that each must hold first, and RE2's sets, safe against silence.

RE2 builds its automata while they run. One over many patterns has a state for every way in which their beginnings can
stand in a text together, so that a text unlike all before costs a hundred times what one costs that was seen. So one
automaton looks for the letters that a pattern cannot do without (``re2.Filter``), which has few states, and only what
can then occur is asked by itself. Patterns that need no more than one or two letters together would be asked of every
text; they are few, and stand in one set.

Both sets answer "none" also when their automaton ran out of memory, and a text can be written to exhaust it. So each is
asked for something more, which is always there: where that is missing from the answer, it has failed and every pattern
is asked by itself, slower and as sure.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, Final

import re2

_PRESENT: Final = b"\0present\0"
"""What is put behind a text before it is looked at for letters, and must be found there."""
_SIGNS: Final = string.ascii_lowercase + string.digits + string.punctuation + " \n\t"
_SHORT: Final = "\0".join(one + other for one in _SIGNS for other in _SIGNS).encode()
"""Every two signs together and no three, in lower case: what can occur here needs no more, and is rare in no text."""


class Patterns:
    """A fixed sequence of RE2 expressions.

    Attributes:
        each: The compiled expressions, over bytes, in the order given.
    """

    def __init__(self, alarms: Sequence[str], expressions: Sequence[str], *, memory: int, words: bool = False) -> None:
        """Compile ``expressions``.

        Args:
            alarms: What is looked for, one an expression: occurs wherever the expression does.
            expressions: RE2 expressions over text.
            memory: Bytes that the automaton of what needs few letters may use, and each of the others.
            words: Whether all are mere words, of which one automaton has few states anyway.

        Raises:
            re2.error: An expression is not RE2.
        """
        options = re2.Options()
        options.max_mem = memory
        options.log_errors = False
        self.each: list[Any] = [re2.compile(expression.encode(), options) for expression in expressions]
        self._letters = re2.Filter()
        for alarm in alarms:
            self._letters.Add(alarm.encode(), options)
        self._present = self._letters.Add(re2.escape(_PRESENT), options)
        self._letters.Compile()
        self._alarms = [self._letters.re(place) for place in range(len(alarms))]
        common = range(len(alarms)) if words else self._letters.Match(_SHORT, potential=True) or []
        self._common = [place for place in common if place != self._present]
        self._set = re2.Set.SearchSet(options)
        for place in self._common:
            self._set.Add(alarms[place])
        self._always = self._set.Add("")
        self._set.Compile()
        self._asked = frozenset((*self._common, self._present))

    def which(self, data: bytes) -> list[int]:
        """Return the positions, ascending, of the expressions that may occur in ``data``; none is left out."""
        near = self._near(data)
        found = self._set.Match(data)
        if found is None or self._always not in found or near is None or self._present not in near:
            return [place for place, pattern in enumerate(self.each) if pattern.search(data)]
        out = [place for place in near if place not in self._asked and self._alarms[place].search(data)]
        if len(found) == 1:
            return out
        return sorted(out + [self._common[place] for place in found if place != self._always])

    def _near(self, data: bytes) -> list[int] | None:
        """Return the positions of the expressions whose letters occur in ``data``, and the one that must be there."""
        if len(self._common) == len(self.each):
            return [self._present]
        found: list[int] | None = self._letters.Match(data + _PRESENT, potential=True)
        return found


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
