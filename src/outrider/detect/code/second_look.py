"""What slower scanners of other people say of a text: bandit's and semgrep's JSON read into findings.

Their findings carry their own rule ids in small letters (``bandit.b608``, ``semgrep.<check id>``), so that charters can
name them. They count where ours would: on lines that a change adds, a step more gently in tests, and let be by the same
comments and the same list. A report that shows that nothing was scanned, or that is none, is an error and never a clean
bill.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from outrider.detect.code.listing import Listing
from outrider.detect.code.scan import MAX_FINDINGS, is_aside, milder
from outrider.detect.code.suppression import Suppressions
from outrider.events.call import Confidence, Excused, Finding, Severity

LANGUAGES: Final[dict[str, frozenset[str]]] = {
    "bandit": frozenset({"python"}),
    "semgrep": frozenset(
        {
            "python", "javascript", "typescript", "tsx", "go", "java", "c", "cpp", "ruby", "php", "csharp", "rust",
            "shell", "dockerfile", "github-actions", "terraform", "kubernetes", "compose",
        }
    ),
}  # fmt: skip
"""Scanners, and the languages whose texts they are given."""

_GRADES: Final[dict[str, Severity]] = {
    "HIGH": "high", "ERROR": "high", "CRITICAL": "high", "MEDIUM": "medium", "WARNING": "medium",
}  # fmt: skip
_SURE: Final[dict[str, Confidence]] = {"HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_QUOTED = re.compile(r"'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"")
_RULE = re.compile(r"[^a-z0-9_.-]+")
_MESSAGE: Final = 240
_ADVICE: Final = "Look at this line again: write it so that this is gone, or say in a comment why it is right."


class Reported(msgspec.Struct, frozen=True):
    """What a scanner's report says.

    Attributes:
        findings: Its findings that count.
        problem: Why it is no report on this text, or empty.
    """

    findings: tuple[Finding, ...] = ()
    problem: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was given to a scanner.

    Attributes:
        text: The text.
        path: The file that it is, or will be, in.
        where: What it is; copied into findings.
        added: The lines, from 1, that a change adds; None for all.
        said: The lines on which a first look has found something already.
        today: The day it is, for suppressions.
        listing: The list of the repository that the file is in.
        inside: The file, from the top of that repository; empty where it is in none.
    """

    text: str
    path: str
    where: str
    added: frozenset[int] | None = None
    said: frozenset[int] = frozenset()
    today: str = ""
    listing: Listing = Listing()
    inside: str = ""


class _Raw(msgspec.Struct, frozen=True):
    rule: str
    severity: Severity
    confidence: Confidence
    message: str
    first: int
    last: int


def read_report(tool: str, report: bytes, asked: Asked) -> Reported:
    """Return what a scanner's JSON says of a text.

    Args:
        tool: A name in :data:`LANGUAGES`.
        report: What it printed.
        asked: What it was given.
    """
    try:
        data = json.loads(report)
    except (ValueError, RecursionError):
        return Reported(problem="failed: its report is not JSON")
    if not isinstance(data, dict):
        return Reported(problem="failed: its report is not what it should be")
    problem = (_bandit_problem if tool == "bandit" else _semgrep_problem)(data, asked.text)
    if problem:
        return Reported(problem=problem)
    raw = _bandit(data) if tool == "bandit" else _semgrep(data)
    return Reported(tuple(_counted(raw, asked))[:MAX_FINDINGS])


def _counted(raw: Iterator[_Raw], asked: Asked) -> Iterator[Finding]:
    suppressions = Suppressions(asked.text, asked.today)
    gently = is_aside(asked.path)
    lines = asked.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for one in raw:
        first, last = max(1, min(one.first, len(lines))), max(1, min(one.last, len(lines)))
        here = range(first, max(first, last) + 1)
        if asked.added is not None and asked.added.isdisjoint(here):
            continue
        if not asked.said.isdisjoint(here):
            continue
        line = lines[first - 1]
        suppressed, excused = _let_be(one.rule, first, last, asked, suppressions)
        yield Finding(
            rule=one.rule,
            severity=milder(one.severity) if gently else one.severity,
            confidence=one.confidence,
            where=asked.where,
            start=starts[first - 1] + len(line) - len(line.lstrip()),
            end=starts[first - 1] + len(line.rstrip()),
            message=one.message,
            advice=_ADVICE,
            suppressed=suppressed,
            excused=excused,
        )


def _let_be(rule: str, first: int, last: int, asked: Asked, suppressions: Suppressions) -> tuple[str, Excused]:
    """Return why a rule's finding on some lines is let be, and who says so; empty where nobody does."""
    if said := asked.listing.reason(rule, asked.inside, asked.today):
        return said, "listed"
    comment = suppressions.about(rule, first, last)
    if comment is None or comment.over:
        return "", ""
    return comment.reason, "added" if asked.added is None or comment.line in asked.added else "standing"


def _bandit_problem(data: dict[str, Any], text: str) -> str:
    errors = data.get("errors")
    if isinstance(errors, list) and errors:
        return "failed: it could not parse the text"
    metrics = data.get("metrics")
    totals = metrics.get("_totals") if isinstance(metrics, dict) else None
    looked = totals.get("loc") if isinstance(totals, dict) else None
    if not isinstance(looked, int):
        return "failed: its report is not what it should be"
    return "nothing was scanned" if looked == 0 and _has_code(text) else ""


def _semgrep_problem(data: dict[str, Any], text: str) -> str:
    paths = data.get("paths")
    scanned = paths.get("scanned") if isinstance(paths, dict) else None
    if not isinstance(scanned, list):
        return "failed: its report is not what it should be"
    if not scanned:
        return "nothing was scanned" if _has_code(text) else ""
    return ""


def _has_code(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _bandit(data: dict[str, Any]) -> Iterator[_Raw]:
    for one in _dicts(data.get("results")):
        first = _line(one.get("line_number"))
        span = one.get("line_range")
        lines = [_line(line) for line in span] if isinstance(span, list) else []
        yield _Raw(
            rule=f"bandit.{_name(one.get('test_id'))}",
            severity=_GRADES.get(str(one.get("issue_severity")).upper(), "low"),
            confidence=_SURE.get(str(one.get("issue_confidence")).upper(), "medium"),
            message=_message(one.get("issue_text")),
            first=min([first, *lines]),
            last=max([first, *lines]),
        )


def _semgrep(data: dict[str, Any]) -> Iterator[_Raw]:
    for one in _dicts(data.get("results")):
        extra = one.get("extra")
        extra = extra if isinstance(extra, dict) else {}
        about = extra.get("metadata")
        sure = about.get("confidence") if isinstance(about, dict) else None
        start, end = one.get("start"), one.get("end")
        yield _Raw(
            rule=f"semgrep.{_name(one.get('check_id'))}",
            severity=_GRADES.get(str(extra.get("severity")).upper(), "low"),
            confidence=_SURE.get(str(sure).upper(), "medium"),
            message=_message(extra.get("message")),
            first=_line(start.get("line") if isinstance(start, dict) else None),
            last=_line(end.get("line") if isinstance(end, dict) else None),
        )


def _line(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1


def _name(value: object) -> str:
    return _RULE.sub("-", str(value).lower())[:120] or "unnamed"


def _message(value: object) -> str:
    """Return a scanner's sentence without what it quotes: that may be the secret that it found."""
    said = _QUOTED.sub("'...'", " ".join(str(value).split()))
    return said[:_MESSAGE]
