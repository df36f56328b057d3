"""An independent check of the record. Imports nothing of the writer; needs only the record and a verifier key.

The checklist, in order (each problem names its check):

 1. ``key``         The verifier key is well-formed. Without one the record's own is used, and the report says so.
 2. ``checkpoint``  There is one, that key signed it, and it is of the log that the key names.
 3. ``segments``    The journal's files are named in order from event 0 and begin as segments do.
 4. ``frame``       Every checksum holds; indexes run without a hole; commit groups run forward.
 5. ``padding``     Behind the last frame of a finished segment there is nothing.
 6. ``leaf``        Every leaf is canonical JSON of a known version and carries its own index.
 7. ``beside``      What lies beside a leaf has the digest that the leaf carries.
 8. ``source``      Every source's events carry its running number and the hash of its event before.
 9. ``truncated``   The journal holds at least the events that the checkpoint covers.
10. ``root``        The first events hash to the checkpoint's root, and to the root of every earlier checkpoint given.
11. ``opened``      The first event names this log and this key.
12. ``tile``        Hash tiles and entry bundles on disk agree with the journal; they tell which event was changed.
13. ``quorum``      With a policy: its witnesses cosigned a checkpoint of this log, and check 10 holds for it too.

What no check here can know is in :data:`outrider.ledger.verify.report.UNKNOWABLE`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outrider.errors import BadInputError, RecordError, UnavailableError
from outrider.ledger.verify.formats import (
    SEGMENT_HEAD,
    Head,
    Key,
    Piece,
    Roots,
    latest_group,
    open_note,
    parse_vkey,
    piece_at,
    segment_head,
)
from outrider.ledger.verify.policy import Policy
from outrider.ledger.verify.quorum import Demand, witnessed
from outrider.ledger.verify.report import UNKNOWABLE, Cosigned, Gap, Problem, Problems, Report
from outrider.ledger.verify.story import Story
from outrider.ledger.verify.tiles import TileCheck

__all__ = ["UNKNOWABLE", "Cosigned", "Demand", "Gap", "Problem", "Report", "verify"]


def verify(
    directory: Path, vkey: str | None = None, *, earlier: Sequence[str] = (), demand: Demand | None = None
) -> Report:
    """Check the record under ``directory``. Reads only; a writer may be at work.

    Args:
        directory: The record.
        vkey: The verifier key that the caller trusts, or None for the record's own ``log.vkey``.
        earlier: Texts of checkpoints of this log that were kept elsewhere; the record must extend each.
        demand: What witnesses must have said, or None.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    if not (directory / "journal").is_dir():
        raise UnavailableError(f"there is no record at {directory}")
    try:
        return _Check(directory).run(vkey, earlier, demand)
    except OSError as error:
        raise RecordError(f"the record at {directory} cannot be read: {error.strerror}") from error


@dataclass
class _Check:
    """One run of the checklist."""

    directory: Path
    problems: Problems = field(default_factory=Problems)
    tail: int = 0

    def run(self, given: str | None, earlier: Sequence[str], demand: Demand | None) -> Report:
        key, text = self.key(given)
        if demand is not None:
            self.meant(text, demand.policy)
        # The checkpoints are read before the journal, so that a writer at work can only be ahead of them.
        head = self.checkpoint(key)
        wanted = self.wanted(key, head, earlier)
        cosigned = self.quorum(demand, text, wanted)
        roots, story, tiles = Roots(), Story(self.problems), TileCheck(self.directory, self.problems)
        sealed = head.size if head else 0
        for piece in self.pieces(sealed):
            hashed = Roots.of_leaf(piece.leaf)
            self.roots_at(roots, wanted)
            story.event(roots.size, piece, hashed)
            tiles.leaf(piece.leaf, hashed)
            roots.add(hashed)
        self.roots_at(roots, wanted)
        for size, heads in sorted(wanted.items()):
            names = " and ".join(name for name, _ in heads)
            self.problems.add("truncated", f"{names} covers {size} events, and the journal holds {roots.size}")
        story.opened(key, head)
        tiles.finish()
        return Report(
            ok=not self.problems.found,
            events=roots.size,
            sealed=min(sealed, roots.size),
            root=head.root.hex() if head else "",
            origin=head.origin if head else "",
            vkey=text,
            vkey_given=given is not None,
            problems=tuple(self.problems.found),
            more=self.problems.more,
            gaps=tuple(story.gaps),
            tail=self.tail,
            last_index=roots.size - 1,
            first_ts=story.first_ts,
            last_ts=story.last_ts,
            kinds=dict(story.kinds),
            sources=dict(story.counts),
            open_calls=dict(Counter(story.open.values())),
            despite=tuple(story.despite),
            assurance=self.assurance(demand, cosigned),
            cosigned=cosigned,
        )

    def key(self, given: str | None) -> tuple[Key | None, str]:
        """Check 1."""
        try:
            text = given if given is not None else (self.directory / "log.vkey").read_text(encoding="utf-8")
            return parse_vkey(text), text.strip()
        except (FileNotFoundError, UnicodeDecodeError):
            self.problems.add("key", "the record has no readable log.vkey, and no key was given")
        except BadInputError as error:
            self.problems.add("key", str(error))
        return None, (given or "").strip()

    def checkpoint(self, key: Key | None) -> Head | None:
        """Check 2."""
        try:
            text = (self.directory / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            self.problems.add("checkpoint", "the record has no checkpoint: nothing vouches for any of its events")
            return None
        except UnicodeDecodeError:
            self.problems.add("checkpoint", "the checkpoint is not text")
            return None
        return self.note("checkpoint", text, key)

    def note(self, name: str, text: str, key: Key | None) -> Head | None:
        if key is None:
            return None
        try:
            head = open_note(text, key)
        except BadInputError as error:
            self.problems.add("checkpoint", f"the {name} cannot be believed: {error}")
            return None
        if head.origin != key.name:
            self.problems.add("checkpoint", f"the {name} is of the log {head.origin!r}, and the key of {key.name!r}")
        return head

    def wanted(self, key: Key | None, head: Head | None, earlier: Sequence[str]) -> dict[int, list[tuple[str, bytes]]]:
        """Return the roots that must come out, by size."""
        heads = [("the checkpoint", head)]
        heads += [("an earlier checkpoint", self.note("earlier checkpoint", text, key)) for text in earlier]
        wanted: dict[int, list[tuple[str, bytes]]] = {}
        for name, one in heads:
            if one is not None:
                wanted.setdefault(one.size, []).append((name, one.root))
        return wanted

    def meant(self, text: str, policy: Policy) -> None:
        """Check 1, with a policy: the key is of a log that it means."""
        if policy.logs and text not in (one.vkey for one in policy.logs):
            self.problems.add("key", "the key is not of a log that the policy names")

    def quorum(self, demand: Demand | None, text: str, wanted: dict[int, list[tuple[str, bytes]]]) -> Cosigned | None:
        """Check 13; what was cosigned must come out as check 10 has it."""
        if demand is None:
            return None
        head, found, problems = witnessed(self.directory, demand, text)
        for problem in problems:
            self.problems.add("quorum", problem)
        if head is not None:
            wanted.setdefault(head.size, []).append(("the cosigned checkpoint", head.root))
        return found

    def assurance(self, demand: Demand | None, cosigned: Cosigned | None) -> str:
        if demand is None or cosigned is None or not cosigned.since or self.problems.found:
            return "local"
        return "witnessed" if demand.now - cosigned.since <= demand.age else "local"

    def roots_at(self, roots: Roots, wanted: dict[int, list[tuple[str, bytes]]]) -> None:
        """Check 10 (and 9, for what is still wanted in the end)."""
        for name, root in wanted.pop(roots.size, ()):
            if roots.root() != root:
                self.problems.add("root", f"the first {roots.size} events are not those that {name} was signed over")

    def pieces(self, sealed: int) -> Iterator[Piece]:
        """Checks 3, 4 and 5: yield what stands where each event should."""
        segments = []
        for path in sorted((self.directory / "journal").iterdir()):
            if path.suffix == ".seg" and len(path.stem) == 20 and path.stem.isdecimal():
                segments.append((int(path.stem), path))
            else:
                self.problems.add("segments", f"{path.name} is no segment of the journal")
        index = group = shift = 0
        for at, (first, path) in enumerate(segments):
            data = path.read_bytes()
            last = at + 1 == len(segments)
            if last and index >= sealed and not data[SEGMENT_HEAD:].strip(b"\0"):
                self.tail = len(data.rstrip(b"\0"))
                continue  # Made for a commit that has not happened yet.
            if first != index + shift:
                self.problems.add("segments", f"{path.name} begins with event {first}; {index + shift} is next", index)
            if segment_head(data) != first:
                self.problems.add("segments", f"{path.name} does not begin as a segment of that name does", index)
            for piece in self.segment(path.name, data, (index, sealed, last)):
                if piece.index - index != shift:  # Told once; what follows is shifted with it.
                    shift = piece.index - index
                    self.problems.add("frame", f"event {piece.index} stands where {index} should", index)
                elif piece.group not in (group, piece.index):
                    self.problems.add("frame", f"event {index} is of commit {piece.group}, which was not open", index)
                group = max(group, piece.group)
                index += 1
                yield piece

    def segment(self, name: str, data: bytes, place: tuple[int, int, bool]) -> Iterator[Piece]:
        """Yield what stands in one segment: ``place`` is the next index, the checkpoint's size, whether it is last."""
        index, sealed, last = place
        at, latest = SEGMENT_HEAD, -2
        while piece := piece_at(data, at):
            if not piece.sound:
                if latest == -2:
                    latest = latest_group(data, at, index)
                if last and index >= sealed and latest <= index:
                    break  # A commit under way, or cut short by a crash: it was never acknowledged.
                self.problems.add("frame", f"event {index} in {name} is damaged: its checksum does not hold", index)
            yield piece
            index, at = index + 1, piece.end
        rest = len(data[at:].rstrip(b"\0"))
        if rest and last and index >= sealed and latest_group(data, at, index) <= index:
            self.tail = rest
        elif rest:
            self.problems.add("padding", f"{rest} bytes behind event {index - 1} in {name} are no event", index)
