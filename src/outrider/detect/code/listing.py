"""A repository's list of findings that are known and all right: ``.outrider.toml`` at its top. Pure.

::

    [[allow]]
    rules = ["code.python-weak-hash"]
    paths = ["src/cache/**"]            # all, if not written
    reason = "Only keys of a cache."
    until = "2031-06-30"                # to the end of that day, UTC; for ever, if not written

No agent writes this file: the floor keeps it, so that what it lets be a person has let be.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from typing import Any, Final

import msgspec

from outrider.detect.code.suppression import DAY, LEAST, is_about

NAME: Final = ".outrider.toml"
MAX_TEXT: Final = 64 * 1024
"""Bytes of the longest list that is read."""
_KEYS: Final = frozenset({"rules", "paths", "reason", "until"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One suppression.

    Attributes:
        rules: The rules; one that ends with a star is about all that begin so.
        paths: Globs of files, from the top of the repository; empty for all.
        reason: Why.
        until: The last day on which it counts, or empty.
    """

    rules: frozenset[str]
    paths: tuple[str, ...]
    reason: str
    until: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says.

    Attributes:
        entries: Its suppressions.
        faults: What in it counts for nothing, and why.
    """

    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()

    def reason(self, rule: str, path: str, today: str) -> str:
        """Return why a rule's findings in a file are suppressed, or the empty string.

        Args:
            rule: The rule.
            path: The file, from the top of the repository; empty where that is not known.
            today: The day it is, UTC; empty where nobody says, and then none is over.
        """
        for one in self.entries:
            if is_about(one.rules, rule) and not (one.until and one.until < today) and _covers(one.paths, path):
                return one.reason
        return ""

    def over(self, today: str) -> tuple[str, ...]:
        """Return what of it has ended, in words."""
        return tuple(
            f"what it says of {', '.join(sorted(one.rules))} ended on {one.until}"
            for one in self.entries
            if one.until and one.until < today
        )


@lru_cache(maxsize=64)
def listing(text: str) -> Listing:
    """Return what a list says; never raises: what cannot be read is a fault, and lets nothing be."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Listing(faults=(f"it is not TOML: {error}",))
    faults = [f'"{key}" means nothing there' for key in data if key != "allow"]
    entries: list[Entry] = []
    allow = data.get("allow", [])
    if not isinstance(allow, list):
        return Listing(faults=(*faults, "allow is no list of tables: write [[allow]]"))
    for number, one in enumerate(allow, 1):
        made = _entry(one)
        if isinstance(made, Entry):
            entries.append(made)
        else:
            faults.append(f"entry {number} {made}")
    return Listing(entries=tuple(entries), faults=tuple(faults))


def _entry(one: Any) -> Entry | str:
    if not isinstance(one, dict):
        return "is no table"
    if unknown := sorted({*one} - _KEYS):
        return f'has "{unknown[0]}", which means nothing there'
    rules, paths = one.get("rules"), one.get("paths", [])
    if not _texts(rules) or not rules:
        return "names no rules"
    if not _texts(paths):
        return "has paths that are no list of texts"
    reason, until = one.get("reason"), one.get("until", "")
    if not isinstance(reason, str) or len(reason.strip()) < LEAST:
        return "gives no reason"
    if until and not DAY.fullmatch(str(until)):
        return f"ends on {until}, which is no day"
    return Entry(rules=frozenset(rules), paths=tuple(paths), reason=reason.strip(), until=str(until))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _covers(globs: tuple[str, ...], path: str) -> bool:
    return not globs or (path != "" and any(_compiled(glob).fullmatch(path) for glob in globs))


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    """Return the pattern of a glob: ``*`` and ``?`` stay within one name, ``**`` is any number of folders."""
    parts = re.split(r"(\*\*/?|\*|\?)", glob)
    words = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("(?s)" + "".join(words.get(part, re.escape(part)) for part in parts))
