"""The tiles on disk, held against the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from outrider.ledger.verify.formats import Roots, tile_path
from outrider.ledger.verify.report import Problems

_TILE = 256
_NAMED = 3


class TileCheck:
    """Check 12. Tiles are derived, but they were written when the events were: they tell what changed since."""

    def __init__(self, directory: Path, problems: Problems) -> None:
        self._problems = problems
        self._where = directory / "tile"
        self._there = self._where.is_dir()
        self._rows: list[list[bytes]] = [[]]
        self._leaves: list[bytes] = []
        self._numbers: Counter[int] = Counter()

    def leaf(self, leaf: bytes, hashed: bytes) -> None:
        """Take in the next event."""
        if not self._there:
            return
        self._leaves.append(leaf)
        self._push(0, hashed)

    def _push(self, level: int, hashed: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(hashed)
        if len(row) % _TILE:
            return
        self._compare(level, row)
        roots = Roots()
        for one in row[-_TILE:]:
            roots.add(one)
        self._rows[level] = []
        self._numbers[level] += 1
        if level == 0:
            self._leaves.clear()
        self._push(level + 1, roots.root())

    def finish(self) -> None:
        """Compare what is left: the partial tiles at the right edge."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level, row)

    def _compare(self, level: int, row: list[bytes]) -> None:
        number = self._numbers[level]
        for data, width in self._stored(self._where / str(level) / tile_path(number), len(row)):
            if data == b"".join(row[:width]):
                continue
            if len(data) != width * 32:
                self._problems.add("tile", f"hash tile {level}/{number} has {len(data)} bytes, not {width * 32}")
                continue
            if level == 0:
                events = [number * _TILE + at for at in range(width) if data[at * 32 : at * 32 + 32] != row[at]]
                self._changed(number, events)
            if level:
                self._problems.add("tile", f"hash tile {level}/{number} is not what the events below it make")
        if level == 0:
            packed = [len(leaf).to_bytes(2, "big") + leaf for leaf in self._leaves]
            for data, width in self._stored(self._where / "entries" / tile_path(number), len(row)):
                if data != b"".join(packed[:width]):
                    self._problems.add("tile", f"entry bundle {number} does not hold the journal's events")

    def _changed(self, number: int, events: list[int]) -> None:
        for event in events[:_NAMED]:
            self._problems.add("tile", f"event {event} is not the one that its tile was made of", event)
        if events[_NAMED:]:
            rest = f"{len(events) - _NAMED} more events of tile {number} are not those that it was made of"
            self._problems.add("tile", rest, events[_NAMED])

    def _stored(self, path: Path, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield each stored form of a tile that ``most`` known entries can be held against, with its width."""
        if most == _TILE and path.is_file():
            yield path.read_bytes(), _TILE
        partial = path.with_name(path.name + ".p")
        for one in sorted(partial.iterdir()) if partial.is_dir() else ():
            if one.name.isdecimal() and 0 < int(one.name) <= most:
                yield one.read_bytes(), int(one.name)
