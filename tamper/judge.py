"""What ``outrider verify`` says of a case, beside what it has to say."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from outrider.ledger.verify import Demand, Report, verify
from outrider.ledger.verify.policy import parse_policy
from tamper.cases import CASES, SITUATIONS, Case
from tamper.folders import LOG, WITNESSES, Honest
from tamper.history import Places

VERSION = 1
AGE = 3600
"""Seconds for which the witnesses' word counts."""

_SMALL = 10_000


@dataclass(frozen=True)
class Cell:
    """One case in one situation, as it came out.

    Attributes:
        case: The case.
        situation: The situation.
        verdict: ``accepted`` or ``refused``.
        by: The checks that found a problem.
        offline: The verdict without asking the witnesses; the same where there are none.
        assurance: The level that the record was given where it was accepted.
        seconds: How long verifying took.
    """

    case: Case
    situation: str
    verdict: str
    by: tuple[str, ...]
    offline: str
    assurance: str
    seconds: float

    @property
    def wanted(self) -> str:
        """What the verdict has to be."""
        return self.case.verdicts[SITUATIONS.index(self.situation)]

    @property
    def unexpected(self) -> bool:
        """Whether it came out otherwise."""
        if self.situation == SITUATIONS[2] and self.offline != self.case.offline:
            return True
        return self.verdict != self.wanted


def policy() -> str:
    """Return the policy that demands the word of both witnesses."""
    lines = [f"log {LOG.vkey}", *(f"witness w{n} {one.vkey}" for n, one in enumerate(WITNESSES, 1))]
    return "\n".join([*lines, "group both all w1 w2", "quorum both"]) + "\n"


def lay(case: Case, situation: str, honest: Honest, where: Path) -> None:
    """Write the folder of one case: the record as it is shown, and what its verifier knows."""
    told = case.tell(honest, situation != SITUATIONS[0])
    if situation != SITUATIONS[2]:
        told.cosigned = None
    honest.tell(told, where / "record")
    (where / "log.vkey").write_text(f"{LOG.vkey}\n")
    expected: dict[str, object] = {
        "v": VERSION,
        "case": case.name,
        "situation": situation,
        "events": honest.places.size,
        "what": case.what,
        "verdict": case.verdicts[SITUATIONS.index(situation)],
    }
    if expected["verdict"] == "accepted" and case.why:
        expected["why"] = case.why
    if situation == SITUATIONS[2]:
        expected |= {"offline": case.offline, "now": honest.seconds + 60, "age": AGE}
        (where / "policy").write_text(policy())
        for number, text in enumerate(honest.answers(told), 1):
            (where / f"w{number}.checkpoint").write_text(text)
    (where / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def judged(case: Case, where: Path) -> Cell:
    """Return what comes out of the folder of a case."""
    expected = json.loads((where / "expected.json").read_text())
    vkey, demand, earlier = (where / "log.vkey").read_text(), None, []
    if (where / "policy").exists():
        demand = Demand(parse_policy((where / "policy").read_bytes()), expected["now"], expected["age"])
        earlier = [(where / f"w{n}.checkpoint").read_text() for n in (1, 2)]
    began = time.perf_counter()
    report = verify(where / "record", vkey, earlier=earlier, demand=demand, content=where / "content")
    took = time.perf_counter() - began
    offline = report
    if demand is not None and (case.offline == "accepted" or expected["events"] <= _SMALL):
        # In a large record that is refused anyway this is not worth another walk: the smaller ones tell.
        offline = verify(where / "record", vkey, demand=demand, content=where / "content")
    by = tuple(dict.fromkeys(problem.check for problem in report.problems))
    return Cell(case, expected["situation"], _verdict(report), by, _verdict(offline), report.assurance, took)


def _verdict(report: Report) -> str:
    return "accepted" if report.ok else "refused"


def play(size: int, under: Path, cases: Iterable[Case] = CASES, *, keep: bool = False) -> Iterator[Cell]:
    """Yield what comes of every case in every situation at one size.

    Args:
        size: Number of events, 10 or a multiple of 100.
        under: Folder to work in.
        cases: Which.
        keep: Whether the folders stay, each under its case and situation.
    """
    places = Places.of(size)
    base = under / "base"
    honest = Honest.write(places, base)
    for case in cases:
        for situation in SITUATIONS:
            where = under / case.name / situation
            lay(case, situation, honest, where)
            cell = judged(case, where)
            if size > _SMALL:
                print(f"{case.name} {situation}: {cell.verdict} in {cell.seconds:.1f} s", file=sys.stderr, flush=True)
            yield cell
            if not keep:
                shutil.rmtree(where)
    shutil.rmtree(base)
