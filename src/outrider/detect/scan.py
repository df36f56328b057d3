"""Which parts of a call are looked at, and by which detectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from outrider.detect.registry import DETECTORS
from outrider.events.call import Call, Finding

MAX_PARTS = 256
"""Most strings of one call that are looked at one by one; what is behind is looked at as one text."""

_OF_CALLS = ("secrets",)
"""Detectors of what an agent writes itself. Hidden instructions are looked for in what it reads."""

_NOT_NEW = {"edit": frozenset({"old_string", "old_str"})}
"""Arguments that repeat what is there already, by tool: not what the call writes."""


def scan_call(call: Call, key: bytes) -> tuple[Finding, ...]:
    """Return what detectors find in a call's arguments: command text, new content, URLs, prompts, nested values.

    ``Finding.where`` is the place, such as ``args.command`` or ``args.edits.0.new_string``.

    Args:
        call: The call.
        key: Key of the prints.
    """
    path = _path(call)
    return tuple(
        finding
        for where, text in _parts(call)
        for name in _OF_CALLS
        for finding in DETECTORS[name](text, where, key, path=path)
    )


def scan_text(text: str, where: str, key: bytes, *, path: str = "") -> tuple[Finding, ...]:
    """Return what all detectors find in a text that an agent reads: a result, a prompt, a message.

    Args:
        text: The text.
        where: What it is, such as ``output``.
        key: Key of the prints.
        path: The file that it came from, or empty.
    """
    return tuple(finding for detector in DETECTORS.values() for finding in detector(text, where, key, path=path))


def _path(call: Call) -> str:
    for name in ("file_path", "path", "notebook_path"):
        value = call.args.get(name)
        if isinstance(value, str):
            return value
    return ""


def _parts(call: Call) -> Iterator[tuple[str, str]]:
    skipped = _NOT_NEW.get(call.tool, frozenset())
    stack: list[tuple[str, Any]] = [("args", call.args)]
    rest: list[str] = []
    count = 0
    while stack:
        where, item = stack.pop()
        if isinstance(item, str):
            count += 1
            if count > MAX_PARTS:
                rest.append(item)
            elif item:
                yield where, item
        elif isinstance(item, dict):
            pairs = [(f"{where}.{name}", value) for name, value in item.items() if name not in skipped]
            stack.extend(reversed(pairs))
        elif isinstance(item, list | tuple):
            stack.extend((f"{where}.{place}", value) for place, value in reversed(list(enumerate(item))))
    if rest:
        yield "args", "\n".join(rest)
