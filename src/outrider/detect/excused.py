"""Findings that somebody lets be: by a comment beside a secret or a package, or by the repository's list. Pure.

What is said of code is held against its comments where it is found (``detect/code/scan.py``); here is the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from outrider.detect.code.listing import Listing
from outrider.detect.code.suppression import Suppressions
from outrider.detect.written import Written, written
from outrider.events.call import Call, Finding, PathFact, Plan

_OF: Final = ("code.", "secret.", "dependency.")
"""What rules begin with whose findings a comment or a list can let be."""


def open_ones(findings: Sequence[Finding]) -> bool:
    """Return whether there is anything that could be let be."""
    return any(one.rule.startswith(_OF) and not one.suppressed for one in findings)


def excused(
    call: Call,
    plan: Plan,
    facts: Mapping[str, PathFact],
    findings: Sequence[Finding],
    listing: Listing,
    repo: str,
    today: str,
) -> tuple[Finding, ...]:
    """Return the findings, with the reasons of those that somebody lets be.

    Args:
        call: The call.
        plan: Its plan.
        facts: What stands at the paths that it would write.
        findings: What was found in it.
        listing: The repository's list.
        repo: The repository, absolute, or empty.
        today: The day it is, UTC.
    """
    pieces = {one.where: one for one in written(call, plan, facts)}
    read: dict[str, Suppressions] = {}
    out: list[Finding] = []
    for one in findings:
        if one.suppressed or not one.rule.startswith(_OF):
            out.append(one)
            continue
        piece = pieces.get(one.where) or _part(call, one.where, pieces)
        path = _within(piece.path if piece is not None else "", repo)
        said = listing.reason(one.rule, path, today)
        if said:
            out.append(msgspec.structs.replace(one, suppressed=said, excused="listed"))
        elif piece is None or one.rule.startswith("code."):
            out.append(one)
        else:
            if one.where not in read:
                read[one.where] = Suppressions(piece.text, today)
            out.append(_by_comment(one, piece, read[one.where]))
    return tuple(out)


def _by_comment(one: Finding, piece: Written, suppressions: Suppressions) -> Finding:
    line = piece.text.count("\n", 0, one.start) + 1
    comment = suppressions.about(one.rule, line, line)
    if comment is None or comment.over or not one.end:
        return one
    fresh = piece.added is None or comment.line in piece.added
    return msgspec.structs.replace(one, suppressed=comment.reason, excused="added" if fresh else "standing")


def _part(call: Call, where: str, pieces: Mapping[str, Written]) -> Written | None:
    """Return an argument as a text that is written, where the call writes one file and names it nowhere else."""
    value: Any = call.args
    for name in where.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else value
        value = value[int(name)] if isinstance(value, list) and name.isdigit() and int(name) < len(value) else value
    paths = {one.path for one in pieces.values()}
    if not isinstance(value, str) or len(paths) != 1 or not where.startswith("args."):
        return None
    befores = [one.before for one in pieces.values()]
    if None in befores:
        return Written(path=paths.pop(), text=value, where=where)
    before = {line.strip() for text in befores if text for line in text.split("\n")}
    added = frozenset(at for at, line in enumerate(value.split("\n"), 1) if line.strip() not in before)
    return Written(path=paths.pop(), text=value, where=where, added=added)


def _within(path: str, repo: str) -> str:
    return path[len(repo) + 1 :] if repo and path.startswith(repo + "/") else ""
