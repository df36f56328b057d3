"""Hosts' names of tools and of their arguments, to ours."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from outrider.events.call import Tool

CLAUDE: Mapping[str, Tool] = {
    "Bash": "shell", "PowerShell": "shell", "Monitor": "shell", "Read": "read", "Write": "write", "Edit": "edit",
    "MultiEdit": "edit", "NotebookEdit": "edit", "Grep": "search", "Glob": "search", "WebFetch": "fetch",
    "WebSearch": "websearch", "Agent": "spawn", "Task": "spawn",
}  # fmt: skip
CODEX: Mapping[str, Tool] = {
    "shell": "shell", "shell_command": "shell", "exec_command": "shell", "local_shell": "shell",
    "container.exec": "shell", "unified_exec": "shell", "apply_patch": "edit", "view_image": "read",
    "read_file": "read", "grep_files": "search", "list_dir": "search", "web_search": "websearch",
    "spawn_agent": "spawn", "Bash": "shell",
}  # fmt: skip
GEMINI: Mapping[str, Tool] = {
    "run_shell_command": "shell", "read_file": "read", "read_many_files": "read", "write_file": "write",
    "replace": "edit", "edit": "edit", "search_file_content": "search", "grep_search": "search", "glob": "search",
    "list_directory": "search", "web_fetch": "fetch", "google_web_search": "websearch", "web_search": "websearch",
    "invoke_agent": "spawn", "agent": "spawn", "task": "spawn",
}  # fmt: skip
COPILOT: Mapping[str, Tool] = {
    "bash": "shell", "powershell": "shell", "view": "read", "create": "write", "edit": "edit", "str_replace": "edit",
    "str_replace_editor": "edit", "apply_patch": "edit", "grep": "search", "glob": "search", "web_fetch": "fetch",
    "web_search": "websearch", "task": "spawn",
}  # fmt: skip
CURSOR: Mapping[str, Tool] = {
    "Shell": "shell", "run_terminal_cmd": "shell", "run_terminal_command_v2": "shell", "Read": "read",
    "read_file": "read", "read_file_v2": "read", "Write": "write", "write": "write", "edit_file": "edit",
    "edit_file_v2": "edit", "StrReplace": "edit", "search_replace": "edit", "ApplyPatch": "edit", "Delete": "write",
    "delete_file": "write", "Grep": "search", "Glob": "search", "grep": "search", "codebase_search": "search",
    "SemanticSearch": "search", "list_dir": "search", "LS": "search", "WebFetch": "fetch", "WebSearch": "websearch",
    "web_search": "websearch", "Task": "spawn",
}  # fmt: skip
OPENCODE: Mapping[str, Tool] = {
    "bash": "shell", "read": "read", "write": "write", "edit": "edit", "multiedit": "edit", "patch": "edit",
    "apply_patch": "edit", "grep": "search", "glob": "search", "list": "search", "webfetch": "fetch",
    "websearch": "websearch", "task": "spawn",
}  # fmt: skip
CLINE: Mapping[str, Tool] = {
    "execute_command": "shell", "run_commands": "shell", "read_file": "read", "write_to_file": "write",
    "replace_in_file": "edit", "search_files": "search", "list_files": "search",
    "list_code_definition_names": "search", "web_fetch": "fetch", "fetch_web_content": "fetch",
    "use_mcp_tool": "mcp", "access_mcp_resource": "mcp", "spawn_agent": "spawn", "new_task": "spawn",
}  # fmt: skip

_COMMAND = ("command", "cmd", "commands", "script")
_PATHS = ("file_path", "path", "filePath", "absolute_path", "target_file", "notebook_path", "relative_workspace_path",
          "targetFile", "effectiveUri", "filename")  # fmt: skip
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+?)\s*$|^\*\*\* Move to: (.+?)\s*$", re.MULTILINE)
_SHELLS = frozenset({"bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh", "/usr/bin/bash"})
_SERVER = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def known(name: str, tools: Mapping[str, Tool]) -> Tool:
    """Return the normal tool behind a host's name of one; a tool of an MCP server is ``mcp``."""
    return "mcp" if name.startswith("mcp__") else tools.get(name, "other")


def served(server: object, tool: str) -> str:
    """Return our name of an MCP server's tool, or the tool's own name where no server is told."""
    return f"mcp__{server}__{tool}" if isinstance(server, str) and _SERVER.fullmatch(server) else tool


def arguments(tool: Tool, given: Any) -> dict[str, Any]:
    """Return a tool's input in the words that our effects are read from.

    What is no object becomes one; a shell's command is one text under ``command``, a patch names its files under
    ``paths``, and a file is named under ``path`` besides the host's own word for it.
    """
    args = given if isinstance(given, dict) else {"input": given} if given not in (None, "") else {}
    shape = _SHAPES.get(tool)
    return shape(args) if shape else args


def _shell(args: dict[str, Any]) -> dict[str, Any]:
    found = next((args[name] for name in _COMMAND if args.get(name)), args.get("input", ""))
    if isinstance(found, list):
        words = [word for word in found if isinstance(word, str)]
        several = found is args.get("commands")
        wrapped = len(words) == 3 and words[0] in _SHELLS and words[1] in {"-c", "-lc"}
        found = words[2] if wrapped else "\n".join(words) if several else shlex.join(words)
    return {**args, "command": found if isinstance(found, str) else str(found)}


def _file(args: dict[str, Any]) -> dict[str, Any]:
    patch = next((args[name] for name in ("input", "patch", "patchText", "command") if _is_patch(args.get(name))), "")
    if patch:
        return {**args, "paths": [one or other for one, other in _PATCHED.findall(patch)]}
    for name in _PATHS:
        if isinstance(args.get(name), str) and args[name]:
            return args if name in {"path", "file_path"} else {**args, "path": args[name]}
    return args


def _is_patch(value: object) -> bool:
    return isinstance(value, str) and _PATCHED.search(value) is not None


_SHAPES: dict[Tool, Callable[[dict[str, Any]], dict[str, Any]]] = {"shell": _shell, "write": _file, "edit": _file,
                                                                   "read": _file}  # fmt: skip
