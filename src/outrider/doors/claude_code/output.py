"""The text that a tool's result puts in front of the agent, out of the shapes that Claude Code's tools answer in."""

from __future__ import annotations

from typing import Any

from outrider.events.message import text_of

_SHOWN: dict[str, tuple[str, ...]] = {
    "Bash": ("stdout", "stderr"),
    "Read": ("file",),
    "Write": ("structuredPatch",),
    "Edit": ("structuredPatch",),
    "Grep": ("content", "filenames"),
    "Glob": ("filenames",),
    "WebFetch": ("result",),
    "Agent": ("content",),
    "Task": ("content",),
}
"""For a tool whose answer also holds bookkeeping: the fields that the agent is shown, in order."""


def output_text(name: str, response: Any) -> str:
    """Return the text of a tool's answer.

    Args:
        name: The host's own name of the tool.
        response: Its answer as the host repeats it. A shape that we do not know gives all the text in it, so that a
            change of the host's never hides anything.
    """
    response = _texts(response)
    shown = _SHOWN.get(name, ())
    if not isinstance(response, dict) or not any(key in response for key in shown):
        return text_of(response)
    parts = [_texts(response[key]) for key in shown if key in response]
    if name == "Read" and isinstance(parts[0], dict) and "content" in parts[0]:
        parts = [parts[0]["content"]]
    if name in ("Write", "Edit"):
        parts = [_patch_lines(parts[0])]
    return text_of([part for part in parts if part != ""])


def _texts(value: Any) -> Any:
    """Return the texts of a list of content blocks; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(block, dict) and "text" in block for block in value):
        return [block["text"] for block in value]
    return value


def _patch_lines(patch: Any) -> Any:
    if isinstance(patch, list) and all(isinstance(hunk, dict) and "lines" in hunk for hunk in patch):
        return [hunk["lines"] for hunk in patch]
    return patch
