"""Names that are almost another's: the ways in which a name is mistyped, and is squatted.

An index over the names that are worth imitating is built once. A name is looked for by what is left of it when one or
two letters are taken out, so that a look costs microseconds whatever the index holds (the symmetric delete algorithm).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from outrider.detect.dependencies.names import space
from outrider.events.call import Confidence

_SHORT: Final = 5
"""Letters from which on one edit is told: shorter names are near each other by chance."""
_LONG: Final = 7
"""Letters from which on two edits are looked at, and one weighs fully."""
_MOST: Final = 64
"""Characters of the longest name that is looked at; a longer one is not mistaken by eye."""
_MOST_OF_TWO: Final = 32

_SEPARATORS = re.compile(r"[-_./:@]+")
_LOOKS = str.maketrans("0134578", "oleastb")
_SOUNDS = str.maketrans("eiouyzkq", "aaaaascc")
_TWICE = re.compile(r"(.)\1+")
_AFFIX = re.compile(
    r"^(?:python|py|node|js|go|rust|ruby|lib|the)[-_.]|[-_.]?(?:js|ts)$|[-_.](?:python|py|node|go|rs|rb|lib)$"
)
_DIGITS = re.compile(r"[0-9]")


class Near(NamedTuple):
    """A name that another one is almost.

    Attributes:
        name: The name that is imitated, or was meant.
        how: In what the two differ, in words.
        confidence: How sure it is that they are not simply two names.
    """

    name: str
    how: str
    confidence: Confidence


class Index:
    """Names worth imitating, of one ecosystem."""

    def __init__(self, ecosystem: str, names: Iterable[str]) -> None:
        """Build the index; about ten microseconds a name."""
        self._ecosystem = ecosystem
        self._bare: dict[str, str] = {}
        self._looks: dict[str, str] = {}
        self._sounds: dict[str, str] = {}
        self._words: dict[tuple[str, ...], str] = {}
        self._short: dict[str, list[str]] = {}
        self._spaces: set[str] = set()
        self._first: Counter[str] = Counter()
        for name in names:
            bare = _bare(name)
            words = _parts(name)
            self._spaces.add(space(ecosystem, name))
            self._bare.setdefault(bare, name)
            self._looks.setdefault(_looking(bare), name)
            if len(words) > 1:
                self._words.setdefault(tuple(sorted(words)), name)
                self._first["-".join(words[:-1])] += 1
            if len(bare) > _SHORT:
                self._sounds.setdefault(_sounding(bare), name)
            if _SHORT <= len(bare) <= _MOST:
                for less in (bare, *_less(bare)):
                    self._short.setdefault(less, []).append(bare)
        self._spaces.discard("")

    def near(self, name: str) -> Near | None:
        """Return the name that ``name``, in its normal form and itself none of the index, is almost; or None.

        What stands in a space that is known belongs to that space's owner, and imitates nobody.
        """
        if len(name) > _MOST or space(self._ecosystem, name) in self._spaces:
            return None
        bare = _bare(name)
        if not bare:
            return None
        found = self._bare.get(bare)
        if found is not None:
            sure: Confidence = "medium" if len(bare) >= _SHORT else "low"
            return Near(found, "only in how its words are joined", sure)
        almost = self._one(name, bare) or self._shape(name, bare) or self._two(name, bare)
        if almost is not None and name.startswith("@") and not almost.name.startswith("@"):
            return None
        return almost

    def _one(self, name: str, bare: str) -> Near | None:
        if len(bare) < _SHORT - 1:
            return None
        best: tuple[tuple[int, bool, int], Near] | None = None
        for other in self._candidates(bare, _less(bare)):
            how = _edit(bare, other)
            if not how:
                continue
            meant = self._bare[other]
            one = Near(meant, how, _sure(bare, other, _differing(name, meant), how))
            # Of several, the one that has as many words; then the shorter one.
            rank = (_RANK[one.confidence], len(_parts(meant)) == len(_parts(name)), -len(meant))
            if best is None or rank > best[0]:
                best = rank, one
        return best[1] if best is not None else None

    def _shape(self, name: str, bare: str) -> Near | None:
        found = self._looks.get(_looking(bare))
        if found is not None and len(bare) >= _SHORT:
            return Near(found, "in a letter that looks like another", "high" if len(bare) >= _LONG else "medium")
        words = _parts(name)
        if len(words) > 1:
            found = self._words.get(tuple(sorted(words)))
            if found is not None:
                return Near(found, "in the order of its words", "low")
        found = self._sounds.get(_sounding(bare)) if len(bare) > _SHORT else None
        if found is not None and _differing(name, found) > _SHORT:
            return Near(found, "in letters that sound alike", "medium" if len(bare) >= _LONG else "low")
        without = _AFFIX.sub("", name)
        if without == name or len(without) < _SHORT or self._first["-".join(words[:-1])]:
            return None
        short = _bare(without)
        found = self._bare.get(short)
        if found is not None:
            return Near(found, "by a word that names the language", "low")
        mistyped = self._one(without, short)
        if mistyped is not None and mistyped.confidence != "low":
            return mistyped._replace(confidence="low")
        return None

    def _two(self, name: str, bare: str) -> Near | None:
        if not _LONG - 1 <= len(bare) <= _MOST_OF_TWO or _DIGITS.search(bare):
            return None
        fewer = {less for one in _less(bare) for less in _less(one)}
        for other in self._candidates(bare, [*_less(bare), *fewer]):
            if max(len(bare), len(other)) > _LONG and abs(len(other) - len(bare)) <= 2 and _within_two(bare, other):
                meant = self._bare[other]
                if _differing(name, meant) >= _LONG - 1 and not _is_named_after(bare, other):
                    return Near(meant, "in two letters", "low")
        return None

    def _candidates(self, bare: str, fewer: Iterable[str]) -> Iterator[str]:
        seen: set[str] = set()
        for less in (bare, *fewer):
            for other in self._short.get(less, ()):
                if other not in seen:
                    seen.add(other)
                    yield other


_RANK: Final = {"low": 0, "medium": 1, "high": 2}


def _sure(one: str, other: str, letters: int, how: str) -> Confidence:
    """Return how sure it is that two names one edit apart are not simply two names.

    Args:
        one: One.
        other: The other.
        letters: How many letters the words have in which they differ.
        how: The edit.
    """
    if _DIGITS.search(_difference(one, other)):
        return "low"
    if letters >= _LONG:
        return "high"
    return "medium" if letters > _SHORT or (letters == _SHORT and how in _SLIPS) else "low"


def _bare(name: str) -> str:
    if name.startswith("@"):  # The bar behind a scope says whose it is, and counts as a letter.
        scope, _, rest = name.partition("/")
        return f"{_SEPARATORS.sub('', scope)}/{_SEPARATORS.sub('', rest)}"
    return _SEPARATORS.sub("", name)


def _looking(bare: str) -> str:
    return bare.translate(_LOOKS).replace("rn", "m").replace("vv", "w").replace("i", "l")


def _sounding(bare: str) -> str:
    return _TWICE.sub(r"\1", bare.replace("ph", "f").replace("ck", "k").translate(_SOUNDS))


def _parts(name: str) -> list[str]:
    return [part for part in _SEPARATORS.split(name) if part]


def _less(bare: str) -> list[str]:
    """Return what is left of a name when one letter is taken out."""
    return [bare[:at] + bare[at + 1 :] for at in range(len(bare))]


def _differing(one: str, other: str) -> int:
    """Return how many letters the words have in which two names differ, the fewer of both."""
    mine, theirs = _parts(one), _parts(other)
    if len(mine) != len(theirs):
        return min(len(_bare(one)), len(_bare(other)))
    pairs = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
    return min(sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs))


def _difference(one: str, other: str) -> str:
    """Return the letters of both from the first difference to the last."""
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    end = next(
        (at for at, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return one[: len(one) - end] + other[: len(other) - end]


_SWAPPED: Final = "in two letters that are swapped"
_TWO_OR_ONE: Final = "in a letter that is doubled or not"
_SLIPS: Final = frozenset({_SWAPPED, _TWO_OR_ONE})
"""What fingers do, and what nobody names a package of five letters for."""


def _edit(one: str, other: str) -> str:
    """Return in words the single edit between two names, or empty if there is more between them."""
    if len(one) == len(other):
        places = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(places) == 1:
            return "in one letter"
        swapped = len(places) == 2 and places[1] == places[0] + 1
        if swapped and one[places[0]] == other[places[1]] and one[places[1]] == other[places[0]]:
            return _SWAPPED
        return ""
    short, long = sorted((one, other), key=len)
    if len(long) != len(short) + 1:
        return ""
    at = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if short[at:] != long[at + 1 :]:
        return ""
    if at and long[at] == long[at - 1]:
        return _TWO_OR_ONE
    return "by one letter that is missing" if one is short else "by one letter too many"


def _is_named_after(one: str, other: str) -> bool:
    """Return whether a name is another with two letters more at an end, as authors add them: ``py``, ``ng``, ``ws``.

    The same letter twice is a finger that stayed.
    """
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) != 2 or not (long.startswith(short) or long.endswith(short)):
        return False
    more = long[len(short) :] if long.startswith(short) else long[:2]
    return more[0] != more[1]


def _within_two(one: str, other: str) -> bool:
    """Return whether at most two edits (a swap of neighbours is one) lead from one name to the other."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        older, before, row = before, row, [at] + [0] * len(other)
        for to, wanted in enumerate(other, 1):
            row[to] = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                row[to] = min(row[to], older[to - 2] + 1)
    return row[-1] <= 2
