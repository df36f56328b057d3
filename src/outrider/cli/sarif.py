"""Findings in SARIF 2.1.0 (OASIS standard, 2020), for code hosts and editors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from outrider import __version__
from outrider.cli.sweep import Found
from outrider.detect.code.rule import Rule, everything
from outrider.events.call import Finding

_LEVEL: Final = {"high": "error", "medium": "warning", "low": "note"}
_SECURITY: Final = {"high": "8.0", "medium": "5.0", "low": "2.0"}
"""The scale of CVSS, which code hosts sort by."""


def sarif(found: Iterable[Found]) -> dict[str, Any]:
    """Return a log with one run."""
    results = list(found)
    known = {rule.id: rule for rule in everything()}
    ids = sorted({one.finding.rule for one in results})
    place = {name: at for at, name in enumerate(ids)}
    said = {one.finding.rule: one.finding for one in results}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Outrider",
                        "version": __version__,
                        "rules": [_rule(known.get(name), said[name]) for name in ids],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, place[one.finding.rule]) for one in results],
            }
        ],
    }


def _rule(rule: Rule | None, finding: Finding) -> dict[str, Any]:
    title = rule.title if rule else finding.message
    tags = ["security", *(f"external/cwe/cwe-{number:03d}" for number in (rule.cwe if rule else (798,)))]
    return {
        "id": finding.rule,
        "name": finding.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": rule.message if rule else finding.message},
        "help": {"text": f"{rule.why.strip() if rule else finding.message}\n\nInstead: {finding.advice}"},
        "defaultConfiguration": {"level": _LEVEL[rule.severity if rule else finding.severity]},
        "properties": {"tags": tags, "precision": finding.confidence, "security-severity": _SECURITY[finding.severity]},
    }


def _result(one: Found, at: int) -> dict[str, Any]:
    region = {
        "startLine": one.line, "startColumn": one.column, "endLine": one.end_line, "endColumn": one.end_column,
    }  # fmt: skip
    result: dict[str, Any] = {
        "ruleId": one.finding.rule,
        "ruleIndex": at,
        "level": _LEVEL[one.finding.severity],
        "message": {"text": f"{one.finding.message} Instead: {one.finding.advice}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": one.path.replace("\\", "/")}, "region": region}}
        ],
    }
    if one.finding.suppressed:
        result["suppressions"] = [{"kind": "inSource", "justification": one.finding.suppressed}]
    return result
