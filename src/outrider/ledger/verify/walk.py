"""Checks 3, 4 and 5: what stands in the journal's segments, packed or not, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from outrider.errors import BadInputError
from outrider.ledger.verify.formats import SEGMENT_HEAD, Piece, latest_group, piece_at, segment_head
from outrider.ledger.verify.packs import FOLDER, Block, blocks, first_of, pack_of
from outrider.ledger.verify.report import Problems


def list_segments(directory: Path, problems: Problems) -> list[tuple[int, Path]]:
    """Return the first event and the path of every segment of the record there, in order; else that of its pack.

    Where both are there, the segment counts. It is looked for first: a writer unlinks it when its pack has a name.
    """
    segments: dict[int, Path] = {}
    for path in sorted((directory / "journal").iterdir()):
        if path.suffix == ".seg" and len(path.stem) == 20 and path.stem.isdecimal():
            segments[int(path.stem)] = path
        else:
            problems.add("segments", f"{path.name} is no segment of the journal")
    folder = directory / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        first = first_of(path.with_name(path.name.removesuffix(".new")))
        if first is None:
            problems.add("segments", f"{FOLDER}/{path.name} is no pack of the journal")
        elif path.suffix != ".new":
            segments.setdefault(first, path)
    return sorted(segments.items())


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
        self._shift = 0  # By how much the events' own indexes are ahead of their places.

    def pieces(self) -> Iterator[Piece]:
        """Yield what stands where each event should."""
        for at, (first, path) in enumerate(self._segments):
            ends = at + 1 == len(self._segments)
            data, name = self._read(path)
            last = ends and self._ends
            if last and data is not None and self.index >= self._sealed and not data[SEGMENT_HEAD:].strip(b"\0"):
                self.tail = len(data.rstrip(b"\0"))
                continue  # Made for a commit that has not happened yet.
            place = self.index + self._shift
            if first != place:
                self._problems.add("segments", f"{name} begins with event {first}; {place} is next", self.index)
            if data is None:
                yield from self._packed(pack_of(path) if path.suffix == ".seg" else path, first, at)
                continue
            if segment_head(data) != first:
                self._problems.add("segments", f"{name} does not begin as a segment of that name does", self.index)
            yield from self._followed(self._segment(name, data, SEGMENT_HEAD, last=last))

    def _read(self, path: Path) -> tuple[bytes | None, str]:
        """Return a segment's bytes and name; no bytes where a pack stands for it."""
        if path.suffix == ".seg":
            try:
                return path.read_bytes(), path.name
            except FileNotFoundError:  # Packed since its name was read; or gone, which the pack's absence says.
                path = pack_of(path)
        return None, f"{FOLDER}/{path.name}"

    def _followed(self, pieces: Iterator[Piece], *, anew: bool = False) -> Iterator[Piece]:
        """Yield pieces, held against those before them; ``anew`` where those right before are lost."""
        add = self._problems.add
        for piece in pieces:
            index = self.index
            if self.before < 0:
                self.before = piece.group
                self.group = piece.group if self._begins else 0
            elif anew:
                self.group = max(self.group, piece.group)
            anew = False
            if piece.n - index != self._shift:  # Told once; what follows is shifted with it.
                self._shift = piece.n - index
                add("frame", f"event {piece.n} stands where {index} should", index)
            elif piece.group not in (self.group, piece.n):
                add("frame", f"event {index} is of commit {piece.group}, which was not open", index)
            self.group = max(self.group, piece.group)
            self.index += 1
            yield piece

    def _packed(self, path: Path, first: int, at: int) -> Iterator[Piece]:
        """Yield what stands in a pack; name the blocks that cannot be had, and the events in them."""
        name, read, lost = f"{FOLDER}/{path.name}", first, False
        try:
            for block in blocks(path, first):
                read = block.first + block.events
                if block.data is None:
                    self._lost(f"block {block.number} of {name}", block.first, read, block.why)
                    lost = True
                    continue
                yield from self._followed(self._block(name, block), anew=lost)
                lost = False
        except BadInputError as error:
            following = self._segments[at + 1][0] if at + 1 < len(self._segments) else read
            self._lost(name, read, max(following, read), str(error))

    def _lost(self, what: str, first: int, following: int, why: str) -> None:
        which = f", which holds events {first} to {following - 1}," if following > first else ""
        self._problems.add("pack", f"{what}{which} cannot be unpacked: {why}", first)
        self._shift += following - first

    def _block(self, name: str, block: Block) -> Iterator[Piece]:
        data, begins = block.data or b"", self.index
        start = 0 if block.number else SEGMENT_HEAD
        if start and segment_head(data) != block.first:
            self._problems.add("segments", f"{name} does not unpack to a segment of that name", begins)
        first, end = piece_at(data, start), start
        for piece in self._segment(name, data, start, last=False):
            end = piece.end
            yield piece
        short = end != len(data) and not block.last
        if short or first is None or first.n != block.first or self.index - begins != block.events:
            detail = f"block {block.number} of {name} does not hold exactly events {block.first} to "
            self._problems.add("pack", f"{detail}{block.first + block.events - 1}, as the index says", begins)

    def _segment(self, name: str, data: bytes, at: int, *, last: bool) -> Iterator[Piece]:
        index, latest = self.index, -2
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
