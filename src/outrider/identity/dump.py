"""A registry as its snapshot holds it."""

from __future__ import annotations

import msgspec

from outrider.events.attestation import Attestation
from outrider.identity.agent import Agent, Intent


class Tally(msgspec.Struct, kw_only=True):
    """What changes with every call of one agent."""

    calls: int = 0
    spawns: int = 0
    expected: int = 0
    tokens: int = -1
    cost: int = -1
    open: dict[str, Intent] = {}
    denied: dict[str, Intent] = {}


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """A registry, whole."""

    version: int
    boot: str
    agents: list[Agent]
    tallies: dict[str, Tally]
    order: list[str]
    gone: list[str]
    bound: list[tuple[str, str, Attestation]]
    joined: list[tuple[str, str, str]]


VERSION = 3
