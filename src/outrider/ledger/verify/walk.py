"""Checks 3, 4 and 5: what stands in the journal's segments, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from outrider.ledger.verify.formats import SEGMENT_HEAD, Piece, latest_group, piece_at, segment_head
from outrider.ledger.verify.report import Problems


def list_segments(directory: Path, problems: Problems) -> list[tuple[int, Path]]:
    """Return the first event and the path of every segment of the journal there, in order."""
    segments = []
    for path in sorted(directory.iterdir()):
        if path.suffix == ".seg" and len(path.stem) == 20 and path.stem.isdecimal():
            segments.append((int(path.stem), path))
        else:
            problems.add("segments", f"{path.name} is no segment of the journal")
    return segments


class Walk:
    """A walk over consecutive segments.

    Attributes:
        index: Place of the next event.
        tail: Bytes behind the last event that are no whole event.
        before: Commit group of the first event that was met; -1 if there was none.
        group: Highest commit group that was met.
    """

    def __init__(
        self,
        problems: Problems,
        segments: Sequence[tuple[int, Path]],
        sealed: int,
        *,
        begins: int = 0,
        ends: bool = True,
    ) -> None:
        """Prepare it.

        Args:
            problems: Where problems go.
            segments: Which, in order.
            sealed: Number of events that the checkpoint covers.
            begins: Place of the first event in them.
            ends: Whether the last of them is the last of the journal.
        """
        self.index = begins
        self.tail = 0
        self.before = -1
        self.group = 0
        self._problems = problems
        self._segments = segments
        self._sealed = sealed
        self._ends = ends
        self._begins = begins

    def pieces(self) -> Iterator[Piece]:
        """Yield what stands where each event should."""
        shift, add = 0, self._problems.add
        for at, (first, path) in enumerate(self._segments):
            data = path.read_bytes()
            last = self._ends and at + 1 == len(self._segments)
            if last and self.index >= self._sealed and not data[SEGMENT_HEAD:].strip(b"\0"):
                self.tail = len(data.rstrip(b"\0"))
                continue  # Made for a commit that has not happened yet.
            if first != self.index + shift:
                add("segments", f"{path.name} begins with event {first}; {self.index + shift} is next", self.index)
            if segment_head(data) != first:
                add("segments", f"{path.name} does not begin as a segment of that name does", self.index)
            for piece in self._segment(path.name, data, last=last):
                index = self.index
                if self.before < 0:
                    self.before = piece.group
                    self.group = piece.group if self._begins else 0
                if piece.n - index != shift:  # Told once; what follows is shifted with it.
                    shift = piece.n - index
                    add("frame", f"event {piece.n} stands where {index} should", index)
                elif piece.group not in (self.group, piece.n):
                    add("frame", f"event {index} is of commit {piece.group}, which was not open", index)
                self.group = max(self.group, piece.group)
                self.index += 1
                yield piece

    def _segment(self, name: str, data: bytes, *, last: bool) -> Iterator[Piece]:
        index, at, latest = self.index, SEGMENT_HEAD, -2
        while piece := piece_at(data, at):
            if not piece.sound:
                if latest == -2:
                    latest = latest_group(data, at, index)
                if last and index >= self._sealed and latest <= index:
                    break  # A commit under way, or cut short by a crash: it was never acknowledged.
                detail = f"event {index} in {name} is damaged: its checksum does not hold"
                self._problems.add("frame", detail, index)
            yield piece
            index, at = index + 1, piece.end
        rest = len(data[at:].rstrip(b"\0"))
        if rest and last and index >= self._sealed and latest_group(data, at, index) <= index:
            self.tail = rest
        elif rest:
            self._problems.add("padding", f"{rest} bytes behind event {index - 1} in {name} are no event", index)
