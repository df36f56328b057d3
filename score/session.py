"""One agent's session judged in this process: the gate's own plan, study and decision, and the fold of the record.

No daemon and no disk: what is measured is the judging. A call is a call to a tool of an MCP server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outrider.charter.bound import Bindings, bind
from outrider.charter.floor import floor
from outrider.charter.parse import parse
from outrider.effects import Place
from outrider.events.call import Call, Label, Tool
from outrider.events.record import Beside, CallDecided, CallResult, Commitment, Counters, Prompted
from outrider.flow.labels import result_brings
from outrider.flow.state import FlowState
from outrider.gate import study
from outrider.gate.judge import Judged, Setting, decide
from outrider.gate.provenance import Told, leaking

CHARTERS = Path(__file__).parent / "charters"
_KEY = bytes(32)
_HOME = "/home/user"
_REPO = f"{_HOME}/project"
_PLACE = Place(home=_HOME, repo=_REPO, cwd=_REPO)
_NOTHING = Commitment(c="", size=0)
_BINDINGS = Bindings(home=_HOME, repo=_REPO)


class Session:
    """A session under one charter."""

    def __init__(self, charter: str, server: str) -> None:
        """Begin.

        Args:
            charter: The charter's text.
            server: Name of the MCP server that all tools belong to.
        """
        self._chain = (floor(_BINDINGS), bind(parse(charter), _BINDINGS))
        self._server = server
        self._state = FlowState()
        self._n = 0
        self._intent = -1

    def prompt(self, text: str) -> None:
        """Take in what the user (or the operator) says."""
        reading = study.read(text, _KEY, _HOME, who="user")
        self._tell(Prompted(v=1, n=self._n, ts=0, agent="a", content=_NOTHING), Beside(said=reading.said))

    def ask(self, tool: str, args: dict[str, Any], kind: Tool = "mcp") -> Judged:
        """Return the judgement on a call, and remember it. ``kind`` is the normal tool, if it is not a server's."""
        call = self._call(tool, args, kind)
        seen = study.study(call, _PLACE, _KEY)
        effects = seen.plan.effects
        setting = Setting(chain=self._chain, labels=self._state.labels_of("a"), counters=Counters(calls=1))
        known = self._state.known("a")
        told = Told(seen.given, known, leaking(call, known, _KEY), self._state.course("a"), _HOME)
        judged = decide(effects, seen.findings, setting, (), told)
        self._intent = self._n
        self._tell(
            CallDecided(
                v=1, n=self._n, ts=0, agent="a", call=str(self._n), tool=kind, name=call.name, effects=effects,
                decision=judged.decision, chain=(), content=_NOTHING, labels=judged.labels, adds=judged.adds,
                values=judged.values,
            ),
            Beside(),
        )  # fmt: skip
        return judged

    def result(self, text: str) -> None:
        """Take in what the last call returned."""
        reading = study.read(text, _KEY, _HOME, who="tool")
        adds = tuple(Label(name, -1) for name in sorted(result_brings("mcp", reading.findings)))
        event = CallResult(
            v=1, n=self._n, ts=0, agent="a", call="", intent=self._intent, ok=True, content=_NOTHING, adds=adds
        )
        self._tell(event, Beside(said=reading.said))

    def _tell(self, event: Any, beside: Beside) -> None:
        self._state.apply(event, beside)
        self._n += 1

    def _call(self, tool: str, args: dict[str, Any], kind: Tool) -> Call:
        name = f"mcp__{self._server}__{tool}" if kind == "mcp" else tool
        return Call(door="score", session="s", call_id=str(self._n), tool=kind, name=name, args=args, cwd=_REPO)


def charter_of(suite: str) -> str:
    """Return the text of the charter written for a suite's tools."""
    return (CHARTERS / f"{suite}.toml").read_text()
