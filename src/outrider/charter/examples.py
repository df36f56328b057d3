"""What a charter says of itself in ``[examples]``: calls that it must let through, ask about and refuse.

They are the charter's own tests. They are no part of its canonical form: adding one makes no new version, and no agent
is ever bound by them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec

Expected = Literal["allow", "ask", "deny"]
EXPECTED: tuple[Expected, ...] = get_args(Expected)
MOST = 1000
"""Most examples of one charter."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One call.

    Attributes:
        expected: What must come of it.
        tool: The host's name of the tool.
        input: The tool's input. In it ``~/`` and ``repo/`` at the start of a value are the agent's home and repository.
        written: The example as it was written, or the text to look for on its line.
    """

    expected: Expected
    tool: str
    input: dict[str, Any]
    written: str


def fault(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the key of ``[examples]`` that is wrong and why, or two empty strings; keys are known to be good."""
    for key, value in data.items():
        if not isinstance(value, list):
            return key, f"{key} is not a list of examples"
        for one in value:
            if isinstance(one, str):
                continue
            if not isinstance(one, dict) or set(one) != {"tool", "input"}:
                return key, f"an example of {key} is neither a command line nor a tool with its input"
            if not isinstance(one["tool"], str) or not isinstance(one["input"], dict):
                return key, f"the tool of an example of {key} is not text, or its input is not a table"
    if sum(len(value) for value in data.values()) > MOST:
        return "", f"there are more than {MOST} examples"
    return "", ""


def examples(text: str) -> tuple[Example, ...]:
    """Return the examples in the text of a charter that parses."""
    return tuple(_examples(tomllib.loads(text).get("examples", {})))


def _examples(data: Mapping[str, list[Any]]) -> Iterator[Example]:
    for expected in EXPECTED:
        for one in data.get(expected, ()):
            if isinstance(one, str):
                yield Example(expected=expected, tool="Bash", input={"command": one}, written=one)
            else:
                shown = next((value for value in one["input"].values() if isinstance(value, str)), one["tool"])
                yield Example(expected=expected, tool=one["tool"], input=one["input"], written=shown)


def placed(value: Any, home: str, repo: str) -> Any:
    """Return a tool's input with ``~/`` and ``repo/`` at the start of its texts put in place."""
    if isinstance(value, dict):
        return {key: placed(one, home, repo) for key, one in value.items()}
    if isinstance(value, list):
        return [placed(one, home, repo) for one in value]
    if isinstance(value, str) and value.startswith("~/"):
        return home + value[1:]
    if isinstance(value, str) and value.startswith("repo/"):
        return repo + value[4:]
    return value
