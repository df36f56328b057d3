"""A registry as its snapshot holds it."""

from __future__ import annotations

import msgspec

from outrider.events.attestation import Attestation
from outrider.identity.agent import Agent
from outrider.identity.tally import Tally


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """A registry, whole."""

    version: int
    boot: str
    agents: list[Agent]
    tallies: dict[str, Tally]
    resumed: list[str]
    gone: list[str]
    bound: list[tuple[str, str, Attestation]]
    joined: list[tuple[str, str, str]]


VERSION = 5
