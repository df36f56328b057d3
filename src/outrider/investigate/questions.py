"""The scenario "an AI agent was involved": its facets and questions, as DFIQ 1.1 files in ``dfiq/``.

The files are plain DFIQ and can be given to any tool that reads it. What is read of them here is what a case needs:
one value a line at the top, lists of ids, and the value of the step that asks us. Source: google/dfiq.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

import msgspec

_TOP = re.compile(r"([a-z_]+): (.+)")
_STEP = re.compile(r"        value: (.+)")
_SIZES = {"S": "scenario", "F": "facet", "Q": "question"}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, a facet or a question.

    Attributes:
        id: Its DFIQ id; those that begin with 0 are of an organisation's own.
        kind: ``scenario``, ``facet`` or ``question``.
        name: What it asks.
        description: What is meant.
        parents: What it is part of.
        ask: The command that answers a question, with words in capitals to fill in; else empty.
    """

    id: str
    kind: str
    name: str
    description: str
    parents: tuple[str, ...] = ()
    ask: str = ""


@cache
def scenario() -> tuple[Part, ...]:
    """Return the scenario, its facets and its questions, in the order of their ids within each kind."""
    texts = {
        one.name.removesuffix(".yaml"): one.read_text(encoding="utf-8")
        for one in (files(__package__) / "dfiq").iterdir()
        if one.name.endswith(".yaml")
    }
    ordered = sorted(texts, key=lambda name: ("SFQ".index(name[0]), name))
    return tuple(_part(texts[name]) for name in ordered)


def questions(facet: str = "") -> tuple[Part, ...]:
    """Return the questions of a facet, or all."""
    return tuple(one for one in scenario() if one.kind == "question" and (not facet or facet in one.parents))


def sources() -> dict[str, str]:
    """Return the DFIQ files by name."""
    folder = files(__package__) / "dfiq"
    return {f"{one.id}.yaml": (folder / f"{one.id}.yaml").read_text(encoding="utf-8") for one in scenario()}


def _part(text: str) -> Part:
    top = {found[1]: _value(found[2]) for line in text.splitlines() if (found := _TOP.fullmatch(line))}
    steps = [_value(found[1]) for line in text.splitlines() if (found := _STEP.fullmatch(line))]
    listed = text.partition("\nparent_ids:\n")[2].splitlines()
    parents = []
    for line in listed:
        if not line.startswith("  - "):
            break
        parents.append(line[4:])
    asks = [step for step in steps if step.startswith("outrider ")]
    return Part(
        id=top["id"],
        kind=_SIZES[top["id"][0]],
        name=top["display_name"],
        description=top["description"],
        parents=tuple(parents),
        ask=asks[0] if asks else "",
    )


def _value(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text
