"""One agent's session judged in this process: the gate's own plan, study and decision, and the fold of the record.

No daemon and no disk: what is measured is the judging. A call is a call to a tool of an MCP server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outrider.charter.parse import parse
from outrider.effects import Place
from outrider.events.call import Call, Tool
from outrider.gate.judge import Judged
from outrider.gate.rehearse import Rehearsal

CHARTERS = Path(__file__).parent / "charters"
_HOME = "/home/user"
_REPO = f"{_HOME}/project"
_PLACE = Place(home=_HOME, repo=_REPO, cwd=_REPO)
_NAME = "session"


class Session:
    """A session under one charter."""

    def __init__(self, charter: str, server: str) -> None:
        """Begin.

        Args:
            charter: The charter's text.
            server: Name of the MCP server that all tools belong to.
        """
        self._rehearsal = Rehearsal([parse(charter)], key=bytes(32), look=False, clock=lambda: 0)
        self._server = server
        self._kind: Tool = "mcp"

    def prompt(self, text: str) -> None:
        """Take in what the user (or the operator) says."""
        self._rehearsal.prompt(text, _NAME, _HOME)

    def ask(self, tool: str, args: dict[str, Any], kind: Tool = "mcp") -> Judged:
        """Return the judgement on a call, and remember it. ``kind`` is the normal tool, if it is not a server's."""
        name = f"mcp__{self._server}__{tool}" if kind == "mcp" else tool
        self._kind = kind
        call = Call(door="score", session="s", call_id="c", tool=kind, name=name, args=args, cwd=_REPO)
        return self._rehearsal.judge(call, _PLACE, session=_NAME).judged

    def result(self, text: str) -> None:
        """Take in what the last call returned."""
        self._rehearsal.result(text, _NAME, self._kind, _HOME)


def charter_of(suite: str) -> str:
    """Return the text of the charter written for a suite's tools."""
    return (CHARTERS / f"{suite}.toml").read_text()
