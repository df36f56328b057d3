"""The record: journal, what lies beside the leaves, checkpoint, tiles, what was cosigned. Reads bytes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outrider.investigate.fsck.part import Found, Part, State
from outrider.ledger.verify import Demand, Problem, Report, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PARTS = {
    "segments": "journal",
    "frame": "journal",
    "padding": "journal",
    "pack": "journal",
    "leaf": "journal",
    "source": "journal",
    "truncated": "journal",
    "root": "journal",
    "opened": "journal",
    "beside": "besides",
    "key": "checkpoint",
    "checkpoint": "checkpoint",
    "tile": "tiles",
    "quorum": "cosigned",
    "erased": "contents",
    "content": "contents",
}
"""Which part a check of ``outrider verify`` speaks of."""

_BACKUP = "Restore the newest backup; until then, do not delete anything."
_TILES = "outrider rebuild --tiles"


def record(
    directory: Path, content: Path, demand: Demand | None, roots: Sequence[int], progress: Callable[[int], None]
) -> tuple[Report, list[Part]]:
    """Verify the record under ``directory``, and what lies in ``content`` against it.

    Args:
        directory: The record.
        content: The directory of the contents.
        demand: What its witnesses must have said, or None where it has none.
        roots: Numbers of first events whose roots others want.
        progress: Told how many events were looked at.

    Raises:
        UnavailableError: There is no record.
        RecordError: It cannot be read.
    """
    report = verify(directory, demand=demand, roots=roots, progress=progress, content=content)
    by: dict[str, list[Problem]] = {}
    for problem in report.problems:
        by.setdefault(_PARTS.get(problem.check, "journal"), []).append(problem)
    count = report.events
    torn = f"{report.tail} bytes of a commit that was never acknowledged" if report.tail else ""
    parts = [
        _part("journal", by, count, _BACKUP, torn),
        _part("besides", by, count, _BACKUP),
        _part("checkpoint", by, count, _BACKUP, f"it covers {report.sealed} of {count} events"),
    ]
    # A tile that is alone in being wrong is made again; beside a damaged journal it is evidence of what was changed.
    derived = not by.get("journal") and not by.get("besides")
    tiles = _part("tiles", by, count, _TILES if derived else "", state="rebuildable" if derived else "lost")
    parts.append(tiles if (directory / "tile").is_dir() else Part("tiles", "absent", note="made as the record grows"))
    if demand is None:
        parts.append(Part("cosigned", "absent", note="no witness is configured"))
    else:
        size = report.cosigned.size if report.cosigned else 0
        again = "outrider up: the daemon asks the witnesses again; then outrider verify --policy FILE --ask"
        parts.append(_part("cosigned", by, size, again, state="unchecked"))
    if (content / "content.sqlite").is_file():
        erased = f"{len(report.erased)} events say what was erased" if report.erased else ""
        parts.append(_part("contents", by, report.kinds.get("content.kept", 0), _BACKUP, erased))
    else:
        parts.append(Part("contents", "absent", note="none are kept here"))
    return report, parts


def _part(
    name: str, by: dict[str, list[Problem]], checked: int, fix: str, note: str = "", *, state: State = "lost"
) -> Part:
    found = tuple(Found(str(problem), problem.event, fix) for problem in by.get(name, ()))
    return Part(name, state if found else "whole", checked, found=found, note=note)
