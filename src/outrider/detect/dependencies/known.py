"""What is known of names: the set that ships, and the whole lists and lists of malicious names that a user brings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple

from outrider.detect.dependencies.facts import MADE, listed, meant
from outrider.detect.dependencies.filters import Filter, Head, read
from outrider.detect.dependencies.names import is_name, normal
from outrider.detect.dependencies.near import Index, Near

Word = Literal["known", "unknown", "near", "malicious", "confused", "namesake", "not-checked"]
"""What is said of a name. ``not-checked``: the set at hand is too small to say anything; it is never a clean bill, and
never a suspicion. ``namesake``: a package of its own that honest projects use, though its name is also that of a module
which comes in another one."""

_SAME = {"conda": "pypi"}
"""Ecosystems that hold, beside names of their own, what another one does under the same names."""
_REMEMBERED = 4096


class Verdict(NamedTuple):
    """What is known of one name.

    Attributes:
        word: The verdict.
        near: The name that it is almost.
        package: What is meant by it; ``-`` for what comes with the language; empty if nothing is.
    """

    word: Word
    near: Near | None = None
    package: str = ""


class Facts:
    """Everything that is known of names on one host. Asking it is pure, and remembers."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        """Get ready.

        Args:
            files: Files of facts that the user brought, by name.

        Raises:
            BadInputError: One of them is no such file; the message names it not, so the caller must.
        """
        self.filters: tuple[Filter, ...] = tuple(read(data) for _, data in sorted((files or {}).items()))
        self._names = {one.head.ecosystem: one for one in self.filters if one.head.kind == "names"}
        self._malicious = {one.head.ecosystem: one for one in self.filters if one.head.kind == "malicious"}
        self._said: dict[tuple[str, str], Verdict] = {}

    @property
    def heads(self) -> tuple[Head, ...]:
        """What the user's files say of themselves."""
        return tuple(one.head for one in self.filters)

    def ask(self, ecosystem: str, name: str) -> Verdict:
        """Return what is known of a name, however it is spelt."""
        name = normal(ecosystem, name)
        key = ecosystem, name
        said = self._said.get(key)
        if said is None:
            if len(self._said) >= _REMEMBERED:
                self._said.clear()
            said = self._said[key] = self._ask(ecosystem, name)
        return said

    def _ask(self, ecosystem: str, name: str) -> Verdict:
        bad = self._malicious.get(ecosystem)
        if bad is not None and name in bad:
            return Verdict("malicious", self._almost(ecosystem, name))
        if name in shipped(ecosystem):
            return Verdict("known")
        package = modules(_SAME.get(ecosystem, ecosystem)).get(name, "")
        if package:
            return Verdict(
                "namesake" if name in namesakes(_SAME.get(ecosystem, ecosystem)) else "confused", None, package
            )
        every = self._names.get(ecosystem)
        if not is_name(ecosystem, name):
            return Verdict("unknown" if every is not None else "not-checked")
        almost = self._almost(ecosystem, name)
        if every is not None and name in every:
            # Two real packages may be an edit apart: then it is worth a word, not a refusal.
            if almost is not None and almost.confidence == "high":
                return Verdict("near", almost._replace(confidence="low"))
            return Verdict("known")
        if almost is not None:
            return Verdict("near", almost)
        return Verdict("not-checked" if every is None else "unknown")

    @staticmethod
    def _almost(ecosystem: str, name: str) -> Near | None:
        return index(ecosystem).near(name)


@cache
def shipped(ecosystem: str) -> frozenset[str]:
    """Return the normal names of an ecosystem that ship with the package."""
    own = frozenset(normal(ecosystem, name) for name in listed(ecosystem))
    other = _SAME.get(ecosystem)
    return own | shipped(other) if other else own


@cache
def index(ecosystem: str) -> Index:
    """Return the index of the names that are worth imitating."""
    return Index(ecosystem, sorted(shipped(ecosystem)))


@cache
def modules(ecosystem: str) -> dict[str, str]:
    """Return what is meant by names of modules, by their normal form."""
    return {normal(ecosystem, name.rstrip("~")): package for name, package in meant(ecosystem).items()}


@cache
def namesakes(ecosystem: str) -> frozenset[str]:
    """Return the normal names that are names of modules and of packages of their own."""
    return frozenset(normal(ecosystem, name[:-1]) for name in meant(ecosystem) if name.endswith("~"))


SHIPPED = Facts()
"""What is known without anything that a user brought."""

__all__ = ["MADE", "SHIPPED", "Facts", "Verdict", "Word", "index", "modules", "shipped"]
