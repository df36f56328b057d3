"""The tiles on disk, held against the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from outrider.ledger.verify.formats import TILE, Roots, tile_path
from outrider.ledger.verify.report import Problems

_NAMED = 3


class TileCheck:
    """Check 12. Tiles are derived, but they were written when the events were: they tell what changed since."""

    def __init__(self, directory: Path, problems: Problems) -> None:
        self._problems = problems
        self._where = directory / "tile"
        self._there = self._where.is_dir()

    def filled(self, level: int, number: int, row: list[bytes]) -> None:
        """Compare a full tile. For :class:`Roots`."""
        if self._there:
            self._compare(level, number, row)

    def finish(self, roots: Roots) -> None:
        """Compare what is left: the partial tiles at the right edge."""
        for level, row in enumerate(roots.rows):
            if row and self._there:
                self._compare(level, roots.size >> (8 * (level + 1)), row)

    def _compare(self, level: int, number: int, row: list[bytes]) -> None:
        for data, width in self._stored(self._where / str(level) / tile_path(number), len(row)):
            if data == b"".join(row[:width]):
                continue
            if len(data) != width * 32:
                self._problems.add("tile", f"hash tile {level}/{number} has {len(data)} bytes, not {width * 32}")
                continue
            if level == 0:
                events = [number * TILE + at for at in range(width) if data[at * 32 : at * 32 + 32] != row[at]]
                self._changed(number, events)
            if level:
                self._problems.add("tile", f"hash tile {level}/{number} is not what the events below it make")
        if level == 0:
            for data, width in self._stored(self._where / "entries" / tile_path(number), len(row)):
                if _hashes(data) != row[:width]:
                    self._problems.add("tile", f"entry bundle {number} does not hold the journal's events")

    def _changed(self, number: int, events: list[int]) -> None:
        for event in events[:_NAMED]:
            self._problems.add("tile", f"event {event} is not the one that its tile was made of", event)
        if events[_NAMED:]:
            rest = f"{len(events) - _NAMED} more events of tile {number} are not those that it was made of"
            self._problems.add("tile", rest, events[_NAMED])

    def _stored(self, path: Path, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield each stored form of a tile that ``most`` known entries can be held against, with its width."""
        if most == TILE and path.is_file():
            yield path.read_bytes(), TILE
        partial = path.with_name(path.name + ".p")
        for one in sorted(partial.iterdir()) if partial.is_dir() else ():
            if one.name.isdecimal() and 0 < int(one.name) <= most:
                yield one.read_bytes(), int(one.name)


def _hashes(bundle: bytes) -> list[bytes] | None:
    """Return the hashes of the leaves in an entry bundle; None if it is none."""
    found, at, end = [], 0, len(bundle)
    while at < end:
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        found.append(Roots.of_leaf(bundle[start:at]))
    return found if at == end else None
