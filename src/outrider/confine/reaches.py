"""What a known agent host needs for itself, whatever its charter says of the agent: its state, its own model.

A person names the host by starting it, so it is lent these; each is told in the birth. A program that is not known
gets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

_STATE: Mapping[str, tuple[str, ...]] = {
    "claude": (".claude", ".claude.json"),
    "codex": (".codex",),
    "gemini": (".gemini",),
    "qwen": (".qwen",),
}
"""Where an agent host keeps its state, below the home. The floor's files in them stay closed to writing."""


def state_of(command: str, home: str) -> tuple[str, ...]:
    """Return the paths in which a command, if it is a known agent host, keeps its state."""
    return tuple(f"{home.rstrip('/')}/{name}" for name in _STATE.get(command, ()))


_MODEL: Mapping[str, tuple[str, ...]] = {
    "claude": ("api.anthropic.com:443",),
    "codex": ("api.openai.com:443",),
    "gemini": ("generativelanguage.googleapis.com:443",),
    "qwen": ("dashscope.aliyuncs.com:443", "dashscope-intl.aliyuncs.com:443"),
}
"""Where an agent host reaches its own model. A connection there is no call of the agent's and is not judged."""


def hosts_of(command: str) -> frozenset[str]:
    """Return the hosts, each with its port, that a command, if it is a known agent host, needs for itself."""
    return frozenset(_MODEL.get(command, ()))
