"""No sequence of births, delegations, edits, rolls and levers lets a child do what anything above it could not.

A machine plays at random with the real gate, charters on disk, tokens and levers, and holds every answer against a
model that knows charters as plain sets of names and has never heard of chains, digests or caches.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from outrider import config
from outrider.config import Home
from outrider.daemon import callers, charters, delegation, levers
from outrider.daemon.charters import Charters
from outrider.daemon.delegation import Delegation
from outrider.daemon.levers import Levering
from outrider.errors import OutriderError
from outrider.events import message as m
from outrider.events.call import Call
from outrider.events.codec import decode, decode_beside
from outrider.events.record import CallDecided
from outrider.gate.apply import Gate
from outrider.gate.chains import Chains
from outrider.gate.enrol import Enrolment
from outrider.gate.results import Results
from outrider.gate.scribe import Scribe
from outrider.gate.state import State, fold
from outrider.gate.study import Workers
from outrider.identity import process
from outrider.identity.ids import agent_id
from outrider.identity.people import Pseudonyms
from outrider.identity.tokens import Handed, narrow_with

HOSTS = ("one.example", "two.example", "three.example")
CLASSES = ("alpha", "beta", "gamma")
SECOND = 1_000_000
LIFE = 3_000
KEY = b"k" * 32


class Log:
    """A record in memory."""

    def __init__(self):
        self.entries = []

    @property
    def size(self):
        return len(self.entries)

    def append(self, build, *, seal=False):
        self.entries.append(build(len(self.entries)))
        return len(self.entries) - 1

    async def durable(self, n):
        assert n < len(self.entries)


@dataclass(frozen=True)
class Charter:
    """A charter as a set of names."""

    name: str
    extends: str
    may: frozenset = frozenset()
    delegate: frozenset = frozenset()
    never: frozenset = frozenset()
    spawn: frozenset = frozenset()
    spawns: int = 50
    depth: int = 8

    def allows(self, host, *, above):
        return host in (self.may | self.delegate if above else self.may) and host not in self.never

    def text(self):
        lists = {name: sorted(getattr(self, name)) for name in ("may", "delegate", "never")}
        out = [f'[charter]\nname = "{self.name}"\nsponsor = "optional"\nttl = "{LIFE}s"\n']
        if self.extends:
            out.append(f'extends = "{self.extends}"\n')
        out.append(f"budget = {{ calls = 100000, spawns = {self.spawns}, spawn_depth = {self.depth} }}\n")
        out.append(f'[may]\nconnect = {lists["may"]}\nspawn = {sorted(self.spawn)}\nopaque = "allow"\n')
        out += [f"[{name}]\nconnect = {lists[name]}\n" for name in ("delegate", "never") if lists[name]]
        return "".join(out).replace("'", '"')


@dataclass
class Known:
    """An agent as the model knows it."""

    id: str
    charter: str
    line: list
    parent: Known | None
    born: int
    expires: int
    only: frozenset | None = None
    children: int = 0

    def up(self):
        yield self
        if self.parent is not None:
            yield from self.parent.up()

    def names(self):
        return {one.name for agent in self.up() for one in agent.line}


hosts = st.frozensets(st.sampled_from(HOSTS))
classes = st.frozensets(st.sampled_from(CLASSES))
charter = st.builds(
    Charter,
    name=st.sampled_from(CLASSES),
    extends=st.sampled_from(["", "base"]),
    may=hosts,
    delegate=hosts,
    never=st.frozensets(st.sampled_from(HOSTS), max_size=1),
    spawn=classes,
    spawns=st.integers(1, 6),
    depth=st.integers(1, 4),
)
names = st.sampled_from(CLASSES)
scopes = st.tuples(st.sampled_from(["charter", "sponsor", "lineage", "agent"]), st.integers(0, 50))


class Lineages(RuleBasedStateMachine):
    """The machine."""

    agents = Bundle("agents")
    tokens = Bundle("tokens")
    steps = 0

    @initialize()
    def begin(self):
        self.top = tempfile.TemporaryDirectory(prefix="lineages")
        self.home = Home(Path(self.top.name) / "o")
        self.home.make()
        self.loop = asyncio.new_event_loop()
        self.patch = pytest.MonkeyPatch()
        empty = Path(self.top.name) / "builtin"
        empty.mkdir()
        self.patch.setattr(charters, "builtin_charters", lambda: empty)
        self.patch.setattr(config, "builtin_charters", lambda: empty)
        self.patch.setattr(delegation, "agent_of", lambda _parts, _peer: self.asks)
        self.patch.setattr(levers, "agent_of", lambda _parts, _peer: self.asks)
        self.patch.setattr(callers, "agent_of", lambda _parts, _peer: self.asks)
        self.patch.setattr(process, "cut_off", lambda _pid, _since: False)
        self.asks = None
        self.now = 1_800_000_000 * SECOND
        self.log = Log()
        self.documents = {}
        self.known = {}
        self.pulled = []
        self.ids = itertools.count(1)
        self.repo_charter = "alpha"
        for name in ("base", "unclaimed", *CLASSES):
            extends = "" if name == "base" else "base"
            self.write(Charter(name, extends, may=frozenset(HOSTS), spawn=frozenset(CLASSES)))
        self.open(State())

    def write(self, one):
        (self.home.charters / f"{one.name}.toml").write_text(one.text())
        self.documents[one.name] = one

    def open(self, state):
        self.state = state
        self.scribe = Scribe(self.log, state, KEY, lambda: self.now)
        self.charters = Charters(self.home, self.scribe, state, {})
        chains = Chains(state, groups={}, protected=())
        results = Results(self.scribe, state)
        self.enrolment = Enrolment(
            scribe=self.scribe,
            state=state,
            shelf=self.charters,
            chains=chains,
            results=results,
            people=Pseudonyms(KEY),
            sponsor="ada@example.com",
            repository_charter=lambda _path: (self.repo_charter, "enforce"),
            unattested=True,
        )
        self.gate = Gate(
            scribe=self.scribe, state=state, enrolment=self.enrolment, results=results, chains=chains, workers=Workers()
        )
        self.parts = SimpleNamespace(
            home=self.home, state=state, scribe=self.scribe, enrolment=self.enrolment, results=results, gate=self.gate
        )
        self.delegation = Delegation(self.parts)
        self.levering = Levering(self.parts)

    def teardown(self):
        if hasattr(self, "patch"):
            self.patch.undo()
            self.loop.close()
            self.top.cleanup()

    # What the model says.

    def line_of(self, name):
        found = [self.documents[name]]
        while found[-1].extends:
            found.append(self.documents[found[-1].extends])
        return found

    def allowed(self, agent, host):
        """Whether every charter above an agent, each by itself, lets it connect."""
        for at, one in enumerate(agent.up()):
            if any(not each.allows(host, above=at > 0) for each in one.line):
                return False
            if one.only is not None and host not in one.only:
                return False
        return True

    def stopped(self, agent):
        """Whether a lever reaches an agent."""
        held, final = {}, []
        for lever, scope, n in self.pulled:
            kind = scope.partition(":")[0]
            if lever == "release":
                held.pop(("quarantine", scope), None)
                held.pop(("revoke", scope), None)
            elif lever == "quarantine" or kind in {"charter", "sponsor"}:
                held[lever, scope] = n
            if lever == "revoke":
                final.append((scope, n))
        line = {one.id for one in agent.up()}
        if any(self.lies_in(agent, scope) for _, scope in held):
            return True
        return any(
            scope.partition(":")[2] in line or (self.lies_in(agent, scope) and agent.born < n) for scope, n in final
        )

    def lies_in(self, agent, scope):
        kind, _, value = scope.partition(":")
        return {
            "charter": value in agent.names(),
            "sponsor": True,
            "lineage": any(one.id == value for one in agent.up()),
            "agent": agent.id == value,
        }[kind]

    def learn(self, event_id, parent, charter_name, only=None):
        """Take note of a birth, after checking that it may have been."""
        born = self.state.registry.by_id(event_id)
        assert born is not None
        known = Known(
            id=event_id, charter=charter_name, line=self.line_of(charter_name), parent=parent, born=born.born_n,
            expires=born.expires, only=only,
        )  # fmt: skip
        self.known[event_id] = known
        assert born.charter == charter_name
        assert not self.stopped(known), "somebody was born whom a lever keeps from being born"
        if parent is not None:
            assert not self.stopped(parent)
            assert parent.expires > self.now
            assert born.expires <= parent.expires
            assert born.depth == len(list(parent.up()))
            above = self.state.registry.by_id(parent.id)
            assert born.chain[len(born.chain) - len(above.chain) :] == above.chain
            for one in parent.up():
                assert all(born.depth <= each.depth for each in one.line), "deeper than an ancestor's budget"
            parent.children += 1
        return known

    def run(self, work):
        return self.loop.run_until_complete(work)

    def told(self, work):
        """What a control request comes to: the answer, or None for a no."""
        try:
            return self.run(work)
        except OutriderError:
            return None

    def message(self, agent, kind, **more):
        found = self.state.registry.by_id(agent.id)
        common = {"door": found.door, "session": found.session, "host_agent": found.host_agent, "event": "x"}
        return kind(**{**common, **more})

    # What happens.

    @rule(target=agents, name=names)
    def a_session_begins(self, name):
        self.repo_charter = name
        session = f"s{next(self.ids)}"
        start = m.SessionStarted(door="claude_code", session=session, event="SessionStart", cwd="/nowhere")
        self.run(self.gate.handle(start, m.Peer(pid=0, uid=-1)))
        born = self.state.registry.by_session("claude_code", session)
        return self.learn(born.id, None, name) if born is not None else multiple()

    @rule(target=agents, mother=agents)
    def a_host_makes_a_sub_agent(self, mother):
        found = self.state.registry.by_id(mother.id)
        if found.door != "claude_code" or found.host_agent:
            return multiple()
        sub = f"sub{next(self.ids)}"
        message = self.message(mother, m.SubagentStarted, host_agent=sub, agent_type="anything")
        self.run(self.gate.handle(message, m.Peer(pid=0, uid=-1)))
        born = self.state.registry.by_session("claude_code", found.session, sub)
        if born is None:
            return multiple()
        again = self.state.registry.by_id(mother.id)
        assert not again.ended
        return self.learn(born.id, mother, mother.charter)

    @rule(target=agents, mother=agents, name=names, only=st.none() | hosts, lasts=st.integers(1, 9_000))
    def an_agent_spawns(self, mother, name, only, lasts):
        self.asks = self.state.registry.by_id(mother.id)
        request = {"charter": name, "us": lasts * SECOND}
        if only is not None:
            request["may"] = {"connect": sorted(only)}
        answer = self.told(self.delegation.spawn(request, m.Peer(pid=os.getpid(), uid=os.getuid())))
        if answer is None:
            return multiple()
        assert all(name in each.spawn for one in mother.up() for each in one.line), "a class that may not be started"
        return self.learn(answer["agent"], mother, name, only)

    @rule(target=tokens, mother=agents)
    def an_agent_asks_for_a_token(self, mother):
        self.asks = self.state.registry.by_id(mother.id)
        answer = self.told(self.delegation.token({}, m.Peer(pid=os.getpid(), uid=os.getuid())))
        if answer is None:
            return multiple()
        assert not self.stopped(mother)
        return answer["token"], mother, ()

    @rule(
        target=tokens,
        token=tokens,
        name=names,
        only=st.none() | hosts,
        lasts=st.integers(-10, 9_000),
    )
    def somebody_narrows_a_token(self, token, name, only, lasts):
        text, mother, handed = token
        may = {} if only is None else {"connect": tuple(sorted(only))}
        one = Handed(agent=agent_id(), charter=name, expires=self.now + lasts * SECOND, may=may)
        return narrow_with(text, one), mother, (*handed, (one, only))

    @rule(target=agents, token=tokens, shows=agents, inside=st.booleans())
    def a_token_is_shown(self, token, shows, inside):
        if not token[2]:
            return multiple()
        text, mother, handed = token
        asks = shows if inside else None
        self.asks = self.state.registry.by_id(asks.id) if asks else None
        before = set(self.known)
        answer = self.told(self.delegation.spawn({"token": text}, m.Peer(pid=os.getpid(), uid=os.getuid())))
        # Those further up may have been born although the last was refused.
        above, last, until = mother, None, mother.expires
        for one, only in handed:
            born = self.state.registry.by_id(one.agent)
            if born is None:
                break
            if one.agent not in self.known:
                assert all(one.charter in each.spawn for up in above.up() for each in up.line)
                self.learn(one.agent, above, one.charter, only)
            above = last = self.known[one.agent]
            assert one.expires <= until
            until = one.expires
        if answer is None:
            return multiple()
        assert handed[-1][0].agent not in before, "a token made the same agent twice"
        line = {mother.id, *(one.agent for one, _ in handed)}
        assert asks is None or asks.id in line, "a token of another lineage was taken"
        return last

    @rule(
        target=agents,
        mother=agents,
        shows=agents,
        own=st.booleans(),
        hands=st.lists(st.tuples(names, st.none() | hosts), min_size=1, max_size=3),
    )
    def an_agent_hands_a_token_on(self, mother, shows, own, hands):
        token = self.an_agent_asks_for_a_token(mother)
        if not isinstance(token, tuple):
            return multiple()
        for name, only in hands:
            token = self.somebody_narrows_a_token(token, name, only, 500)
        return self.a_token_is_shown(token, mother if own else shows, inside=True)

    @rule(token=tokens, at=st.integers(0, 4_000), to=st.sampled_from("AZaz09_-"))
    def a_token_is_changed(self, token, at, to):
        text = token[0]
        body = text.index(".", 12) + 1
        place = body + at % (len(text) - body - 8)
        if text[place] == to:
            return
        changed = text[:place] + to + text[place + 1 :]
        self.asks = None
        peer = m.Peer(pid=os.getpid(), uid=os.getuid())
        assert self.told(self.delegation.verify({"token": changed}, peer)) is None

    @rule(one=charter)
    def a_person_edits_a_charter(self, one):
        self.write(one)
        self.charters.refresh()
        assert self.state.charters[self.state.in_force[one.name]][0] == one.name
        assert self.charters.get(one.name) is not None

    @rule(one=charter)
    def a_person_edits_a_charter_and_rolls_it(self, one):
        self.a_person_edits_a_charter(one)
        self.the_living_are_rolled(one.name)

    @rule(
        name=names,
        wrong=st.sampled_from(
            [
                "",
                "[charter]\nname = 1",
                "[may]\nfly = ['*']",
                "\x00",
                '[charter]\nname = "{name}"\nextends = "nobody"\n',
            ]
        ),
    )
    def a_person_breaks_a_charter(self, name, wrong):
        before = self.state.in_force[name]
        (self.home.charters / f"{name}.toml").write_text(wrong.format(name=name))
        self.charters.refresh()
        assert self.state.in_force[name] == before
        assert self.charters.get(name).digest == before

    @rule(name=names)
    def the_living_are_rolled(self, name):
        self.enrolment.roll(name)
        for agent in self.known.values():
            if agent.charter == name and not self.state.registry.by_id(agent.id).ended:
                agent.line = self.line_of(name)

    @rule(lever=st.sampled_from(["quarantine", "release", "release", "release", "revoke"]), scope=scopes)
    def a_lever_is_pulled(self, lever, scope):
        kind, number = scope
        ids = sorted(self.known)
        if kind == "charter":
            value = (*CLASSES, "base")[number % 4]
        elif kind == "sponsor":
            value = "ada@example.com"
        elif ids:
            value = ids[number % len(ids)]
        else:
            return
        if lever == "revoke" and (kind == "sponsor" or value == "base"):
            return  # Everybody at once would leave nothing to play with.
        self.asks = None
        request = {"lever": lever, "kind": kind, "value": value}
        answer = self.told(self.levering.pull(request, m.Peer(pid=os.getpid(), uid=os.getuid())))
        if answer is not None:
            self.pulled.append((lever, answer["scope"], answer["event"]))

    @rule(agent=agents)
    def a_session_ends(self, agent):
        found = self.state.registry.by_id(agent.id)
        if not found.ended:
            self.enrolment.end(found, "completed", "")

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds):
        self.now += seconds * SECOND

    @rule(how=st.sampled_from(["fold", "snapshot"]))
    def the_daemon_restarts(self, how):
        if how == "snapshot":
            again, _, _ = State.load(self.state.dump(self.log.size, b"root"))
        else:
            again = fold(State(), ((decode(leaf), decode_beside(blob), "") for leaf, blob in self.log.entries))
        assert again.registry == self.state.registry
        assert again.in_force == self.state.in_force
        self.open(again)

    def an_agent_acts(self, agent, host):
        """The heart: the gate says what the model says, for any agent at any time."""
        found = self.state.registry.by_id(agent.id)
        if found.door != "claude_code":
            self.acts_by_itself(agent, found, host)
            return
        call = Call(
            door=found.door, session=found.session, host_agent=found.host_agent, call_id=f"c{next(self.ids)}",
            tool="fetch", name="WebFetch", args={"url": f"https://{host}/"}, cwd="/nowhere",
        )  # fmt: skip
        answer = self.run(self.gate.handle(self.message(agent, m.CallAsked, call=call), m.Peer(pid=0, uid=-1)))
        self.judged(agent, host, answer)

    def acts_by_itself(self, agent, found, host):
        if found.ended:
            return
        call = Call(
            door="spawn", session=found.id, host_agent="", call_id=f"c{next(self.ids)}", tool="fetch", name="WebFetch",
            args={"url": f"https://{host}/"}, cwd="/nowhere",
        )  # fmt: skip
        asked = m.CallAsked(door="spawn", session=found.id, event="x", call=call)
        self.judged(agent, host, self.run(self.gate.judge(asked, call, found)))

    def judged(self, agent, host, answer):
        may = self.allowed(agent, host) and not self.stopped(agent) and self.now < agent.expires
        if self.state.registry.by_id(agent.id).ended in {"revoked", "expired"}:
            may = False
        last = decode(self.log.entries[-1][0])
        assert answer.verdict in ({"silent"} if may else {"deny"}), (answer, agent, host, last)
        if may:
            assert isinstance(last, CallDecided)
            assert last.decision.enforced == "allow"

    @invariant()
    def whoever_acts_is_judged_as_the_model_says(self):
        """After every step the last born and one other of all try one host."""
        type(self).steps += 1
        if not getattr(self, "known", None):
            return
        everybody = list(self.known.values())
        turn = next(self.ids)
        for agent in {one.id: one for one in (everybody[-1], everybody[turn % len(everybody)])}.values():
            self.an_agent_acts(agent, HOSTS[turn % len(HOSTS)])

    @invariant()
    def nothing_revoked_lives_and_every_chain_ends_in_its_parents(self):
        if not hasattr(self, "known"):
            return
        registry = self.state.registry
        for agent in registry.everyone():
            above = registry.by_id(agent.parent)
            assert above is None or agent.chain[-len(above.chain) :] == above.chain
        for agent in registry.living():
            who = self.state.who(agent)
            assert self.state.levers.revoked(who) is None or agent.born_n > max(n for _, _, n in self.pulled)


def test_no_sequence_lets_a_child_do_what_anything_above_it_could_not():
    """At least 5,000 steps: 100 games of 60."""
    Lineages.steps = 0
    run_state_machine_as_test(Lineages, settings=settings(max_examples=100, stateful_step_count=60, deadline=None))
    assert Lineages.steps >= 5_000
