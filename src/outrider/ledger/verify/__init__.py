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
14. ``erased``      With the content beside it: nothing that an event says was erased is there again.
15. ``content``     With the content beside it: every ciphertext is the one that the event which names it says.
16. ``pack``        A segment that was packed unpacks, block by block, to the events that its index names. The checks
                    above read it as the segment that it was.

What no check here can know is in :data:`outrider.ledger.verify.report.UNKNOWABLE`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outrider.errors import BadInputError, RecordError, UnavailableError
from outrider.ledger.verify.erased import exchanged, put_back
from outrider.ledger.verify.formats import Head, Key, Roots, open_note, parse_vkey
from outrider.ledger.verify.parallel import parts
from outrider.ledger.verify.policy import Policy
from outrider.ledger.verify.quorum import Demand, witnessed
from outrider.ledger.verify.report import UNKNOWABLE, Cosigned, Gap, Problem, Problems, Report
from outrider.ledger.verify.story import Story
from outrider.ledger.verify.tiles import TileCheck
from outrider.ledger.verify.walk import Walk, list_segments

__all__ = ["UNKNOWABLE", "Cosigned", "Demand", "Gap", "Problem", "Report", "verify"]


def verify(
    directory: Path,
    vkey: str | None = None,
    *,
    earlier: Sequence[str] = (),
    demand: Demand | None = None,
    roots: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
    content: Path | None = None,
) -> Report:
    """Check the record under ``directory``. Reads only; a writer may be at work.

    Args:
        directory: The record.
        vkey: The verifier key that the caller trusts, or None for the record's own ``log.vkey``.
        earlier: Texts of checkpoints of this log that were kept elsewhere; the record must extend each.
        demand: What witnesses must have said, or None.
        roots: Numbers of first events whose roots are wanted, for holding what lies elsewhere against the record.
        progress: Told now and then how many events were checked.
        content: The directory of the content beside the record, or None to leave it out.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    if not (directory / "journal").is_dir():
        raise UnavailableError(f"there is no record at {directory}")
    try:
        return _Check(directory, progress or _quiet).run(vkey, earlier, demand, roots, content)
    except OSError as error:
        raise RecordError(f"the record at {directory} cannot be read: {error.strerror}") from error


def _quiet(_: int) -> None:
    """Tell nobody."""


Segments = Sequence[tuple[int, Path]]
Wanted = dict[int, list[tuple[str, bytes]]]
_TELL = 20_000


@dataclass
class _Check:
    """One run of the checklist."""

    directory: Path
    progress: Callable[[int], None]
    problems: Problems = field(default_factory=Problems)
    seen: dict[int, str] = field(default_factory=dict)

    def run(
        self,
        given: str | None,
        earlier: Sequence[str],
        demand: Demand | None,
        asked: Sequence[int] = (),
        content: Path | None = None,
    ) -> Report:
        key, text = self.key(given)
        if demand is not None:
            self.meant(text, demand.policy)
        # The checkpoints are read before the journal, so that a writer at work can only be ahead of them.
        head = self.checkpoint(key)
        wanted = self.wanted(key, head, earlier)
        cosigned = self.quorum(demand, text, wanted)
        for size in asked:
            wanted.setdefault(size, [])
        sealed = head.size if head else 0
        segments = list_segments(self.directory, self.problems)
        roots, story, tail = self.together(segments, sealed, wanted) or self.alone(segments, sealed, wanted)
        for size, heads in sorted(wanted.items()):
            names = " and ".join(name for name, _ in heads)
            if not heads:
                continue
            self.problems.add("truncated", f"{names} covers {size} events, and the journal holds {roots.size}")
        story.opened(key, head)
        if content is not None:
            put_back(content, story.erased, self.problems)
            exchanged(content, story.kept, self.problems)
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
            tail=tail,
            last_index=roots.size - 1,
            first_ts=story.first_ts,
            last_ts=story.last_ts,
            kinds=dict(story.kinds),
            sources=dict(story.counts),
            open_calls=dict(Counter(story.open.values())),
            despite=tuple(story.despite),
            assurance=self.assurance(demand, cosigned),
            cosigned=cosigned,
            erased=tuple(index for index, _ in story.erased),
            roots={size: self.seen[size] for size in asked if size in self.seen},
        )

    def alone(self, segments: Segments, sealed: int, wanted: Wanted) -> tuple[Roots, Story, int]:
        """Checks 3 to 10 and 12, event by event."""
        tiles = TileCheck(self.directory, self.problems)
        roots, story, walk = Roots(tiles.filled), Story(self.problems), Walk(self.problems, segments, sealed)
        for piece in walk.pieces():
            hashed = Roots.of_leaf(piece.leaf)
            if roots.size in wanted:
                self.roots_at(roots, wanted)
            story.event(roots.size, piece, hashed)
            roots.add(hashed)
            if roots.size % _TELL == 0:
                self.progress(roots.size)
        self.roots_at(roots, wanted)
        tiles.finish(roots)
        return roots, story, walk.tail

    def together(self, segments: Segments, sealed: int, wanted: Wanted) -> tuple[Roots, Story, int] | None:
        """The same by several processes; None where that does not settle it."""
        found = parts(segments, sealed)
        if found is None or self.problems.found:
            return None
        mine = _Check(self.directory, self.progress)
        left = dict(wanted)
        tiles = TileCheck(self.directory, mine.problems)
        roots, story, tail = Roots(tiles.filled), Story(mine.problems), 0
        for part in found:
            if part is None or not story.join(part.told["story"]):
                return None
            leaves, end = part.leaves(), part.told["next"]
            for size in [*sorted(size for size in left if roots.size <= size < end), end]:
                roots.extend(leaves[roots.size - part.told["begins"] : size - part.told["begins"]])
                if size < end:
                    mine.roots_at(roots, left)
            tail = part.told["tail"]
            self.progress(roots.size)
        mine.roots_at(roots, left)
        tiles.finish(roots)
        # Every event is what it was checked to be, in its place: whatever roots and tiles say of them now is exact.
        self.problems.take(mine.problems)
        wanted.clear()
        wanted.update(left)
        self.seen = mine.seen
        return roots, story, tail

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

    def wanted(self, key: Key | None, head: Head | None, earlier: Sequence[str]) -> Wanted:
        """Return the roots that must come out, by size."""
        heads = [("the checkpoint", head)]
        heads += [("an earlier checkpoint", self.note("earlier checkpoint", text, key)) for text in earlier]
        wanted: Wanted = {}
        for name, one in heads:
            if one is not None:
                wanted.setdefault(one.size, []).append((name, one.root))
        return wanted

    def meant(self, text: str, policy: Policy) -> None:
        """Check 1, with a policy: the key is of a log that it means."""
        if policy.logs and text not in (one.vkey for one in policy.logs):
            self.problems.add("key", "the key is not of a log that the policy names")

    def quorum(self, demand: Demand | None, text: str, wanted: Wanted) -> Cosigned | None:
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

    def roots_at(self, roots: Roots, wanted: Wanted) -> None:
        """Check 10 (and 9, for what is still wanted in the end)."""
        if roots.size not in wanted:
            return
        came = roots.root()
        self.seen[roots.size] = came.hex()
        for name, root in wanted.pop(roots.size):
            if came != root:
                self.problems.add("root", f"the first {roots.size} events are not those that {name} was signed over")
