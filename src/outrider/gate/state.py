"""What is true now, folded from the record and from nothing else.

Every part has ``apply(event, beside)``; applying the whole record to an empty state gives this state, which is how a
start after a crash, and the test of that, work. The store is never asked: it may lag.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.narrowing import NAME as NARROWED
from outrider.events.content import ContentErased
from outrider.events.model_input import ModelInput
from outrider.events.record import (
    AgentBorn,
    AnyEvent,
    Beside,
    CallDecided,
    CharterLoaded,
    CharterRemoved,
    LeverPulled,
    RecordGap,
)
from outrider.flow.state import FlowState
from outrider.gate.asks import Asks, Question
from outrider.gate.corrections import Corrections, Tally, Waiting
from outrider.gate.second_looks import Untold
from outrider.gate.second_looks import Waiting as WaitingToBeTold
from outrider.gate.sources import Sources
from outrider.identity.levers import Levers, Who
from outrider.identity.registry import Agent, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.identity.agent import Forgotten
    from outrider.identity.birth import Birth

MAX_SOURCE = 200
"""Longest name of a source, in characters; the rest of a longer one is cut."""


class _Dump(msgspec.Struct):
    size: int
    root: bytes
    registry: bytes
    flow: bytes
    heads: dict[bytes, bytes]
    forgot: bool
    charters: dict[str, tuple[str, str]]
    in_force: dict[str, str]
    last_ts: int
    paused_until: int
    paused_why: str
    levers: bytes
    opaque: dict[str, int]
    waiting: dict[str, tuple[Waiting, ...]]
    tally: Tally
    untold: dict[str, tuple[WaitingToBeTold, ...]]
    questions: dict[str, tuple[Question, ...]]
    signers: dict[str, str] = {}
    slots: dict[str, int] = {}
    sent: dict[str, int] = {}


class State:
    """The fold.

    Attributes:
        registry: Agents, counters and open intents.
        flow: Labels of agents and files.
        sources: How far each source's events have come.
        charters: Per digest, the name and canonical source of every charter version ever loaded, and of what narrows
            an agent that is kept.
        in_force: Per name, the digest of the version that births are bound to.
        signers: Per name, the key that signed that version, ``builtin``, or empty.
        last_ts: Wall clock of the last event, microseconds.
        paused_until: Until when a person paused enforcement, microseconds; 0 if nobody did.
        levers: What is in force over whole classes of agents.
        opaque: Per agent, how many calls with effects that nobody sees were let through.
        corrections: Refusals that wait for their correction, and how many were corrected.
        untold: What second looks found and their agents are still to be told.
        asks: What a person was asked, and what they said.
        slots: Per agent that is still known, the number of the key that its content and names are sealed with.
        sent: Per agent that is still known, up to where its host's transcript was read for what its model is sent.
    """

    def __init__(self) -> None:
        self.registry = Registry()
        self.flow = FlowState()
        self.sources = Sources()
        self.charters: dict[str, tuple[str, str]] = {}
        self.in_force: dict[str, str] = {}
        self.signers: dict[str, str] = {}
        self.last_ts = 0
        self.paused_until = 0
        self.paused_why = ""
        self.levers = Levers()
        self.opaque: dict[str, int] = {}
        self.corrections = Corrections()
        self.untold = Untold()
        self.asks = Asks()
        self.slots: dict[str, int] = {}
        self.sent: dict[str, int] = {}

    def apply(self, event: AnyEvent, beside: Beside, leaf_hash: str) -> None:
        """Fold one event in. ``leaf_hash`` is the hex of the RFC 6962 hash of its leaf."""
        self.registry.apply(event, beside)
        self.flow.apply(event, beside)
        self.corrections.apply(event)
        self.untold.apply(event)
        self.asks.apply(event, beside)
        self.last_ts = event.ts
        if event.src is not None:
            self.sources.apply(event.src, leaf_hash)
        self._counted(event)
        if isinstance(event, CharterLoaded | CharterRemoved):
            self._charter(event)
        elif isinstance(event, LeverPulled):
            self._pulled(event)
        elif isinstance(event, RecordGap) and event.what == "clock" and self.paused_until:
            self.paused_until = max(1, self.paused_until + event.until - event.since)
        elif isinstance(event, AgentBorn):
            self._born(event, beside)
        elif isinstance(event, ContentErased) and event.handle:
            self.registry.erase(event.handle)
            self.flow.erase([agent.id for agent in self.registry.everyone() if not agent.home])
        for gone in self.registry.forgotten():
            self._forget(gone)

    def _counted(self, event: AnyEvent) -> None:
        if isinstance(event, CallDecided):
            if event.decision.enforced == "allow" and any(e.verb == "opaque" for e in event.effects):
                self.opaque[event.agent] = self.opaque.get(event.agent, 0) + 1
        elif isinstance(event, ModelInput) and event.at and self.registry.by_id(event.agent) is not None:
            self.sent[event.agent] = event.at

    def _pulled(self, event: LeverPulled) -> None:
        if event.lever == "pause":
            self.paused_until, self.paused_why = event.until, event.why
        elif event.lever == "resume":
            self.paused_until, self.paused_why = 0, ""
        else:
            self.levers.apply(event)

    def _born(self, event: AgentBorn, beside: Beside) -> None:
        self.opaque.pop(event.agent, None)
        if event.narrowed:
            self.charters[narrowed_digest(event)] = (NARROWED, event.narrowed)
        if beside.sealed is not None:
            self.slots[event.agent] = beside.sealed.slot

    def _forget(self, gone: Forgotten) -> None:
        """Forget what is kept of an agent beside its name: it is found in the view and in the record."""
        self.flow.forget(gone.agent.id)
        self.opaque.pop(gone.agent.id, None)
        self.slots.pop(gone.agent.id, None)
        self.sent.pop(gone.agent.id, None)
        for door, session in gone.sessions:
            self.sources.forget(f"{door}:{session}"[:MAX_SOURCE])
        if gone.narrowed:
            self.charters.pop(gone.narrowed, None)

    def _charter(self, event: CharterLoaded | CharterRemoved) -> None:
        if isinstance(event, CharterLoaded):
            self.charters[event.digest] = (event.name, event.source)
            self.in_force[event.name] = event.digest
            self.signers[event.name] = event.signer
        else:
            self.in_force.pop(event.name, None)
            self.signers.pop(event.name, None)

    def paused(self, now: int) -> bool:
        """Tell whether enforcement is paused at ``now`` (microseconds).

        A clock that jumps back cannot prolong it by more than the jump: the pause's end is fixed in the record.
        """
        return now < self.paused_until

    def who(self, agent: Agent) -> Who:
        """Return what levers can reach an agent by."""
        return Who(
            agent=agent.id,
            above=tuple(one.id for one in self.registry.lineage(agent.id)[1:]),
            charters=self.names_of(agent.chain) | {agent.charter},
            charter=agent.charter,
            sponsor=agent.sponsor,
            born=agent.born_n,
            observes=agent.mode == "observe",
        )

    def who_would_be(self, birth: Birth) -> Who:
        """Return what levers can reach an agent by that is about to be born."""
        return Who(
            agent="",
            above=tuple(one.id for one in self.registry.lineage(birth.parent)),
            charters=self.names_of(birth.chain) | {birth.charter},
            charter=birth.charter,
            sponsor=birth.sponsor,
        )

    def names_of(self, chain: Iterable[str]) -> frozenset[str]:
        """Return the names of the charters whose versions are given."""
        return frozenset(self.charters[digest][0] for digest in chain if digest in self.charters) - {NARROWED}

    def dump(self, size: int, root: bytes) -> bytes:
        """Return the snapshot of the state after ``size`` events whose tree has ``root``."""
        return msgspec.msgpack.encode(
            _Dump(
                size=size,
                root=root,
                registry=self.registry.dump(),
                flow=self.flow.dump(),
                heads=self.sources.heads,
                forgot=self.sources.forgot,
                charters=self.charters,
                in_force=self.in_force,
                last_ts=self.last_ts,
                paused_until=self.paused_until,
                paused_why=self.paused_why,
                levers=self.levers.dump(),
                opaque=self.opaque,
                waiting=self.corrections.waiting,
                tally=self.corrections.tally,
                untold=self.untold.waiting,
                questions=self.asks.questions,
                signers=self.signers,
                slots=self.slots,
                sent=self.sent,
            )
        )

    @classmethod
    def load(cls, data: bytes) -> tuple[State, int, bytes]:
        """Return the state in a snapshot, with the size and root that it was taken at.

        Raises:
            msgspec.DecodeError: The bytes are not a snapshot.
        """
        dump = msgspec.msgpack.decode(data, type=_Dump)
        state = cls()
        state.registry = Registry.load(dump.registry)
        state.flow = FlowState.load(dump.flow)
        state.sources = Sources(dump.heads, forgot=dump.forgot)
        state.charters = dump.charters
        state.in_force = dump.in_force
        state.signers = dump.signers
        state.last_ts = dump.last_ts
        state.paused_until = dump.paused_until
        state.paused_why = dump.paused_why
        state.levers = Levers.load(dump.levers)
        state.opaque = dump.opaque
        state.corrections = Corrections(dump.waiting, dump.tally)
        state.untold = Untold(dump.untold)
        state.asks = Asks(dump.questions)
        state.slots = dump.slots
        return state, dump.size, dump.root


def narrowed_digest(born: AgentBorn) -> str:
    """Return the digest of the policy set that narrows a newborn."""
    return "sha256:" + hashlib.sha256(born.narrowed.encode()).hexdigest()


def fold(state: State, entries: Iterable[tuple[AnyEvent, Beside, str]]) -> State:
    """Apply ``entries`` in order and return the state."""
    for event, beside, leaf_hash in entries:
        state.apply(event, beside, leaf_hash)
    return state
