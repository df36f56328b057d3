"""All parts of a home, in the order in which one rests on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outrider.errors import BadInputError, OutriderError
from outrider.investigate.fsck import record, view
from outrider.investigate.fsck.part import Found, Part, State, worst
from outrider.investigate.reach import Names
from outrider.ledger.keys import log_key
from outrider.ledger.reader import Reader
from outrider.ledger.verify.formats import parse_vkey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outrider.config import Home
    from outrider.ledger.verify import Demand, Report


_UNDER = ("journal", "besides", "checkpoint")
"""What the view is made of."""


@dataclass(frozen=True)
class Claim:
    """What a file that follows from the record says that it was made of.

    Attributes:
        name: Which part.
        size: Of how many first events.
        root: Root over those, hex.
        fix: What makes it anew.
        problem: Why it cannot be read, or empty.
    """

    name: str
    size: int
    root: str
    fix: str
    problem: str = ""


@dataclass(frozen=True)
class Checked:
    """The outcome.

    Attributes:
        state: The worst of any part.
        parts: Each part.
        events: Number of whole events in the journal.
        assurance: As :func:`outrider.ledger.verify.verify` says it.
    """

    state: State
    parts: tuple[Part, ...]
    events: int
    assurance: str


def check(
    home: Home, *, demand: Demand | None, claims: Sequence[Claim], progress: Callable[[str, int], None]
) -> Checked:
    """Recompute everything in ``home``. Changes nothing; a daemon may be at work.

    Args:
        home: Whose.
        demand: What the witnesses of its record must have said, or None where it has none.
        claims: What other files say that they were made of.
        progress: Told the part at work and how far it is.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    sizes = [claim.size for claim in claims if not claim.problem]
    report, parts = record.record(home.record, home.content, demand, sizes, lambda done: progress("record", done))
    parts.append(_keys(home, report))
    parts += [_claim(claim, report) for claim in claims]
    if any(part.state == "lost" and part.name in _UNDER for part in parts):
        parts.append(Part("view", "unchecked", of="rows", note="the record that it is made of is not whole"))
    else:
        reader = Reader(home.record)
        parts.append(view.view(home.view, reader, lambda done: progress("view", done), Names(home)))
    whole = tuple(parts)
    return Checked(worst(whole), whole, report.events, report.assurance)


def _keys(home: Home, report: Report) -> Part:
    path = home.keys / "log.key"
    if not home.keys.is_dir():
        return Part("keys", "absent", 0, "keys", note="a copy of a record needs none")
    if not path.exists():
        wrong = Found(f"{path} is gone: nothing more can be signed as this log", fix="Restore it from a backup.")
        return Part("keys", "lost", 1, "keys", (wrong,))
    try:
        same = log_key(path).public_key().public_bytes_raw() == parse_vkey(report.vkey).public.public_bytes_raw()
    except BadInputError:
        return Part("keys", "unchecked", 0, "keys", note="the record names no key to hold them against")
    except OutriderError as error:
        return Part("keys", "lost", 1, "keys", (Found(str(error), fix=error.fix),))
    if same:
        return Part("keys", "whole", 1, "keys")
    wrong = Found(f"{path} is not the key that the record's checkpoints are signed with", fix="Restore the right one.")
    return Part("keys", "lost", 1, "keys", (wrong,))


def _claim(claim: Claim, report: Report) -> Part:
    if claim.problem:
        return Part(claim.name, "rebuildable", 0, found=(Found(claim.problem, fix=claim.fix),))
    root = report.roots.get(claim.size)
    if root == claim.root:
        return Part(claim.name, "whole", claim.size, note=f"of the first {claim.size} events")
    what = f"it says that it was made of {claim.size} events that this record does not begin with"
    return Part(claim.name, "rebuildable", claim.size, found=(Found(what, fix=claim.fix),))
