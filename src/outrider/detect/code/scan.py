"""One text against every rule of its language: findings on the lines that a change adds, and what came of the look.

Pure, and linear in the text but for ast-grep's own matching. A look that saw nothing has a name; it is never a clean
bill.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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

_STEP: Final[dict[Severity, Severity]] = {"high": "medium", "medium": "low", "low": "low"}


_ASIDE = re.compile(
    r"(?i)(?:^|/)(?:tests?|specs?|__tests__|fixtures?|testdata|examples?|samples?|benchmarks?)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py|[^/]*[._-](?:test|tests|spec|specs)\.\w+)$"
)
_ASIDE_CLASS = re.compile(r"(?:^|/)\w*Tests?\.(?:java|kt|cs)$")
_NEAR: Final = 5
"""How many parts of a path say what a file is; a home that is called ``tests`` says nothing."""


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
    findings = _findings(found, where, path=path, added=added, suppressions=Suppressions(text, today))
    return Scanned(findings=findings, outcome=outcome, language=language, rules=rules)


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
    sure = {(cwe, one.first) for one in found if not one.weak for cwe in one.rule.cwe}
    for match in sorted(found, key=lambda one: (one.start, one.end)):
        if match.weak and any((cwe, match.first) in sure for cwe in match.rule.cwe):
            continue  # Another rule says the same of this line, and is surer.
        if added is not None and added.isdisjoint(range(match.first, match.last + 1)):
            continue
        rule = match.rule
        key = rule.id, match.first
        if key in out or len(out) >= MAX_FINDINGS:
            continue
        out[key] = Finding(
            rule=rule.id,
            severity=_STEP[rule.severity] if gently else rule.severity,
            confidence="low" if match.weak else rule.confidence,
            where=where,
            start=match.start,
            end=match.end,
            message=rule.message,
            advice=rule.advice,
            suppressed=suppressions.reason(rule.id, match.first, match.last),
        )
    return tuple(out.values())
