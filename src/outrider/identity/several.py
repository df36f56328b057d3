"""A table from a key to several names, in the order in which they came, where nearly every key has one.

With a million agents the inner tables are what memory goes into: a name that is alone costs nothing beyond its entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Several(Generic[K, V]):
    """The names of every key. A name must not be a dict; adding one that is there changes nothing."""

    def __init__(self) -> None:
        self._table: dict[K, V | dict[V, None]] = {}

    def add(self, key: K, name: V) -> None:
        """Put a name behind those that the key has."""
        held = self._table.setdefault(key, name)
        if isinstance(held, dict):
            held[name] = None
        elif held is not name and held != name:
            self._table[key] = {held: None, name: None}

    def drop(self, key: K, name: V) -> bool:
        """Take a name away; return whether the key has none now."""
        held = self._table.get(key)
        if isinstance(held, dict):
            held.pop(name, None)
            if len(held) == 1:
                self._table[key] = next(iter(held))
            return False
        if held == name:
            self._table.pop(key, None)
        return key not in self._table

    def pop(self, key: K) -> tuple[V, ...]:
        """Take a key away; return the names that it had."""
        found = tuple(self.of(key))
        self._table.pop(key, None)
        return found

    def of(self, key: K) -> Iterator[V]:
        """Yield the key's names."""
        held = self._table.get(key)
        if isinstance(held, dict):
            yield from held
        elif held is not None:
            yield held

    def alone(self, key: K) -> V | None:
        """Return the key's name where it has one and no other."""
        held = self._table.get(key)
        return None if isinstance(held, dict) else held

    def items(self) -> Iterator[tuple[K, V]]:
        """Yield every key with each of its names."""
        for key in self._table:
            for name in self.of(key):
                yield key, name

    def __contains__(self, key: object) -> bool:
        return key in self._table
