"""What the taint pass knows of a value: where it comes from, what was done to it, and what it is if that is known."""

from __future__ import annotations

import re
from typing import Any, Final

from outrider.detect.code.taint_tables import KINDS

FROM_OUTSIDE: Final = 2
"""Handed over by a client, a terminal or a command line."""
FROM_CALLER: Final = 1
"""A function's argument: nobody knows who calls it."""
OWN: Final = 0

_TAG: Final = re.compile(r"<[a-zA-Z/!]")
EVERYTHING: Final = frozenset(KINDS)


class _Unknown:
    __slots__ = ()


UNKNOWN: Final = _Unknown()


class Value:
    """One value.

    Attributes:
        taint: :data:`OWN`, :data:`FROM_CALLER` or :data:`FROM_OUTSIDE`.
        clean: The kinds of places for which it was made harmless.
        const: What it is, or :data:`UNKNOWN`.
        items: For a list or a dictionary written out, its values by index or key; None where they are not known.
        prefix: The text that it begins with, as far as that is known.
        built: Whether it is a text put together from pieces.
        markup: Whether pieces of it are tags.
    """

    __slots__ = ("built", "clean", "const", "items", "markup", "prefix", "taint")

    def __init__(
        self,
        taint: int = OWN,
        clean: frozenset[str] = frozenset(),
        *,
        const: Any = UNKNOWN,
        items: dict[Any, Value] | None = None,
        prefix: str = "",
        built: bool = False,
    ) -> None:
        self.markup = False
        self.taint, self.clean, self.const, self.items, self.prefix, self.built = (
            taint, clean, const, items, prefix, built,
        )  # fmt: skip

    def cleaned(self, kinds: frozenset[str]) -> Value:
        """Return the same value, harmless for ``kinds`` as well."""
        out = Value(self.taint, self.clean | kinds, const=self.const, items=self.items, prefix=self.prefix,
                    built=self.built)  # fmt: skip
        out.markup = self.markup
        return out

    def reaches(self, kind: str) -> int:
        """Return how tainted it is for one kind of place."""
        return OWN if kind in self.clean else self.taint

    @property
    def known(self) -> bool:
        """Whether it is a constant."""
        return self.const is not UNKNOWN


OWN_VALUE: Final = Value()


def constant(value: Any) -> Value:
    """Return a value that is known."""
    return Value(const=value, prefix=value if isinstance(value, str) else "")


def mixed(values: list[Value], *, built: bool = False) -> Value:
    """Return a value that several went into: as tainted as the worst, clean for what all tainted ones are clean for."""
    worst = max((value.taint for value in values), default=OWN)
    out = Value(worst, built=built or any(value.built for value in values))
    out.markup = any(value.markup or _has_tags(value.const) for value in values)
    if worst == OWN:
        return out
    clean = EVERYTHING
    for value in values:
        if value.taint:
            clean = clean & value.clean
    out.clean = clean
    return out


def _has_tags(const: Any) -> bool:
    return isinstance(const, str) and _TAG.search(const) is not None


def either(one: Value, other: Value) -> Value:
    """Return the value after two ways that nobody can choose between."""
    if one is other:
        return one
    both = mixed([one, other], built=one.built or other.built)
    if one.known and other.known and type(one.const) is type(other.const) and one.const == other.const:
        both.const = one.const
    both.prefix = one.prefix if one.prefix == other.prefix else ""
    if one.items is not None and other.items is not None and one.items.keys() == other.items.keys():
        both.items = {key: either(one.items[key], other.items[key]) for key in one.items}
    return both
