"""Every rule there is, by its id: for those who say in advance what is to come of a finding."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

from outrider.detect import rules
from outrider.detect.code.rule import everything, folders, of_folder
from outrider.detect.dependencies.rules import RULES
from outrider.detect.page import signs
from outrider.detect.smuggled import EGRESS
from outrider.events.call import Confidence, Finding, Severity


class Known(NamedTuple):
    """What is known of a rule before it finds anything.

    Attributes:
        severity: How severe its findings are, as a rule.
        confidence: How sure they are.
        classes: Numbers of the weakness classes that it is for.
    """

    severity: Severity
    confidence: Confidence
    classes: tuple[int, ...] = ()


_SUPPRESSION: Final = Known("medium", "high")


@cache
def catalogue() -> dict[str, Known]:
    """Return every rule of the detectors; sequences are :mod:`outrider.flow.sequences`'s and charters'."""
    out = {rule.id: Known(rule.severity, rule.confidence, rule.cwe) for rule in everything()}
    out |= {rule.id: Known(rule.severity, rule.confidence) for rule in rules.load()}
    out |= {sign.id: Known(sign.severity, sign.confidence) for sign in signs()}
    out |= {name: Known(rule.severity, rule.confidence) for name, rule in RULES.items()}
    out |= {name: Known(severity, "high") for name, severity in EGRESS.items()}
    out["suppression.no-reason"] = _SUPPRESSION
    return out


def classes(findings: Iterable[Finding]) -> dict[str, tuple[int, ...]]:
    """Return, for the rules of findings about code, the numbers of the weakness classes that they are for."""
    out: dict[str, tuple[int, ...]] = {}
    for finding in findings:
        if finding.rule.startswith("code."):
            out[finding.rule] = _of_folder(_folder(finding.rule)).get(finding.rule, ())
    return out


def _folder(rule: str) -> str:
    name = rule.removeprefix("code.")
    return max((one for one in folders() if name.startswith(f"{one}-")), key=len, default="")


@cache
def _of_folder(folder: str) -> dict[str, tuple[int, ...]]:
    return {rule.id: rule.cwe for rule in of_folder(folder)} if folder else {}
