"""Whose word is enough: the logs, the witnesses and the quorum of a policy file. Source: c2sp.org/tlog-policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.errors import BadInputError
from outrider.ledger.verify.notes import LOG, WITNESS, Verifier, parse_verifier

MOST = 1 << 20
"""Largest policy file that is read, in bytes."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Trusted:
    """One witness: its name in the policy, its key, and its address, or empty."""

    name: str
    key: Verifier
    url: str = ""


@dataclass(frozen=True)
class Policy:
    """What a policy file says.

    Attributes:
        logs: Keys of the logs that are meant; none for any.
        witnesses: The witnesses, by name.
        groups: How many of which members make a group, by its name.
        quorum: The witness or group whose word is enough; ``none`` where nobody's is needed.
    """

    logs: tuple[Verifier, ...]
    witnesses: dict[str, Trusted]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def enough(self, names: frozenset[str]) -> bool:
        """Return whether the witnesses of these names make the quorum."""
        return self.quorum == "none" or self._said(self.quorum, names)

    def _said(self, name: str, names: frozenset[str]) -> bool:
        if name not in self.groups:
            return name in names
        least, members = self.groups[name]
        return sum(self._said(member, names) for member in members) >= least

    def since(self, times: Mapping[str, int]) -> int:
        """Return since when the quorum stands, given when each witness cosigned; 0 if it does not or needs nobody.

        It is the latest time such that those who cosigned then or later are enough.
        """
        names: frozenset[str] = frozenset()
        if self.quorum == "none":
            return 0
        for name, seconds in sorted(times.items(), key=lambda one: -one[1]):
            names |= {name}
            if self.enough(names):
                return seconds
        return 0


def parse_policy(data: bytes) -> Policy:
    """Return what a policy file says.

    Raises:
        BadInputError: It is not one. The message names the line.
    """
    if len(data) > MOST:
        raise BadInputError(f"a policy is at most {MOST} bytes")
    reading = _Reading()
    for number, line in enumerate(data.split(b"\n"), 1):
        if _CONTROL.search(line):
            raise BadInputError(f"policy:{number}: control characters but tabs are not allowed")
        # What is not ASCII is opaque to a policy, and kept as the bytes that it is.
        words = re.split(r"[ \t]+", line.decode("utf-8", "surrogateescape").strip(" \t"))
        if words == [""] or words[0].startswith("#"):
            continue
        try:
            reading.line(words)
        except (BadInputError, UnicodeEncodeError) as error:
            raise BadInputError(f"policy:{number}: {error}") from error
    if not reading.quorum:
        raise BadInputError("the policy has no line `quorum`")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


@dataclass
class _Reading:
    """A policy while it is read."""

    logs: list[Verifier] = field(default_factory=list)
    witnesses: dict[str, Trusted] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = ""
    members: set[str] = field(default_factory=set)

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.log(parse_verifier(vkey, kind=LOG))
            case ["witness", name, vkey]:
                self.witness(Trusted(name, parse_verifier(vkey, kind=WITNESS)))
            case ["witness", name, vkey, url]:
                self.witness(Trusted(name, parse_verifier(vkey, kind=WITNESS), url))
            case ["group", name, least, *members] if members:
                self.group(name, least, members)
            case ["quorum", name]:
                self.decide(name)
            case _:
                raise BadInputError(f"not a line of a policy: {words[0]!r} with {len(words) - 1} words behind it")

    def log(self, key: Verifier) -> None:
        if any(one.raw == key.raw for one in self.logs):
            raise BadInputError("the same log twice")
        self.logs.append(key)

    def witness(self, one: Trusted) -> None:
        self.free(one.name)
        if any(other.key.raw == one.key.raw for other in self.witnesses.values()):
            raise BadInputError("the same witness twice")
        self.witnesses[one.name] = one

    def group(self, name: str, least: str, members: list[str]) -> None:
        self.free(name)
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise BadInputError(f"{member!r} is no witness or group of a line before")
            if member in self.members:
                raise BadInputError(f"{member!r} is a member twice")
            self.members.add(member)
        words = {"any": 1, "all": len(members)}
        number = int(least) if re.fullmatch(r"[0-9]{1,6}", least, re.ASCII) else words.get(least, 0)
        if not 1 <= number <= len(members):
            raise BadInputError(f"of {len(members)} members, {least!r} cannot be wanted")
        self.groups[name] = (number, tuple(members))

    def decide(self, name: str) -> None:
        if self.quorum:
            raise BadInputError("a second quorum")
        if name != "none" and name not in self.witnesses and name not in self.groups:
            raise BadInputError(f"{name!r} is no witness or group of a line before")
        self.quorum = name

    def free(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise BadInputError(f"the name {name!r} is taken")
