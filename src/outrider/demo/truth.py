"""What the demo knows because it planted it, and what the record must therefore hold.

Nothing here asks the product's judgement: agents are found by their session ids, events by the ids of their calls, in
the raw bytes of the record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from outrider.demo.story import DOCS, DROP, ENDPOINT, KEY, Actor, everyone
from outrider.events.codec import decode
from outrider.events.record import AgentBorn, AnyEvent, CallDecided, CallResult

if TYPE_CHECKING:
    from pathlib import Path

    from outrider.demo.world import World
    from outrider.ledger.reader import Reader


class Planted:
    """The story held against the raw record.

    Attributes:
        steps: The demo's own list: what each agent says it asked, and what came of it.
        commit: Commit id that the leaking agent made, read from its repository before it was deleted.
    """

    def __init__(self, roots: list[Actor], world: World, commit: str) -> None:
        self._roots = roots
        self._world = world
        self.commit = commit
        self.steps = read_steps(world.steps)
        self.leaker = next(actor for actor in everyone(roots) if actor.role == "leaker")

    def truth(self, reader: Reader) -> dict[str, Any]:
        """Return the truth in the form of an answer."""
        events = [decode(entry.leaf) for entry in reader.entries()]
        born = {event.session: event for event in events if isinstance(event, AgentBorn)}
        mine = born[self.leaker.session]
        above = self.leaker.parent
        assert above is not None
        return {
            "agent": mine.agent,
            "charter": self.leaker.charter,
            "charter_digest": mine.digest,
            "parent": born[above.session].agent,
            "root": born[self.leaker.root.session].agent,
            "sponsor": self.leaker.sponsor,
            "cause_event": self._result_of("cause", events),
            "leak_event": self._decision_of("leak", events),
            "artefacts": self._artefacts(),
        }

    def lacking(self, reader: Reader) -> list[str]:
        """Return the steps in the demo's own list that the record lacks, in words."""
        decided: set[str] = set()
        returned: set[str] = set()
        for entry in reader.entries():
            event = decode(entry.leaf)
            if isinstance(event, CallDecided):
                decided.add(event.call)
            elif isinstance(event, CallResult):
                returned.add(event.call)
        found = []
        for step in self.steps:
            if step["call"] not in decided:
                found.append(f"{step['call']}: asked, not recorded")
            elif step["outcome"] in {"done", "failed"} and step["call"] not in returned:
                found.append(f"{step['call']}: {step['outcome']}, outcome not recorded")
        return found

    def outcomes(self) -> dict[str, int]:
        """Return how many steps were done, failed, denied and asked about; ``corrected`` were done upon advice."""
        counts: dict[str, int] = {}
        for step in self.steps:
            counts[step["outcome"]] = counts.get(step["outcome"], 0) + 1
        counts["corrected"] = sum(1 for s in self.steps if s["mark"] == "corrected" and s["outcome"] == "done")
        return counts

    def _call(self, mark: str) -> str:
        return next(str(s["call"]) for s in self.steps if s["mark"] == mark and s["session"] == self.leaker.session)

    def _result_of(self, mark: str, events: list[AnyEvent]) -> int:
        call = self._call(mark)
        return next(event.n for event in events if isinstance(event, CallResult) and event.call == call)

    def _decision_of(self, mark: str, events: list[AnyEvent]) -> int:
        call = self._call(mark)
        return next(event.n for event in events if isinstance(event, CallDecided) and event.call == call)

    def _artefacts(self) -> list[str]:
        repo = self._world.repo(self.leaker)
        return sorted(
            [
                f"path {repo}/CHANGELOG.md",
                f"path {repo}/{ENDPOINT}",
                f"path {repo}/{KEY}",
                f"path {repo}/.git/index",  # git add
                f"host {DOCS}",
                f"host {DROP}",
                f"commit {self.commit}",
            ]
        )


def read_steps(path: Path) -> list[dict[str, Any]]:
    """Return the demo's own list."""
    return [json.loads(line) for line in path.read_text().splitlines()]
