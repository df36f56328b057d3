"""Every section, by name. A section is a function from the folder of corpora to its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from score import agent_runs, agentdojo, commands, content, curve, dependencies, egress, leaks, reconstruction, written
from score.row import Row

SECTIONS: dict[str, Callable[[Path], list[Row]]] = {
    "commands": commands.measure,
    "agentdojo": agentdojo.measure,
    "agent-runs": agent_runs.measure,
    "reconstruction": reconstruction.measure,
    "replay": curve.measure,
    "egress": egress.measure,
    "secrets": leaks.measure,
    "content": content.measure,
    "code": written.measure,
    "dependencies": dependencies.measure,
}
