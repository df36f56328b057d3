"""One text against every rule of its language: findings on the lines that a change adds, and what came of the look.

Pure, and linear in the text but for ast-grep's own matching. A look that saw nothing has a name; it is never a clean
bill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from outrider.detect.code import taint
from outrider.detect.code.asked import asking
from outrider.detect.code.language import language_of
from outrider.detect.code.matching import Match, Tree, matches
from outrider.detect.code.rule import Persona
from outrider.detect.code.suppression import Suppressions
from outrider.events.call import Finding, Severity

MAX_TEXT: Final = 512 * 1024
"""Characters of one text that are looked at; a longer one is not."""
MAX_FINDINGS: Final = 64

Outcome = Literal["scanned", "partly", "no-language", "no-rules", "too-large"]
"""``partly``: some of the text does not fit the grammar, or some rules would have looked through it for too long and
were asked of pieces; what stands there may not have been seen."""

_RANK: Final[dict[Severity, int]] = {"low": 0, "medium": 1, "high": 2}
_STEP: Final[dict[Severity, Severity]] = {"high": "medium", "medium": "low", "low": "low"}


_ASIDE = re.compile(
    r"(?i)(?:^|/)(?:tests?|specs?|__tests__|fixtures?|testdata|examples?|samples?|benchmarks?)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:test|tests|spec|specs)\.\w+)$"
)
_ASIDE_CLASS = re.compile(r"(?:^|/)\w*Tests?\.(?:java|kt|cs)$")
_NEAR: Final = 5
"""How many parts of a path say what a file is; a home that is called ``tests`` says nothing."""


def milder(severity: Severity) -> Severity:
    """Return a severity a step down, as in tests and examples."""
    return _STEP[severity]


def is_aside(path: str) -> bool:
    """Return whether a file is a test or an example by its name, rather than what runs for others."""
    near = "/".join(path.rsplit("/", _NEAR)[-_NEAR:])
    return bool(_ASIDE.search(near) or _ASIDE_CLASS.search(near))


class Scanned(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a look.

    Attributes:
        findings: What was found, in the order of the text.
        outcome: Whether it was really looked at.
        language: Its language, or empty.
        rules: How many rules there were for it.
    """

    findings: tuple[Finding, ...]
    outcome: Outcome
    language: str = ""
    rules: int = 0


def scan_code(
    text: str,
    where: str,
    *,
    path: str,
    added: frozenset[int] | None = None,
    persona: Persona = "everyday",
    language: str = "",
    today: str = "",
    every: bool = False,
) -> Scanned:
    """Return what the rules of a text's language find in it.

    Args:
        text: The whole text as it will be, or a fragment.
        where: What it is; copied into the findings.
        path: The file that it is or will be in. Tests and examples are judged a step more gently.
        added: The lines, from 1, that a change adds; None for all. A finding counts if it stands on one of them.
        persona: Whose rules.
        language: Its language, where that is known otherwise.
        today: The day it is, ``2031-06-30``, UTC: suppressions may end.
        every: True to be told also what another rule says of the same lines more precisely, for the test of a rule.
    """
    language = language or language_of(path, text)
    if not language:
        return Scanned(findings=(), outcome="no-language")
    asks = asking(language, persona)
    rules = len(asks.rules)
    if not rules:
        return Scanned(findings=(), outcome="no-rules", language=language)
    if len(text) > MAX_TEXT:
        return Scanned(findings=(), outcome="too-large", language=language, rules=rules)
    tree = Tree(text, language)
    asked = asks.of(text, tree.plain)
    found = [*matches(tree, asked), *taint.matches(tree, asked)]
    outcome: Outcome = "partly" if tree.in_pieces or tree.has_errors else "scanned"
    if not every:
        twice = _said_twice(found)
        found = [one for one in found if id(one) not in twice]
    suppressions = Suppressions(text, today)
    findings = _findings(found, where, path=path, added=added, suppressions=suppressions)
    findings += tuple(_faults(suppressions, where, added, gently=is_aside(path)))
    return Scanned(findings=findings, outcome=outcome, language=language, rules=rules)


def _said_twice(found: Sequence[Match]) -> frozenset[int]:
    """Return the identities of matches that say of their lines what a more precise one says of the same lines.

    Where a rule that followed a value and one that knows a form speak of the same weakness, the first knows more: which
    value arrives. It stands aside where it is less sure, or takes the weakness for less severe.
    """
    followed = [one for one in found if one.rule.taint]
    twice: set[int] = set()
    for one in followed:
        for other in found:
            if other.first > one.last or one.first > other.last:
                continue
            if other.rule.taint and (other.weak or not one.weak):
                continue
            if not (one.rule.cwe[0] in other.rule.cwe or other.rule.cwe[0] in one.rule.cwe):
                continue
            less = one.weak or _RANK[one.rule.severity] < _RANK[other.rule.severity]
            twice.add(id(one if less else other))
    return frozenset(twice)


def _findings(
    found: Sequence[Match],
    where: str,
    *,
    path: str,
    added: frozenset[int] | None,
    suppressions: Suppressions,
) -> tuple[Finding, ...]:
    gently = is_aside(path)
    out: dict[tuple[str, int], Finding] = {}
    for match in sorted(found, key=lambda one: (one.start, one.end)):
        if added is not None and added.isdisjoint(range(match.first, match.last + 1)):
            continue
        rule = match.rule
        key = rule.id, match.first
        if key in out or len(out) >= MAX_FINDINGS:
            continue
        comment = suppressions.about(rule.id, match.first, match.last)
        over = f" (The comment that let it be ended on {comment.over}.)" if comment is not None and comment.over else ""
        suppressed = comment.reason if comment is not None and not comment.over else ""
        fresh = comment is not None and (added is None or comment.line in added)
        out[key] = Finding(
            rule=rule.id,
            severity=_STEP[rule.severity] if gently else rule.severity,
            confidence="low" if match.weak else rule.confidence,
            where=where,
            start=match.start,
            end=match.end,
            message=rule.message + over,
            advice=rule.advice,
            suppressed=suppressed,
            excused="" if not suppressed else "added" if fresh else "standing",
        )
    return tuple(out.values())


def _faults(suppressions: Suppressions, where: str, added: frozenset[int] | None, *, gently: bool) -> Iterator[Finding]:
    """Yield what a change brings that would be a suppression and counts for nothing."""
    for line, start, end, why in suppressions.faults[:MAX_FINDINGS]:
        if added is None or line in added:
            yield Finding(
                rule="suppression.no-reason", severity="low" if gently else "medium", confidence="high", where=where,
                start=start, end=end, message=f"This comment lets no finding be: {why}.",
                advice="Write outrider: allow RULE -- why, or RULE until 2031-06-30 -- why; or correct the code.",
            )  # fmt: skip
