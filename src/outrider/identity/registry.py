"""Who exists: every agent, folded from the record and from nothing else.

Invariants:

* :meth:`Registry.apply` is a pure fold. The same events give an equal registry, and a registry that was dumped and
  loaded in between gives an equal one too; nothing here reads a clock or a process.
* What bounds an agent stays: an ended agent is kept for as long as a descendant of it is, since its charter still
  binds that one.
* It is bounded: :data:`KEEP_GONE` ended agents, and of each agent :data:`MAX_OPEN` open calls and :data:`MAX_DENIED`
  denied ones. Older ones are found in the view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from outrider.events.attestation import Attestation
from outrider.events.counters import Counters
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AgentResumed,
    AgentRolled,
    AnyEvent,
    Beside,
    CallDecided,
    CallResult,
    DaemonStarted,
    RecordGap,
    SessionJoined,
)
from outrider.identity.agent import Agent, Forgotten, Intent, Link, changed, newborn
from outrider.identity.dump import VERSION, Dump
from outrider.identity.lean import Shelf
from outrider.identity.process import ProcessFacts
from outrider.identity.several import Several
from outrider.identity.tally import MAX_DENIED, MAX_OPEN, Tally

__all__ = ["KEEP_GONE", "MAX_DENIED", "MAX_OPEN", "Agent", "Intent", "Link", "Registry"]

KEEP_GONE = 8_000
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Dump)
_Key = tuple[str, ...]


class Registry:
    """All agents known to this record."""

    def __init__(self) -> None:
        self._agents: dict[str, Agent] = {}
        self._tally: dict[str, Tally] = {}
        self._sessions: dict[_Key, str] = {}
        self._members: Several[_Key, str] = Several()
        self._bound: dict[_Key, Attestation] = {}
        self._process: Several[int, _Key] = Several()
        self._children: Several[str, str] = Several()
        self._joined: Several[str, _Key] = Several()
        self._resumed_ones: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        self._boot = ""
        self._shelf = Shelf()
        self._narrowings: Counter[str] = Counter()
        self._forgotten: list[Forgotten] = []

    # The fold.

    def apply(self, event: AnyEvent, beside: Beside | None = None) -> None:
        """Take over one event. Events are applied in the record's order, each once; other kinds are passed over.

        Args:
            event: The event.
            beside: What lies beside it; only a birth's is read, and it may have been erased.
        """
        kind = type(event)
        if kind is CallDecided:
            self._decided(event)  # type: ignore[arg-type]
        elif kind is CallResult:
            self._result(event)  # type: ignore[arg-type]
        elif kind is AgentBorn:
            self._born(event, beside or Beside())  # type: ignore[arg-type]
        elif kind is AgentEnded:
            self._ended(event)  # type: ignore[arg-type]
        elif kind is AgentResumed:
            self._resumed(event)  # type: ignore[arg-type]
        elif kind is AgentRolled:
            self._rolled(event)  # type: ignore[arg-type]
        elif kind is SessionJoined:
            self._join(event)  # type: ignore[arg-type]
        elif kind is DaemonStarted:
            self._boot = event.boot  # type: ignore[union-attr]
        elif kind is RecordGap and event.what == "clock":  # type: ignore[union-attr]
            self._stepped(event.until - event.since)  # type: ignore[union-attr]

    def _stepped(self, step: int) -> None:
        """Move the ends of lives along with a wall clock that jumped: nobody lives longer or shorter for it."""
        for agent in self.living():
            self._agents[agent.id] = msgspec.structs.replace(agent, expires=max(0, agent.expires + step))

    def _decided(self, event: CallDecided) -> None:
        tally = self._tally.get(event.agent)
        if tally is not None and not event.permission:
            tally.decided(event)

    def _result(self, event: CallResult) -> None:
        tally = self._tally.get(event.agent)
        if tally is not None:
            tally.returned(event.call)

    def _born(self, event: AgentBorn, beside: Beside) -> None:
        if event.agent in self._agents:
            return
        agent = newborn(event, beside.private, within_held=self._within_held(event))
        if event.held is not None:
            own = self._own(agent)
            agent = changed(agent, planned=own[: len(own) - agent.narrowed])
        above = self._tally.get(event.parent)
        if above is not None:
            above.born()
        self._tally[agent.id] = Tally()
        self._insert(agent, binds=not agent.host_agent)

    def _within_held(self, event: AgentBorn) -> bool:
        parent = self._agents.get(event.parent)
        return parent is not None and parent.held and event.how in {"subagent", "descendant", "run"}

    def _join(self, event: SessionJoined) -> None:
        agent = self._agents.get(event.agent)
        if agent is not None:
            self._add_session(agent, (event.door, event.session))
            self._bind((event.door, event.session), self._shelf.attested(event.attested))

    def _add_session(self, agent: Agent, key: _Key) -> None:
        self._joined.add(agent.id, key)
        self._seat(key, agent, "")

    def _insert(self, agent: Agent, *, binds: bool) -> None:
        """Take in an agent, as lean as it is kept; it ``binds`` its session to its process."""
        agent = self._shelf.lean(agent, self._agents.get(agent.parent))
        key = (agent.door, agent.session)
        self._agents[agent.id] = agent
        self._seat(key, agent, agent.host_agent)
        if binds:
            self._bind(key, agent.attested)
        if agent.parent:
            self._children.add(agent.parent, agent.id)
        narrowed = self._narrowing(agent)
        if narrowed:
            self._narrowings[narrowed] += 1
        if agent.ended:
            self._gone[agent.id] = None

    def _seat(self, key: _Key, agent: Agent, host_agent: str) -> None:
        """Put an agent into a session. Who is alone in one is found by its members."""
        before = self._members.alone(key)
        self._members.add(key, agent.id)
        if before is not None:
            self._sessions.setdefault(_session(key, self._called(before, key)), before)
        if self._members.alone(key) is None:
            self._sessions[_session(key, host_agent)] = agent.id

    def _called(self, identifier: str, key: _Key) -> str:
        """Return the host's sub-agent id of a member of a session."""
        agent = self._agents[identifier]
        return agent.host_agent if key == (agent.door, agent.session) else ""

    def _bind(self, key: _Key, process: Attestation) -> None:
        old = self._bound.get(key)
        if old is not None:
            self._process.drop(old.pid, key)
        self._bound[key] = process
        if process.pid > 0:
            self._process.add(process.pid, key)

    def _ended(self, event: AgentEnded) -> None:
        agent = self._agents.get(event.agent)
        if agent is None or agent.ended:
            return
        self._agents[agent.id] = msgspec.structs.replace(agent, ended=event.how, ended_ts=event.ts)
        self._tally[agent.id].denied = ()
        self._resumed_ones.pop(agent.id, None)
        self._gone[agent.id] = None
        if len(self._gone) > KEEP_GONE:
            self._prune()

    def _resumed(self, event: AgentResumed) -> None:
        agent = self._agents.get(event.agent)
        if agent is None:
            return
        process = self._shelf.attested(event.attested)
        self._agents[agent.id] = msgspec.structs.replace(agent, attested=process, ended="", ended_ts=0)
        self._gone.pop(agent.id, None)
        if agent.ended:
            self._resumed_ones[agent.id] = None
        if not agent.host_agent:
            self._bind((agent.door, agent.session), process)

    def _rolled(self, event: AgentRolled) -> None:
        """Give an agent another line of charters; what descends from it stands under its new chain."""
        agent = self._agents.get(event.agent)
        if agent is None:
            return
        below = [(one, self._own(one)) for one in self.subtree(agent.id)]
        above = self._agents.get(agent.parent)
        narrowed = self._own(agent)[-agent.narrowed :] if agent.narrowed else ()
        chain = (*event.line, *narrowed, *(above.chain if above else ()))
        self._agents[agent.id] = changed(agent, digest=event.digest, chain=chain, mode=event.mode)
        for one, own in below:
            chain = (*own, *self._agents[one.parent].chain)
            self._agents[one.id] = changed(self._agents[one.id], chain=chain)

    def erase(self, handle: str) -> None:
        """Forget the places of an agent, or of all that a sponsor answers for: they were erased."""
        for one in [one for one in self._agents.values() if handle in (one.id, one.sponsor)]:
            self._agents[one.id] = changed(one, home="", repo="", cwd="")

    def _own(self, agent: Agent) -> tuple[str, ...]:
        """Return the part of an agent's chain that it does not have from its parent."""
        above = self._agents.get(agent.parent)
        return agent.chain[: len(agent.chain) - (len(above.chain) if above else 0)]

    def _narrowing(self, agent: Agent) -> str:
        """Return the digest that narrows an agent beside its charter, or empty."""
        return self._own(agent)[-1] if agent.narrowed and self._own(agent) else ""

    def _prune(self) -> None:
        """Forget the longest gone agents; one that a kept agent descends from goes to the end of the queue."""
        for identifier in list(islice(self._gone, len(self._gone) - KEEP_GONE + 8)):
            if len(self._gone) <= KEEP_GONE:
                return
            if identifier in self._children:
                del self._gone[identifier]
                self._gone[identifier] = None
            else:
                self._forget(self._agents[identifier])

    def forgotten(self) -> tuple[Forgotten, ...]:
        """Return the agents that were forgotten since this was last asked."""
        gone, self._forgotten = tuple(self._forgotten), []
        return gone

    def _forget(self, agent: Agent) -> None:
        narrowed = self._narrowing(agent)
        if narrowed:
            self._narrowings[narrowed] -= 1
            if self._narrowings[narrowed] > 0:
                narrowed = ""
            else:
                del self._narrowings[narrowed]
        del self._agents[agent.id], self._gone[agent.id], self._tally[agent.id]
        self._children.drop(agent.parent, agent.id)
        keys = ((agent.door, agent.session), *self._joined.pop(agent.id))
        left = tuple((key[0], key[1]) for key in keys if self._leave(agent, key))
        self._forgotten.append(Forgotten(agent=agent, sessions=left, narrowed=narrowed))

    def _leave(self, agent: Agent, key: _Key) -> bool:
        """Take an agent out of a session; return whether nobody is left in it."""
        last = self._members.drop(key, agent.id)
        host_agent = agent.host_agent if key == (agent.door, agent.session) else ""
        session = _session(key, host_agent)
        if self._sessions.get(session) == agent.id:
            del self._sessions[session]
            for other in self._members.of(key):
                if self._agents[other].host_agent == host_agent:
                    self._sessions[session] = other
        bound = self._bound.pop(key, None) if last else None
        if bound is not None:
            self._process.drop(bound.pid, key)
        return last

    # The questions.

    def by_id(self, identifier: str) -> Agent | None:
        """Return the agent with that id."""
        return self._agents.get(identifier)

    def by_session(self, door: str, session: str, host_agent: str = "") -> Agent | None:
        """Return the last agent born in that session: its main one, or the sub-agent ``host_agent``."""
        key = (door, session)
        alone = self._members.alone(key)
        if alone is not None:
            return self._agents[alone] if self._called(alone, key) == host_agent else None
        return self._agents.get(self._sessions.get(_session(key, host_agent), ""))

    def bound(self, door: str, session: str) -> Attestation | None:
        """Return the process that a session is bound to, None for an unknown session."""
        return self._bound.get((door, session))

    def living(self) -> tuple[Agent, ...]:
        """Return the agents that have not ended, in order of birth; those that were resumed come last."""
        resumed = self._resumed_ones
        first = [agent for agent in self._agents.values() if not agent.ended and agent.id not in resumed]
        return (*first, *(self._agents[identifier] for identifier in resumed))

    def everyone(self) -> Iterator[Agent]:
        """Yield every agent that is kept, in order of birth."""
        return iter(self._agents.values())

    def members(self, door: str, session: str) -> tuple[Agent, ...]:
        """Return every agent of a session, in order of birth."""
        return tuple(self._agents[identifier] for identifier in self._members.of((door, session)))

    def children(self, identifier: str) -> tuple[Agent, ...]:
        """Return the children of an agent, in order of birth."""
        return tuple(self._agents[child] for child in self._children.of(identifier))

    def subtree(self, identifier: str) -> tuple[Agent, ...]:
        """Return an agent's descendants, parents before children, without itself."""
        found: list[Agent] = []
        waiting = list(self.children(identifier))
        while waiting:
            agent = waiting.pop(0)
            found.append(agent)
            waiting.extend(self.children(agent.id))
        return tuple(found)

    def lineage(self, identifier: str) -> tuple[Agent, ...]:
        """Return the agent itself, its parent, and so on to the root; nothing for an unknown id."""
        found: list[Agent] = []
        agent = self._agents.get(identifier)
        while agent is not None and len(found) < 256:
            found.append(agent)
            agent = self._agents.get(agent.parent) if agent.parent else None
        return tuple(found)

    def links(self, identifier: str) -> tuple[Link, ...]:
        """Return every policy set that bounds an agent, its own first, each with the agent that it was bound to.

        The digests are those of the agent's ``chain``, in that order: of each ancestor its own line.
        """
        found: list[Link] = []
        line = self.lineage(identifier)
        for position, agent in enumerate(line):
            inherited = len(line[position + 1].chain) if position + 1 < len(line) else 0
            own = agent.chain[: len(agent.chain) - inherited]
            found.extend(Link(digest=digest, owner=agent, ceiling=position > 0) for digest in own)
        return tuple(found)

    def find_process(self, pid: int, start: int) -> tuple[Agent, ...]:
        """Return every agent whose session is bound to that process, in order of birth, the ended ones included.

        Processes of an earlier boot, as the last ``daemon.started`` names this one, are not found.
        """
        found: list[Agent] = []
        for key in self._process.of(pid):
            process = self._bound[key]
            if process.start == start and (not self._boot or process.boot in {"", self._boot}):
                found.extend(self.members(key[0], key[1]))
        return tuple(sorted(found, key=lambda agent: agent.born_n))

    def nearest_ancestor_agent(
        self, ancestors: Iterable[ProcessFacts], *, apart_from: Agent | None = None
    ) -> Agent | None:
        """Return the agent that a new session descends from, None if it descends from none.

        Args:
            ancestors: The new session's host process, then its parents, nearest first.
            apart_from: An agent whose session does not count: its own, when that is to be born anew.

        In the host process itself only a living agent counts, since one process may hold sessions one after the
        other, or a revoked one, which is to bear nobody. Further up an ended one counts too: its process still runs
        and its charter still binds. Of several agents in one process the one with an open call that starts an agent
        is taken, then one with an open shell call, then the last born main agent.
        """
        for distance, facts in enumerate(ancestors):
            found = [
                agent
                for agent in self.find_process(facts.pid, facts.start)
                if apart_from is None or (agent.door, agent.session) != (apart_from.door, apart_from.session)
            ]
            alive = [agent for agent in found if not agent.ended]
            if alive:
                return max(alive, key=self._likely)
            if found and (distance or any(agent.ended == "revoked" for agent in found)):
                return max(found, key=lambda agent: (not agent.host_agent, agent.born_n))
        return None

    def _likely(self, agent: Agent) -> tuple[bool, bool, bool, int]:
        running = self._tally[agent.id].open
        return (
            any(intent.launches for intent in running),
            any(intent.tool == "shell" for intent in running),
            not agent.host_agent,
            agent.born_n,
        )

    def counters(self, identifier: str) -> Counters:
        """Return what an agent has used up: calls judged, children asked for or born, its depth, its host's word."""
        tally = self._tally.get(identifier)
        if tally is None:
            return Counters()
        depth = self._agents[identifier].depth
        used = tally.used
        return Counters(calls=tally.calls, spawns=used.spawns, depth=depth, tokens=used.tokens, cost=used.cost)

    def announced(self, identifier: str) -> bool:
        """Tell whether a call of an agent was let through that starts a child, and the child is not born yet."""
        tally = self._tally.get(identifier)
        return tally is not None and tally.used.expected > 0

    def intent(self, identifier: str, call: str) -> Intent | None:
        """Return an agent's call with that host id whose result has not come, a denied one included."""
        tally = self._tally.get(identifier)
        return tally.find(call) if tally is not None else None

    def open_calls(self, identifier: str) -> tuple[Intent, ...]:
        """Return an agent's calls that may be running, oldest first."""
        tally = self._tally.get(identifier)
        return tally.open if tally is not None else ()

    def open_spawn(self, identifier: str, wanted: str = "") -> Intent | None:
        """Return the open call by which an agent asked its host for a sub-agent of class ``wanted``.

        The oldest allowed one that names it; without ``wanted`` the oldest allowed one that asks for any.
        """
        for intent in self.open_calls(identifier):
            if intent.spawns and (not wanted or wanted in intent.spawns):
                return intent
        return None

    def open_launch(self, identifier: str) -> Intent | None:
        """Return the last allowed open call by which an agent started an agent host from a shell."""
        return next((intent for intent in reversed(self.open_calls(identifier)) if intent.launches), None)

    def __len__(self) -> int:
        return len(self._agents)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registry) and self._state() == other._state()

    __hash__ = None  # type: ignore[assignment]

    def _state(self) -> Dump:
        return Dump(
            version=VERSION,
            boot=self._boot,
            agents=list(self._agents.values()),
            tallies=self._tally,
            resumed=list(self._resumed_ones),
            gone=list(self._gone),
            bound=[(key[0], key[1], process) for key, process in self._bound.items()],
            joined=[(agent, key[0], key[1]) for agent, key in self._joined.items()],
        )

    def dump(self) -> bytes:
        """Return the whole state as bytes; :meth:`load` gives an equal registry."""
        return _encoder.encode(self._state())

    @classmethod
    def load(cls, data: bytes) -> Registry:
        """Return the registry that was dumped.

        Raises:
            ValueError: The bytes are not a dump of this version; the caller rebuilds from the record.
        """
        try:
            state = _decoder.decode(data)
        except msgspec.DecodeError as error:
            raise ValueError(f"not a snapshot of the registry: {error}") from error
        if state.version != VERSION:
            raise ValueError(f"the registry's snapshot has version {state.version}, this program knows {VERSION}")
        registry = cls()
        joined: dict[str, list[tuple[str, str]]] = {}
        for identifier, *key in state.joined:
            joined.setdefault(identifier, []).append((key[0], key[1]))
        for agent in state.agents:
            registry._insert(agent, binds=False)
            for one in joined.get(agent.id, ()):
                registry._add_session(agent, one)
        registry._boot = state.boot
        registry._tally = state.tallies
        registry._resumed_ones = dict.fromkeys(state.resumed)
        registry._gone = dict.fromkeys(state.gone)
        for door, session, process in state.bound:
            main = registry.by_session(door, session)
            held = main.attested if main is not None and main.attested == process else registry._shelf.attested(process)
            registry._bind((door, session), held)
        return registry


def _session(key: _Key, host_agent: str) -> _Key:
    return (*key, host_agent) if host_agent else key
