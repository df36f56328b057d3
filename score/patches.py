"""A patch in the form of the tool ``apply_patch``, as the writes, edits and deletions of our host's tools."""

from __future__ import annotations

import re
from typing import Any

_HEAD = re.compile(r"\*\*\* (Add|Update|Delete) File: (.+)")


def calls_of_patch(patch: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return one call for each file that a patch names in a header; lines of content only look like headers."""
    calls: list[tuple[str, dict[str, Any]]] = []
    body: dict[str, list[str]] = {"+": [], "-": []}
    for line in patch.splitlines():
        head = _HEAD.fullmatch(line)
        if head is None:
            if line[:1] in body and calls:
                body[line[0]].append(line[1:])
            continue
        _fill(calls, body)
        body = {"+": [], "-": []}
        path = head[2].strip()
        if head[1] == "Delete":
            calls.append(("Bash", {"command": "rm -- '" + path.replace("'", "'\\''") + "'"}))
        else:
            calls.append(("Write" if head[1] == "Add" else "Edit", {"file_path": path}))
    _fill(calls, body)
    return tuple(calls)


def _fill(calls: list[tuple[str, dict[str, Any]]], body: dict[str, list[str]]) -> None:
    """Give the last call the lines that stood below its header."""
    if not calls:
        return
    tool, given = calls[-1]
    if tool == "Write":
        given["content"] = "\n".join(body["+"])
    elif tool == "Edit":
        given["old_string"], given["new_string"] = "\n".join(body["-"]), "\n".join(body["+"])
