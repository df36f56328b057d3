"""What is promised and not measured, by name: a promise without a figure must show as one that is not kept yet."""

from __future__ import annotations

from pathlib import Path

from score.row import Row, missing


def dependencies(_corpora: Path) -> list[Row]:
    """Say that names of packages are not checked."""
    why = "no detector of package names is built; coder takes every package of a registry for known"
    return [
        missing("dependencies", "typosquats of known names, flagged", why),
        missing("dependencies", "ordinary names, flagged", why),
        missing("dependencies", "hallucinated names, flagged with a full set of names", why),
    ]


def code(_corpora: Path) -> list[Row]:
    """Say that the rules about code are not scored here: their data are to be fetched, and none of them may be kept."""
    why = "no section fetches its data; the rules' own vectors are tests"
    sets = ("CWEval, Python", "CWEval, JavaScript and Go", "OWASP BenchmarkPython, Youden's index")
    return [missing("code", f"{name}: weaknesses found", why) for name in sets]
