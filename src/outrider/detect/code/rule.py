"""A rule about code, as data: one TOML file a rule, read when its language is first met.

The file is the rule, its page and its vectors in one; ``docs/detectors.md`` has the recipe for adding one.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec

from outrider.detect.code.classes import narrowed
from outrider.events.call import Confidence, Severity

Persona = Literal["everyday", "strict", "audit"]
"""Who wants to see a rule: everybody as they work, a team that has decided to be strict, an auditor with time."""

PERSONAS: Final[tuple[Persona, ...]] = ("everyday", "strict", "audit")
"""Each also sees what the ones before it see."""


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule for a format without a grammar, or about one line at a time.

    Attributes:
        pattern: RE2 that a line must match.
        unless: RE2 that it must not match as well, or empty.
        without: RE2 that the whole text must not hold anywhere, or empty.
    """

    pattern: str
    unless: str = ""
    without: str = ""


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that must be flagged, or must not be.

    Attributes:
        code: The text.
        lines: The lines, from 1, on which a finding must start; empty for any.
        path: The file that it stands in; empty for the language's usual name.
        language: The one language that it is for, where the rule is for several; empty for all.
    """

    code: str
    lines: tuple[int, ...] = ()
    path: str = ""
    language: str = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"passes": "pass"}):
    """One weakness.

    Attributes:
        title: What is found, for a person.
        severity: How bad it is if it is so.
        confidence: How sure a match is.
        persona: Who sees it.
        cwe: Numbers of the weakness in MITRE's Common Weakness Enumeration, the most exact first.
        owasp: Categories of the OWASP Top 10, such as ``A03:2021``.
        message: One sentence: what is wrong.
        advice: One sentence: what to write instead.
        why: A paragraph for the rule's page.
        trigger: Words, one of which stands wherever the rule can match; empty for rules that cost little.
        also: Words, one of which must stand as well; empty for none.
        languages: The languages that it is for.
        rule: An ast-grep rule object (https://ast-grep.github.io/reference/rule.html), or empty.
        constraints: ast-grep's constraints on meta-variables.
        utils: ast-grep's utility rules.
        lines: Instead of ``rule``, a look at lines.
        taint: Instead of both, the kind of place that a value from outside must not reach (``taint_tables.py``).
        flag: Texts in which it must find something.
        passes: Texts in which it must find nothing.
        id: ``code.<language>-<slug>``; from the file's place, never written in it.
    """

    title: str
    severity: Severity
    confidence: Confidence
    persona: Persona = "everyday"
    cwe: tuple[int, ...]
    owasp: tuple[str, ...] = ()
    message: str
    advice: str
    why: str
    trigger: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    rule: dict[str, Any] = {}
    constraints: dict[str, Any] = {}
    utils: dict[str, Any] = {}
    lines: Lines | None = None
    taint: str = ""
    flag: tuple[Vector, ...] = ()
    passes: tuple[Vector, ...] = ()
    id: str = ""

    @property
    def config(self) -> dict[str, Any]:
        """What ast-grep is asked for."""
        whole: dict[str, Any] = {"rule": self.rule}
        if self.constraints:
            whole["constraints"] = self.constraints
        if self.utils:
            whole["utils"] = self.utils
        return whole


FOLDERS: Final = {
    "javascript": ("javascript", "typescript", "tsx"),
    "cpp": ("cpp",),
}
"""Languages of a folder's rules that say nothing of their own; for every other folder, its name."""


@cache
def of_folder(folder: str) -> tuple[Rule, ...]:
    """Return the rules in one folder, by name.

    Raises:
        ValueError: A file is not a rule. The rules are part of the package, so that is a fault of the package.
    """
    found = []
    for file in sorted(files("outrider.detect.code").joinpath("rules", folder).iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            rule = msgspec.toml.decode(file.read_bytes(), type=Rule)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{folder}/{file.name}: {error}") from error
        languages = rule.languages or FOLDERS.get(folder, (folder,))
        name = f"code.{folder}-{file.name.removesuffix('.toml')}"
        found.append(
            msgspec.structs.replace(
                rule,
                id=name,
                languages=languages,
                rule=narrowed(rule.rule),
                constraints=narrowed(rule.constraints),
                utils=narrowed(rule.utils),
            )
        )
    return tuple(found)


@cache
def folders() -> tuple[str, ...]:
    """Return the names of all folders of rules."""
    top = files("outrider.detect.code").joinpath("rules")
    return tuple(sorted(one.name for one in top.iterdir() if one.is_dir() and not one.name.startswith("_")))


_SHARED: Final = {
    "typescript": ("javascript",), "tsx": ("javascript",), "cpp": ("c", "cpp"), "compose": ("kubernetes", "compose"),
}  # fmt: skip
"""Folders in which a language's rules may stand, where that is not just the folder of its name."""


@cache
def of_language(language: str) -> tuple[Rule, ...]:
    """Return the rules for one language, in the order of their ids."""
    among = [folder for folder in _SHARED.get(language, (language,)) if folder in folders()]
    return tuple(rule for folder in among for rule in of_folder(folder) if language in rule.languages)


def everything() -> tuple[Rule, ...]:
    """Return every rule there is."""
    return tuple(rule for folder in folders() for rule in of_folder(folder))
