"""The questions, asked the way a responder would: through the product, from one artefact, after everything is gone."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import msgspec

from outrider.charter.parse import parse
from outrider.demo.sealed import seal
from outrider.investigate.answer import Answer, answer
from outrider.investigate.coverage import coverage
from outrider.investigate.reach import view_of
from outrider.investigate.replay import replay
from outrider.ledger.keys import print_key
from outrider.ledger.verify import Demand, verify

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.config import Home
    from outrider.demo.play import Played
    from outrider.demo.truth import Planted
    from outrider.ledger.reader import Reader

LINE = 'secret = { not_to = ["connect"] }'
"""The one line that the release charter lacks."""

SHOWN = frozenset({"path", "host", "ip", "commit", "package", "email"})
"""Kinds of things that the demonstration lists as artefacts; a commit stands for its branch and repository."""


class Questions:
    """Asks the product about a home whose agents are gone."""

    def __init__(self, home: Home, planted: Planted, reader: Reader) -> None:
        self._home = home
        self._planted = planted
        self._reader = reader
        self._key = print_key(home.keys / "print.key")
        self._view = view_of(home)
        self.full: dict[str, Answer] = {}

    def answer(self, artefact: str) -> dict[str, Any]:
        """Return what is behind an artefact, in the form that the truth has too."""
        found = answer(self._view, artefact, key=self._key)
        self.full[artefact] = found
        if not found.agents:
            return {"answer": found.answer, "statement": found.statement}
        first = found.agents[0]
        blast = first.also_affected
        return {
            "answer": found.answer,
            "agent": first.agent,
            "charter": first.charter,
            "charter_digest": first.charter_digest,
            "parent": first.parent,
            "root": first.root,
            "sponsor": first.sponsor_name,
            "cause_event": first.cause_event,
            "artefacts": sorted({f"{one.kind} {one.value}" for one in first.artefacts if _counts(one)}),
            "act": msgspec.to_builtins(first.act),
            "cause": msgspec.to_builtins(first.causes[0].event) if first.causes else None,
            "why_first": first.why,
            "others": [told.agent for told in found.agents[1:]],
            "also_affected": {
                "agents": [one.agent.id for one in blast.agents if one.agent.id != first.agent],
                "met_the_same_content": sorted({m.agent for m in blast.met if m.what == "content"} - {first.agent}),
                "refused_among_them": sum(self._refused(m.agent) for m in blast.met if m.what == "content"),
                "met_the_same_place": sorted({m.agent for m in blast.met if m.what != "content"} - {first.agent}),
                "credentials": [f"{one.kind} {one.value}" for one in blast.credentials],
                "statement": blast.statement,
            },
            "confidence": first.confidence,
            "cause_confidence": first.cause_confidence,
            "coverage": found.coverage.statement,
            "statement": found.statement,
        }

    def _refused(self, agent: str) -> int:
        row = self._view.one("SELECT count(*) FROM events WHERE agent = ? AND enforced = 'deny'", agent)
        return int(row[0]) if row else 0

    def verify(self, demand: Demand) -> dict[str, Any]:
        """Verify the record from its bytes, and count what is missing from it, source by source.

        Args:
            demand: What its witness must have said.
        """
        report = verify(self._home.record, demand=demand)
        seen = coverage(self._view)
        lacking = self._planted.lacking(self._reader)
        spool = self._home.spool
        lines = spool.read_bytes().count(b"\n") if spool.exists() else 0
        missing = {
            "intents_without_results": sum(report.open_calls.values()),
            "spool_lines_without_events": lines,
            "steps_not_in_record": len(lacking),
        }
        return {
            "ok": report.ok,
            "events": report.events,
            "missing": missing,
            "missing_by_source": seen.missing,
            "sealed": report.sealed,
            "root": report.root,
            "vkey": report.vkey,
            "assurance": report.assurance,
            "problems": [str(problem) for problem in report.problems],
            "lacking": lacking[:20],
            "coverage": seen.statement,
        }

    def replay(self, charter: Path, leak: int) -> dict[str, Any]:
        """Ask what one more line in the charter would have stopped, over everything recorded.

        Args:
            charter: The charter's file.
            leak: Event of the call that carried the secret out.
        """
        draft = parse(charter.read_text() + f"\n[flow]\n{LINE}\n", source=charter.name)
        found = replay(self._view, draft, bad=(leak,))
        return {
            "line": LINE,
            "charter": draft.name,
            "stopped": len(found.stopped),
            "broken": len(found.broken),
            "unchanged": found.unchanged,
            "stopped_events": [one.n for one in found.stopped],
            "broken_events": [one.n for one in found.broken],
        }

    def keep(self, case: Path, played: Played) -> None:
        """Leave the case folder: the answer, the record, and how to check it."""
        case.mkdir(parents=True)
        shutil.copytree(self._home.record, case / "record")
        shutil.copytree(self._home.root / "forged", case / "forged")
        shutil.copy(self._home.root / "witness.policy", case / "witness.policy")
        (case / "charters").mkdir()
        for path in sorted(self._home.charters.iterdir()):
            shutil.copy(path, case / "charters")
        for name, found in (("domain", played.story["domain"]), ("commit", played.story["commit"])):
            data = msgspec.json.encode(self.full[found])
            (case / f"answer-from-{name}.json").write_bytes(msgspec.json.format(data, indent=2))
        seal(self._home, self._view, played.story["domain"], self._key, case / "case.zip")
        summary = msgspec.json.encode(
            {name: getattr(played, name) for name in ("truth", "answers", "verify", "replay", "stolen")}
        )
        (case / "summary.json").write_bytes(msgspec.json.format(summary, indent=2))
        (case / "README.md").write_text(_readme(played))
        self._view.close()


def _counts(thing: Any) -> bool:
    return thing.kind in SHOWN and thing.happened and thing.role not in {"mentioned", "is"}


def _readme(played: Played) -> str:
    return f"""# What is left of a story

{played.story["agents"]} agents lived and are gone; their homes are deleted. This folder is all there is.

- `record/`: the record they left. Check it from its bytes: `outrider verify --record record`.
  Ask it what you like: `outrider involved collect.metrics-cdn.example --record record`
- `forged/`: the same record, forged with its own key: `outrider verify --record forged` accepts it
- `witness.policy`: whom a verifier asks for. `outrider verify --record forged --policy witness.policy` refuses it;
  `outrider verify --record record --policy witness.policy` does not
- `case.zip`: the case, sealed. `outrider verify case.zip --policy witness.policy`; without Outrider: `VERIFY.md` in
  it. `report.html` in it is what somebody who decides reads. The texts of the planted page, of what was sent and of
  the prompts are in it, since all are made up; of a real case no text leaves unless `--disclose` says so
- `answer-from-domain.json`: everything behind `{played.story["domain"]}`
- `answer-from-commit.json`: everything behind commit `{played.story["commit"]}`
- `summary.json`: what was planted, what was answered, and whether they agree
- `charters/`: the charters that were not built in

The record's key: `{played.verify["vkey"]}`
"""
