"""A rule held to its own vectors: what it finds in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from outrider.detect.code.language import USUAL
from outrider.detect.code.rule import Rule, Vector, everything, of_language
from outrider.detect.code.scan import scan_code
from outrider.events.call import Finding


def found(rule: Rule, vector: Vector, language: str) -> list[tuple[int, Finding]]:
    """Return the line, from 1, and the finding of everything that the rule finds in a vector."""
    path = vector.path or USUAL[language]
    seen = scan_code(vector.code, "vector", path=path, persona="audit", language=language, every=True)
    return [(vector.code.count("\n", 0, one.start) + 1, one) for one in seen.findings if one.rule == rule.id]


def problems(rule: Rule) -> Iterator[str]:
    """Yield what is wrong with a rule's vectors, one sentence each."""
    if len(rule.flag) < 2 or len(rule.passes) < 2:
        yield f"{rule.id} has fewer than two vectors of a kind"
    for language in rule.languages:
        for vector in _for(rule.flag, language):
            lines = sorted({line for line, _ in found(rule, vector, language)})
            if not lines:
                yield f"{rule.id} finds nothing in {vector.code!r} ({language})"
            elif vector.lines and lines != sorted(vector.lines):
                yield f"{rule.id} finds something on lines {lines} of {vector.code!r} ({language})"
        for vector in _for(rule.passes, language):
            if found(rule, vector, language):
                yield f"{rule.id} finds something in {vector.code!r} ({language})"


def snapshot(rule: Rule) -> list[dict[str, Any]]:
    """Return what a rule finds in each vector that must be flagged, in its first language."""
    return [
        {
            "vector": number,
            "language": language,
            "findings": [
                {
                    "line": line,
                    "text": vector.code[one.start : one.end],
                    "severity": one.severity,
                    "confidence": one.confidence,
                }
                for line, one in found(rule, vector, language)
            ],
        }
        for number, vector in enumerate(rule.flag)
        for language in [vector.language or rule.languages[0]]
    ]


@cache
def canaries() -> dict[str, tuple[Rule, Vector]]:
    """Return, for every language that there are rules for, a rule and a text in which it must find something."""
    out: dict[str, tuple[Rule, Vector]] = {}
    for language in dict.fromkeys(language for rule in everything() for language in rule.languages):
        rule = next(rule for rule in of_language(language) if any(_for(rule.flag, language)))
        out[language] = rule, next(_for(rule.flag, language))
    return out


def silent() -> list[str]:
    """Return the languages whose canary is not found: a look at such a text would see nothing and say nothing."""
    return [language for language, (rule, vector) in canaries().items() if not found(rule, vector, language)]


def _for(vectors: tuple[Vector, ...], language: str) -> Iterator[Vector]:
    return (one for one in vectors if one.language in {"", language})
