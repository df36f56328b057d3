"""What the roles of touched things say, and what the bare role does not: whether a connection carried data out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.events.entities import host_entities
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

WEIGHT: Final[dict[str, int]] = {
    "sent": 100, "pushed": 95, "committed": 90, "deleted": 85, "wrote": 80, "installed": 75, "exposed": 72,
    "credential": 70, "ran": 60, "called": 55, "reached": 50, "spawned": 45, "read": 40, "is": 35, "mentioned": 10,
}  # fmt: skip
"""How much a role says about who did it: carrying data out most, having seen a name least. ``exposed`` = connected
while its context held a secret; ``reached`` = connected, and nothing is known to have gone out."""

REALITY: Final[dict[str, float]] = {
    "done": 1.0, "ran despite the refusal": 1.0, "no result seen": 0.9, "failed": 0.6, "asked": 0.5, "not run": 0.2,
    "refused": 0.2, "seen": 1.0,
}  # fmt: skip
"""How much an act counts by what became of it."""

HOSTS: Final = frozenset({"host", "ip", "url"})
"""Kinds of things that are connected to."""

NEVER: Final = frozenset({"refused", "not run"})
"""Outcomes of calls that are known not to have happened."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a call that connects carries, as far as was seen.

    Attributes:
        out: Hosts that it carries data out to, in every form that entities have.
        laden: True if its agent's context held a secret: whatever it sent may have held it too.
    """

    out: frozenset[str]
    laden: bool

    def role(self, kind: str, value: str) -> str:
        """Return ``sent``, ``exposed`` or ``reached`` for a thing that the call connects to."""
        # A URL is kept as a print and cannot be compared: then any upload counts.
        if value in self.out or (kind == "url" and self.out):
            return "sent"
        return "exposed" if self.laden else "reached"


def connections(view: View, numbers: Iterable[int]) -> dict[int, Connection]:
    """Return what the calls among ``numbers`` carry.

    A connection carries data out if the call uploads, deploys, or has a secret among its arguments.
    """
    out = {}
    for n, leaf in reading.packed(view, numbers):
        if _CALL in leaf:
            call = _told(leaf)
            secret = any(finding.rule.startswith("secret.") for finding in call.findings)
            places = [effect.value for effect in call.effects if _carries(effect, secret=secret)]
            out[n] = Connection(
                out=frozenset(value for place in places for value in (place, *(v for _, v in host_entities(place)))),
                laden=any(label.name == "secret" for label in call.labels),
            )
    return out


class _Rule(msgspec.Struct, frozen=True):
    rule: str = ""


class _Effect(msgspec.Struct, frozen=True):
    verb: str
    value: str
    flags: tuple[str, ...] = ()


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Told(msgspec.Struct, frozen=True):
    """What is asked of a call here: of thousands, the rest is not read."""

    effects: tuple[_Effect, ...] = ()
    findings: tuple[_Rule, ...] = ()
    labels: tuple[_Named, ...] = ()


_CALL: Final = b'"kind":"call.decided"'
"""Stands in the leaf of every call and in no other: a quotation mark inside a text has a backslash before it."""
_told: Final = msgspec.json.Decoder(_Told).decode


def _carries(effect: _Effect, *, secret: bool) -> bool:
    return effect.verb == "deploy" or (effect.verb == "connect" and (secret or "upload" in effect.flags))
