"""What a call would write into files, and which lines of it are new: what a change leaves as it was is not its work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import structs

from outrider.detect.code.language import language_of
from outrider.detect.code.rule import Persona
from outrider.detect.code.scan import Outcome, scan_code
from outrider.events.call import Call, Finding, PathFact, Plan

WRITERS: Final = frozenset({"write", "edit"})
"""The normal tools that write what they are given."""

Looked = str
"""What came of looking at the code that a call writes: empty where all of it was looked at, or there was none; else
the worst of ``fragment`` (what stands around it could not be read), ``partly`` and ``too-large``."""

MOST_CODE: Final = 128 * 1024
"""Characters of a text that the rules about code look at while an agent waits, about 100 ms. Of a longer one it is what
stands around the first new lines, and the look is called ``too-large``."""
_AHEAD: Final = 16 * 1024
"""Characters before the first new line that are among them."""

_WORSE: Final[dict[str, int]] = {"": 0, "fragment": 1, "partly": 2, "too-large": 3}


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A text that lands in a file.

    Attributes:
        path: The file.
        text: The whole file as it will be, or only what is put into it.
        where: The part of the call that it comes from.
        added: The lines, from 1, that are new; None for all of them.
        whole: Whether ``text`` is the whole file.
        before: What stands there now: the whole file, or what the text takes the place of; None where that is nothing,
            or is not known.
    """

    path: str
    text: str
    where: str
    added: frozenset[int] | None = None
    whole: bool = True
    before: str | None = None


def written(call: Call, plan: Plan, facts: Mapping[str, PathFact]) -> Iterator[Written]:
    """Yield the texts that a call would write, as far as its own words tell.

    Args:
        call: The call.
        plan: Its plan.
        facts: What stands at the paths now, by path, with the content of those that it would write.
    """
    for path, text in plan.written:
        before = _content(facts, path)
        yield Written(path=path, text=text, where="args.command", added=_added(before, text), before=before)
    if call.tool not in WRITERS:
        return
    path = next((one.value for one in plan.effects if one.verb == "write" and one.kind == "path"), "")
    content = _text(call.args, "content", "file_text")
    if content is not None:
        before = _content(facts, path)
        yield Written(path=path, text=content, where="args.content", added=_added(before, content), before=before)
        return
    yield from _edited(call.args, path, _content(facts, path))


def look(
    call: Call, plan: Plan, facts: Mapping[str, PathFact], today: str = "", persona: Persona = "everyday"
) -> tuple[tuple[Finding, ...], Looked]:
    """Return what the code that a call writes is found to hold, and what came of the look.

    Args:
        call: The call.
        plan: Its plan.
        facts: What stands at the paths that it would write.
        today: The day it is, as in :func:`scan_code`.
        persona: Whose rules.
    """
    findings: list[Finding] = []
    worst = ""
    for one in written(call, plan, facts):
        if one.added is not None and not one.added:
            continue  # Nothing in it is new.
        at, first, text = _near(one)
        added = one.added if one.added is None else frozenset(line - first for line in one.added)
        language = language_of(one.path, one.text)  # Its first line may be among what is left out.
        seen = scan_code(text, one.where, path=one.path, added=added, persona=persona, language=language, today=today)
        findings += (structs.replace(each, start=each.start + at, end=each.end + at) for each in seen.findings)
        cut = len(text) < len(one.text) and seen.outcome not in {"no-language", "no-rules"}
        worst = max(worst, "too-large" if cut else _looked(seen.outcome, whole=one.whole), key=_WORSE.__getitem__)
    return tuple(findings), worst


def _near(one: Written) -> tuple[int, int, str]:
    """Return what of a text is looked at: the characters and the lines before it, and whole lines of it."""
    text = one.text
    if len(text) <= MOST_CODE:
        return 0, 0, text
    at = first = 0
    if one.added:
        new = min(one.added)
        for _ in range(new - 1):
            at = text.index("\n", at) + 1
        at = text.rfind("\n", 0, max(0, at - _AHEAD)) + 1
        first = text.count("\n", 0, at)
    end = at + MOST_CODE
    if end < len(text):
        end = max(text.rfind("\n", at, end) + 1, end - _AHEAD)
    return at, first, text[at:end]


def _looked(outcome: Outcome, *, whole: bool) -> Looked:
    if outcome in {"no-language", "no-rules"}:
        return ""
    if outcome == "scanned":
        return "" if whole else "fragment"
    return outcome


def _edited(args: dict[str, Any], path: str, before: str | None) -> Iterator[Written]:
    edits = args.get("edits")
    several = [one for one in edits if isinstance(one, dict)] if isinstance(edits, list) else [args]
    after = before
    for place, one in enumerate(several):
        new = _text(one, "new_string", "new_str", "new_source")
        old = _text(one, "old_string", "old_str")
        if new is None:
            continue
        where = f"args.edits.{place}.new_string" if several[0] is not args else "args.new_string"
        if after is None or not old or old not in after:
            yield Written(path=path, text=new, where=where, added=_added(old, new), whole=False, before=old)
            after = None if after is None or old else after
            continue
        after = after.replace(old, new) if one.get("replace_all") is True else after.replace(old, new, 1)
    if after is not None and before is not None and after != before:
        yield Written(path=path, text=after, where="file", added=_added(before, after), before=before)


def _content(facts: Mapping[str, PathFact], path: str) -> str | None:
    fact = facts.get(path)
    if fact is None or fact.content is None:
        return None
    return fact.content.decode("utf-8", "replace")


def _text(args: dict[str, Any], *names: str) -> str | None:
    return next((args[name] for name in names if isinstance(args.get(name), str)), None)


def _added(before: str | None, after: str) -> frozenset[int] | None:
    """Return the lines of ``after`` that ``before`` does not hold, however they are ordered; linear in both."""
    if before is None:
        return None
    left = Counter(line.strip() for line in before.split("\n"))
    added: set[int] = set()
    for number, line in enumerate(after.split("\n"), 1):
        bare = line.strip()
        if left[bare] > 0:
            left[bare] -= 1
        elif bare:
            added.add(number)
    return frozenset(added)
