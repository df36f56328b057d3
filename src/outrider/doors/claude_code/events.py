"""The hook events of Claude Code, and what we know about each.

Source: the vendor's hooks reference and the shipped program, version 2.1.330.
"""

from __future__ import annotations

NAME = "claude_code"

EVENTS: tuple[str, ...] = (
    "SessionStart", "Setup", "UserPromptSubmit", "UserPromptExpansion", "PreToolUse", "PermissionRequest",
    "PermissionDenied", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "MessageDisplay",
    "SubagentStart", "SubagentStop", "TaskCreated", "TaskCompleted", "Stop", "StopFailure", "TeammateIdle",
    "InstructionsLoaded", "ConfigChange", "CwdChanged", "DirectoryAdded", "FileChanged", "WorktreeCreate",
    "WorktreeRemove", "PreCompact", "PostCompact", "Elicitation", "ElicitationResult", "SessionEnd",
)  # fmt: skip
"""Every event there is. All are understood when they come."""

INSTALLED: tuple[str, ...] = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure",
    "PostToolBatch", "SubagentStart", "SubagentStop", "Stop", "ConfigChange", "SessionEnd",
)  # fmt: skip
"""The events that we ask for. Left out on purpose: ``WorktreeCreate`` and ``WorktreeRemove`` (a hook there REPLACES
what the host does), ``Elicitation`` (a hook answers in the user's place), ``MessageDisplay`` (one process for every
piece of text on the screen), and those that tell us nothing that a record needs."""

BLOCKS: frozenset[str] = frozenset(("PreToolUse", "PermissionRequest", "UserPromptSubmit", "ConfigChange"))
"""The events whose hook can stop what is about to happen."""

COMMAND_ONLY: frozenset[str] = frozenset(("SessionStart", "Setup"))
"""The events for which the host takes no HTTP hook."""

NO_ON_FAILURE: frozenset[str] = frozenset(("Stop", "SubagentStop", "TaskCompleted", "TeammateIdle"))
"""The events for which the host ignores ``onFailure``."""

TAKES_CONTEXT: frozenset[str] = frozenset(
    (
        "SessionStart", "Setup", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure",
        "PostToolBatch", "SubagentStart",
    )
)  # fmt: skip
"""The events whose hook may put text into the agent's context."""

MAX_TEXT = 10_000
"""The host cuts strings of a hook's output at so many UTF-16 units."""
