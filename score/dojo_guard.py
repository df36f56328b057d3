"""The guard that the AgentDojo harness drives: each of its suites is a session under the charter for its tools."""

from __future__ import annotations

from typing import Any

from score.session import Session, charter_of


class Guard:
    """What the harness calls; see its ``--guard``."""

    def start(self, suite: str, prompt: str, _tools: list[dict[str, Any]]) -> None:
        """Begin a session with what the user asked."""
        self._session = Session(charter_of(suite), suite)
        self._session.prompt(prompt)

    def before(self, function: str, args: dict[str, Any]) -> str:
        """Return ``allow``, ``ask`` or ``deny``; what could not be decided is denied."""
        verdict = self._session.ask(function, args).decision.verdict
        return verdict if verdict in ("allow", "ask") else "deny"

    def after(self, _function: str, _args: dict[str, Any], result: str) -> None:
        """Take in a result."""
        self._session.result(result)
