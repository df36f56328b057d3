"""What charters do with a finding: by its rule, by the class of its weakness, or by how severe it is.

Within one charter the most exact key of ``[code.rules]`` counts: a rule's id, then the pattern with the most letters
besides its wildcards, then a weakness class (``CWE-89``), then the severity. Of several charters the strictest counts,
so that a child can only move towards stricter, whatever its keys are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from outrider.charter.model import Charter, Code, Comments, Treatment
from outrider.events.call import Finding, Severity

STRICT: Final[dict[Treatment, int]] = {"fix": 0, "tell": 1, "note": 2}
PLAIN: Final[dict[Severity, Treatment]] = {"high": "fix", "medium": "tell", "low": "note"}
"""What a charter that extends nothing says where it writes nothing."""
RULE: Final = re.compile(r"[a-z*][a-z0-9*_-]*(?:\.[a-z0-9*_-]+)*")
"""A key of ``[code.rules]`` that is a rule's id, or a pattern of ids."""
CLASS: Final = re.compile(r"CWE-([1-9][0-9]{0,5})")
"""A key of ``[code.rules]`` that is a class of MITRE's Common Weakness Enumeration."""
_STEP_DOWN: Final[dict[Severity, Severity]] = {"high": "medium", "medium": "low", "low": "low"}


class Treated(NamedTuple):
    """What a line of charters does with a finding.

    Attributes:
        treatment: What is done.
        charters: Names of the charters that say so; empty where it is nobody's but the default.
        key: What the first of them said it of: a rule, a pattern, a class, or a severity.
    """

    treatment: Treatment
    charters: tuple[str, ...]
    key: str


class Settings(NamedTuple):
    """What a line of charters says of findings at large.

    Attributes:
        unsure: What a finding of low confidence comes to: its ``full`` severity, one ``less``, or only a ``note``.
        comments: Whose comments in the code let a finding be.
    """

    unsure: str
    comments: Comments


def treated(line: Sequence[Charter], settings: Settings, finding: Finding, classes: Collection[int] = ()) -> Treated:
    """Return what a line of charters does with a finding; of several charters that say the same, all are named.

    Args:
        line: The charters.
        settings: What the whole line says.
        finding: The finding.
        classes: Numbers of the weakness classes that its rule is for.
    """
    unsure = finding.confidence == "low"
    severity = _STEP_DOWN[finding.severity] if unsure and settings.unsure == "less" else finding.severity
    only_noted = unsure and settings.unsure == "note"
    best = Treated("note" if only_noted else PLAIN[severity], (), severity)
    said: list[Treated] = []
    for one in line:
        key = key_of(one.code, finding.rule, classes)
        if key:
            said.append(Treated(one.code.rules[key], (one.name,), key))
            continue
        wrote: Treatment | None = getattr(one.code, severity) or (None if one.extends else PLAIN[severity])
        if wrote is not None:
            said.append(Treated("note" if only_noted else wrote, (one.name,), severity))
    if said:
        best = min(said, key=lambda each: STRICT[each.treatment])
        names = tuple(dict.fromkeys(one.charters[0] for one in said if one.treatment == best.treatment))
        best = best._replace(charters=names)
    return best


def key_of(code: Code, rule: str, classes: Collection[int] = ()) -> str:
    """Return the key of a charter's ``[code.rules]`` that counts for a rule, or empty."""
    rules = code.rules
    if not rules:
        return ""
    if rule in rules:
        return rule
    patterns = [key for key in rules if "*" in key and _compiled(key).fullmatch(rule)]
    if patterns:
        return max(patterns, key=lambda key: (len(key) - key.count("*"), key))
    found = [key for number in classes if (key := f"CWE-{number}") in rules]
    return min(found, key=lambda key: STRICT[rules[key]], default="")


@lru_cache(maxsize=4096)
def _compiled(key: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in key.split("*")))
