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
from typing import Literal

import msgspec

from outrider.events.call import VERBS, Confidence, Severity

MAX_WITHIN = 60


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: a call with an effect that is all of what is said here.

    Attributes:
        verbs: The effect's verb is one of these.
        values: Its resource fits one of these patterns (``*`` within a name, ``**`` across), if there are any.
        flags: It has all of these flags.
        beside: The same call also has an effect with one of these verbs, if there are any.
        brings: The call brings one of these labels, if there are any.
        stores: Its resource is a store of secrets.
        tied: Its resource is that of the step before.
        count: How many different resources it takes, within the sequence's calls.
        repeated: The same resource counts each time.
        refused: A refused call counts, too.
    """

    verbs: tuple[str, ...]
    values: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    stores: bool = False
    tied: bool = False
    count: int = 1
    repeated: bool = False
    refused: bool = False


class Story(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vector: shell commands, one a call, of an agent at home in ``/home/kim`` in the repository ``/home/kim/work``.

    Attributes:
        about: What is told.
        calls: The commands. One that begins with ``refused:`` was refused.
    """

    about: str
    calls: tuple[str, ...]


class Sequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sequence.

    Attributes:
        id: ``sequence.`` and a name; stable, for it stands in records and charters.
        title: What it is, in a few words.
        message: What was seen, one sentence.
        advice: What to do instead, one sentence.
        why: Why it matters, for its page.
        severity: How bad it is if it is meant so.
        confidence: How sure the steps make it.
        within: Most calls from the first step to the last, both counted.
        steps: The steps, in order.
        hit: Stories that it finds, with their last call.
        miss: Stories that look alike, in which it finds nothing.
    """

    id: str
    title: str
    message: str
    advice: str
    why: str
    severity: Severity
    confidence: Confidence
    within: int
    steps: tuple[Step, ...]
    hit: tuple[Story, ...]
    miss: tuple[Story, ...]


@cache
def everything() -> tuple[Sequence, ...]:
    """Return the sequences that ship, by id.

    Raises:
        ValueError: A file says what means nothing; a test loads them all.
    """
    found = []
    for file in files("outrider.flow.sequences").iterdir():
        if file.name.endswith(".toml"):
            one = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Sequence)
            check(one)
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.id))


def check(one: Sequence) -> None:
    """Refuse a sequence that could never be found or never be missed.

    Raises:
        ValueError: Why.
    """
    wrong = {verb for step in one.steps for verb in (*step.verbs, *step.beside)} - set(VERBS)
    if wrong:
        raise ValueError(f"{one.id}: {sorted(wrong)} are no verbs")
    if not one.steps or not 1 <= one.within <= MAX_WITHIN:
        raise ValueError(f"{one.id}: it takes steps, and between 1 and {MAX_WITHIN} calls")
    if one.steps[0].tied or any(step.count > 1 for step in one.steps[:-1]):
        raise ValueError(f"{one.id}: the first step is tied to nothing, and only the last one counts")


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """Return the expression of a step's pattern."""
    pieces = re.split(r"(\*\*/|\*\*|\*)", text)
    words: dict[str, str] = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces), re.IGNORECASE)


Outcome = Literal["found", "nothing"]


def page(one: Sequence) -> str:
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
