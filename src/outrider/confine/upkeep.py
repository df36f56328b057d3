"""What a known agent host starts by itself, with no call of its agent's that tells of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

_UPKEEP: Mapping[str, Mapping[str, frozenset[str]]] = {
    "claude": {
        "git": frozenset({"rev-parse", "status", "branch", "log", "config", "remote", "ls-files", "diff"}),
        "rg": frozenset(),
        "uname": frozenset(),
        "which": frozenset(),
        "ps": frozenset(),
    },
}
"""Programs, with the first words that they may have; any if none is named."""


def upkeep(command: str, names: Collection[str], words: Sequence[str]) -> bool:
    """Tell whether a program that a command starts is that host's own upkeep.

    Args:
        command: Base name of the command.
        names: Base names of the program.
        words: Its first arguments.
    """
    for name in names:
        allowed = _UPKEEP.get(command, {}).get(name)
        if allowed is not None and (not allowed or next((w for w in words if w[:1] != "-"), "") in allowed):
            return True
    return False
