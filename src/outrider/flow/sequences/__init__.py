"""Sequences: steps over several calls which together say more than each alone. One TOML file each; no code.

What a file says: the steps in order, each with the verbs, resources, flags and labels that it takes; how many calls
may lie between the first step and the last; how severe it is; what to do instead; stories that it must find and stories
that look alike and must not be found.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from outrider.events.sequence import Sequence, Step, fault


class Story(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vector: shell commands, one a call, of an agent at home in ``/home/kim`` in the repository ``/home/kim/work``.

    Attributes:
        about: What is told.
        calls: The commands. One that begins with ``refused:`` was refused.
    """

    about: str
    calls: tuple[str, ...]


class Shipped(Sequence, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sequence that ships.

    Attributes:
        id: ``sequence.`` and a name; stable, for it stands in records and charters.
        title: What it is, in a few words.
        why: Why it matters, for its page.
        hit: Stories that it finds, with their last call.
        miss: Stories that look alike, in which it finds nothing.
    """

    id: str
    title: str
    why: str
    hit: tuple[Story, ...]
    miss: tuple[Story, ...]


@cache
def everything() -> tuple[Shipped, ...]:
    """Return the sequences that ship, by id.

    Raises:
        ValueError: A file says what means nothing; a test loads them all.
    """
    found = []
    for file in files("outrider.flow.sequences").iterdir():
        if file.name.endswith(".toml"):
            one = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Shipped)
            if why := fault(one):
                raise ValueError(f"{one.id}: {why}")
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.id))


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """Return the expression of a step's pattern."""
    pieces = re.split(r"(\*\*/|\*\*|\*)", text)
    words: dict[str, str] = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces), re.IGNORECASE)


def page(one: Shipped) -> str:
    """Return the page about a sequence."""
    lines = [f"# {one.title}", "", f"`{one.id}` · severity {one.severity} · confidence {one.confidence}", ""]
    lines += [one.message, "", f"**Instead:** {one.advice}", "", "## Why", "", one.why.strip(), "", "## Steps", ""]
    lines += [f"{at}. {_told(step)}" for at, step in enumerate(one.steps, 1)]
    lines += ["", f"From the first to the last at most {one.within} calls.", ""]
    for title, stories in (("Found", one.hit), ("Not found", one.miss)):
        lines += [f"## {title}", ""]
        for story in stories:
            lines += [f"{story.about}:", "", "```", *story.calls, "```", ""]
    return "\n".join(lines)


def _told(step: Step) -> str:
    what = " or ".join(step.verbs)
    of = f" of {', '.join(f'`{value}`' for value in step.values)}" if step.values else ""
    of += " of a store of secrets" if step.stores else ""
    of += " of what the step before was about" if step.tied else ""
    more = [f"flagged {', '.join(step.flags)}"] if step.flags else []
    more += [f"together with {' or '.join(step.beside)}"] if step.beside else []
    more += [f"bringing {' or '.join(step.brings)}"] if step.brings else []
    more += [f"{step.count} {'times' if step.repeated else 'different ones'}"] if step.count > 1 else []
    more += ["refused ones, too"] if step.refused else []
    return what + of + "".join(f", {one}" for one in more)
