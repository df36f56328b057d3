"""What a call that connects carries, as far as was seen: told beside each host that it connects to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.events.entities import host_entities

if TYPE_CHECKING:
    from outrider.events.call import Effect
    from outrider.events.record import CallDecided

HOSTS: Final = frozenset({"host", "ip", "url"})
"""Kinds of things that are connected to."""


class Carried(msgspec.Struct, frozen=True):
    """What a call carries.

    Attributes:
        out: Hosts that it carries data out to, in every form that entities have.
        laden: True if its agent's context held a secret: whatever it sent may have held it too.
    """

    out: frozenset[str]
    laden: bool

    def deed(self, kind: str, value: str) -> str:
        """Return what was done with a thing that the call connects to: ``exposed``, ``reached``, or empty for sent."""
        # A URL is kept as a print and cannot be compared: then any upload counts.
        if value in self.out or (kind == "url" and self.out):
            return ""
        return "exposed" if self.laden else "reached"


def carried_by(call: CallDecided) -> Carried:
    """Return what a call carries: data, if it uploads, deploys, or has a secret among its arguments."""
    secret = any(finding.rule.startswith("secret.") for finding in call.findings)
    places = [effect.value for effect in call.effects if _carries(effect, secret=secret)]
    return Carried(
        frozenset(value for place in places for value in (place, *(v for _, v in host_entities(place)))),
        any(label.name == "secret" for label in call.labels),
    )


def _carries(effect: Effect, *, secret: bool) -> bool:
    return effect.verb == "deploy" or (effect.verb == "connect" and (secret or "upload" in effect.flags))
