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
