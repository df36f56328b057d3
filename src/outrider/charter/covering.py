"""Which patterns permit a verb, and whether one pattern plainly holds another."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from outrider.charter.patterns import PATH_VERBS, UNIVERSAL

if TYPE_CHECKING:
    from outrider.charter.model import Charter


def permitted(one: Charter, verb: str) -> tuple[str, ...]:
    """Return the patterns that permit a verb: what may be written may be deleted, where nothing else is said."""
    return one.may.get(verb, one.may.get("write", ()) if verb == "delete" else ())


def holds(verb: str, wide: str, text: str) -> bool:
    """Tell whether a pattern plainly holds another, as they are written: ``repo/src/**`` lies in ``repo/**``."""
    if wide == text or wide in UNIVERSAL:
        return True
    if verb in PATH_VERBS:
        return wide.endswith("/**") and text.startswith(wide[:-2]) and ".." not in text.split("/")
    return verb != "connect" and "[" not in wide and fnmatchcase(text, wide)
