"""Levers: what a person has put in force over whole classes of agents, folded from the record.

A lever reaches agents by what they are and not by a list, so it holds for agents that are not born yet:

* ``charter:NAME``: every agent under that charter or one that extends it, and every descendant of such an agent.
* ``sponsor:PSEUDONYM``: every agent that this person or team answers for.
* ``lineage:ID``: an agent and all that descends from it.
* ``agent:ID``: that agent alone. It can bear no child meanwhile.

``quarantine`` stops: every call is refused and nobody is born, until it is released. ``revoke`` is final for whoever
existed when it was pulled, descendants included; by charter or sponsor it also keeps new ones from being born until it
is released. ``observe`` loosens for a stated time, and never what an ancestor enforces: it reaches an agent only if
every ancestor of it is observed too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from outrider.errors import BadInputError
from outrider.events.record import LeverPulled

Word = Literal["quarantine", "release", "revoke", "observe"]
Kind = Literal["charter", "sponsor", "lineage", "agent"]
WORDS: tuple[Word, ...] = ("quarantine", "release", "revoke", "observe")
KINDS: tuple[Kind, ...] = ("charter", "sponsor", "lineage", "agent")


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """What a lever can reach an agent by.

    Attributes:
        agent: Its id; empty for one that is not born yet.
        above: Ids of its ancestors, its parent first.
        charters: Names of every charter that bounds it, its ancestors' included.
        charter: Name of its own.
        sponsor: Pseudonym of who answers for it.
        born: Index of its birth in the record, or -1 for one that is not born yet.
        observes: Whether it is observed without any lever.
    """

    agent: str
    above: tuple[str, ...]
    charters: frozenset[str]
    charter: str
    sponsor: str
    born: int = -1
    observes: bool = False

    def scopes(self) -> Iterable[str]:
        """Yield the scopes that it lies in, the widest first."""
        for name in sorted(self.charters):
            yield f"charter:{name}"
        if self.sponsor:
            yield f"sponsor:{self.sponsor}"
        for identifier in (self.agent, *self.above):
            if identifier:
                yield f"lineage:{identifier}"
        if self.agent:
            yield f"agent:{self.agent}"


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """A lever in force.

    Attributes:
        lever: ``quarantine``, ``revoke`` or ``observe``.
        scope: What it reaches.
        n: Index of the event.
        ts: When it was pulled, microseconds since 1970 UTC.
        by: Who pulled it.
        why: The reason, or empty.
        until: When it ends by itself, or 0.
    """

    lever: str
    scope: str
    n: int
    ts: int
    by: str
    why: str
    until: int = 0


class _Dump(msgspec.Struct):
    quarantined: dict[str, Pulled]
    closed: dict[str, Pulled]
    final: dict[str, Pulled]
    observing: dict[str, Pulled]


class Levers:
    """Every lever in force, and every revocation there ever was."""

    def __init__(self) -> None:
        self._quarantined: dict[str, Pulled] = {}
        self._closed: dict[str, Pulled] = {}
        self._final: dict[str, Pulled] = {}
        self._observing: dict[str, Pulled] = {}

    def apply(self, event: LeverPulled) -> None:
        """Fold one event in; other levers than these are passed over."""
        scope = event.scope
        if event.lever == "release":
            for held in (self._quarantined, self._closed, self._observing):
                held.pop(scope, None)
            return
        pulled = Pulled(
            lever=event.lever, scope=scope, n=event.n, ts=event.ts, by=event.by, why=event.why, until=event.until
        )
        if event.lever == "quarantine":
            self._quarantined[scope] = pulled
        elif event.lever == "revoke":
            self._final[scope] = pulled
            if scope.startswith(("charter:", "sponsor:")):
                self._closed[scope] = pulled
        elif event.lever == "observe":
            self._observing[scope] = pulled

    def standing(self, now: int) -> tuple[Pulled, ...]:
        """Return what is in force and can be released, in the order in which it was pulled."""
        lasting = [one for one in self._observing.values() if one.until > now]
        return tuple(sorted([*self._quarantined.values(), *self._closed.values(), *lasting], key=lambda one: one.n))

    def final(self, scope: str) -> Pulled | None:
        """Return the last revocation of a scope, released or not."""
        return self._final.get(scope)

    @property
    def revokes(self) -> bool:
        """Whether anything was ever revoked."""
        return bool(self._final)

    def stops(self, who: Who) -> Pulled | None:
        """Return the lever that stops an agent, or keeps one from being born; None if none does.

        A revocation is named before a quarantine, and the widest scope first.
        """
        if not (self._final or self._quarantined):
            return None
        scopes = tuple(who.scopes())
        return self._revoked(who, scopes) or next(
            (self._quarantined[scope] for scope in scopes if scope in self._quarantined), None
        )

    def revoked(self, who: Who) -> Pulled | None:
        """Return the revocation that ended an agent for good, or that closes its class to births."""
        return self._revoked(who, tuple(who.scopes())) if self._final else None

    def _revoked(self, who: Who, scopes: Iterable[str]) -> Pulled | None:
        for scope in scopes:
            final = self._final.get(scope)
            if final is not None and 0 <= who.born < final.n:
                return final
            if scope in self._closed:
                return self._closed[scope]
        for identifier in (who.agent, *who.above):
            # Authority comes from above: what descends from a revoked instance has none, whenever it was born.
            for kind in ("agent", "lineage"):
                if final := self._final.get(f"{kind}:{identifier}"):
                    return final
        return None

    def observes(self, line: Iterable[Who], now: int) -> bool:
        """Tell whether a lever lets an agent be observed only.

        Args:
            line: The agent and its ancestors.
            now: Microseconds since 1970 UTC.
        """
        if not any(one.until > now for one in self._observing.values()):
            return False
        return all(who.observes or self._watches(who, now) for who in line)

    def _watches(self, who: Who, now: int) -> bool:
        own = msgspec.structs.replace(who, charters=frozenset({who.charter}))
        return any((one := self._observing.get(scope)) is not None and one.until > now for scope in own.scopes())

    def dump(self) -> bytes:
        """Return everything as bytes; :meth:`load` gives it back."""
        return msgspec.msgpack.encode(_Dump(self._quarantined, self._closed, self._final, self._observing))

    @classmethod
    def load(cls, data: bytes) -> Levers:
        """Return the levers that were dumped.

        Raises:
            msgspec.DecodeError: The bytes are not a dump.
        """
        dump = msgspec.msgpack.decode(data, type=_Dump)
        levers = cls()
        levers._quarantined, levers._closed = dump.quarantined, dump.closed
        levers._final, levers._observing = dump.final, dump.observing
        return levers


def scope_of(kind: str, value: str) -> str:
    """Return the scope of a lever as the record writes it.

    Raises:
        BadInputError: There is no such kind of scope, or it names nothing.
    """
    if kind not in KINDS or not value or any(char.isspace() for char in value) or len(value) > 200:
        raise BadInputError(
            "a lever needs to know whom it reaches", fix="Say one of --charter, --sponsor, --lineage and --agent."
        )
    return f"{kind}:{value}"
