"""Births of agents that ``outrider run`` starts: born before their first instruction, and with what holds them.

A person starts a root; what an agent starts from inside its own tree is its child, if its charter lets it spawn one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from outrider.detect.redact import redact
from outrider.errors import RefusedError
from outrider.events import message as m
from outrider.events.call import Call
from outrider.events.held import Held
from outrider.events.record import AgentBorn, AgentEnded, Beside, Entity
from outrider.gate.standing import check_birth
from outrider.identity import place, process
from outrider.identity.birth import Wish, plan_birth
from outrider.identity.digest import digest_file_later, file_digest
from outrider.identity.ids import agent_id

if TYPE_CHECKING:
    from outrider.gate.apply import Gate
    from outrider.gate.enrol import Enrolment
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.people import Pseudonyms
    from outrider.identity.registry import Agent

DOOR = "run"
HOT = 1024 * 1024
"""Bytes of a program that are hashed before it starts; the digest of a larger one is known at its next start."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be started.

    Attributes:
        charter: Its charter's name.
        cwd: Where it starts.
        home: Its home.
        program: Absolute path of the command's program, or empty.
        command: Base name of it.
        sponsor: Who answers for it, as the person who starts it says, or empty.
        purpose: What it is for, or empty.
        host: The launcher's process, which stays above it.
        above: That process's ancestors, nearest first.
        uid: User id of the launcher.
    """

    charter: str
    cwd: str
    home: str
    program: str
    command: str
    host: process.ProcessFacts
    above: tuple[process.ProcessFacts, ...]
    uid: int
    sponsor: str = ""
    purpose: str = ""


class Launching:
    """Brings agents into being that a launcher starts, and records their ends."""

    def __init__(
        self,
        *,
        scribe: Scribe,
        state: State,
        enrolment: Enrolment,
        people: Pseudonyms,
        gate: Gate,
        results: Results,
        sponsor: str,
    ) -> None:
        """Wire it.

        Args:
            scribe: Writes events.
            state: What is true now.
            enrolment: Knows charters, and ends agents.
            people: Pseudonyms.
            gate: Judges the spawning of a child.
            results: Records that it came back.
            sponsor: Configured sponsor, or empty.
        """
        self._scribe = scribe
        self._state = state
        self._enrolment = enrolment
        self._people = people
        self._gate = gate
        self._results = results
        self._sponsor = sponsor

    def parent_of(self, launch: Launch) -> Agent | None:
        """Return the agent from whose process tree it is started; None if a person starts it."""
        return self._state.registry.nearest_ancestor_agent((launch.host, *launch.above))

    async def bear(self, launch: Launch, parent: Agent | None, held: Held) -> AgentBorn:
        """Record the birth and return it, durable.

        Raises:
            RefusedError: Its parent may not have it, or a lever keeps such agents from being born.
        """
        if parent is None:
            return await self._bear(launch, None, held)
        call = await self._permitted(launch, parent)
        ok = False
        try:
            event = await self._bear(launch, parent, held)
            ok = True
        finally:  # The child runs on, and its end is an event of its own.
            self._results.came_back(call, parent, "ran", ok=ok)
        return event

    async def _bear(self, launch: Launch, parent: Agent | None, held: Held) -> AgentBorn:
        repo = place.repository(launch.cwd, home=launch.home)
        account = place.host_account(launch.home)
        human = launch.sponsor or place.sponsor(
            configured=self._sponsor, human=repo.human, uid=launch.uid, account=account
        )
        identifier = agent_id()
        exe = file_digest(launch.program, HOT) if launch.program else ""
        attested = process.attest(
            launch.host, uid=launch.uid, above=launch.above, exe=exe, head=(repo.commit, repo.branch)
        )
        wish = Wish(
            agent=identifier,
            now=self._scribe.now(),
            door=DOOR,
            session=identifier,
            how="run",
            charter=launch.charter,
            purpose=redact(launch.purpose, self._scribe.key),
            sponsor=self._people.of(human),
            labels=tuple(sorted(self._state.flow.labels_of(parent.id))) if parent is not None else (),
            attested=msgspec.structs.replace(attested, argv0=launch.command),
        )
        birth = plan_birth(wish, self._enrolment.terms, parent=parent)
        check_birth(birth, parent, self._state, self._scribe.now())
        root = repo.root or launch.cwd
        private = {"home": launch.home, "repo": root, "cwd": launch.cwd, "hostname": os.uname().nodename}
        if self._people.of(human) == birth.sponsor:
            private["sponsor"] = human
        private |= {"human": place.os_user(launch.uid), "account": account, "exe": launch.program}
        event = self._scribe.write(
            AgentBorn,
            told_by=f"{DOOR}:{identifier}",
            beside=Beside(entities=_entities(identifier, launch, root, exe, repo.commit), private=private),
            seal=True,
            held=held,
            unmeasured=self._enrolment.unmeasured(birth),
            **birth.fields(),
        )
        if launch.program and not exe:
            digest_file_later(launch.program)  # For the next one of this command.
        await self._scribe.durable(event)
        return event

    async def end(self, agent: Agent, how: str, detail: str) -> AgentEnded | None:
        """Record the end of an agent and of what still lives in its sessions; None if it had ended."""
        registry = self._state.registry
        for child in reversed(registry.subtree(agent.id)):
            if not child.ended and child.how in {"subagent", "descendant"}:
                self._enrolment.end(child, "completed" if how == "completed" else how, "with its parent's command")
        known = registry.by_id(agent.id)
        if known is None or known.ended:
            return None
        event = self._enrolment.end(agent, how, detail)
        await self._scribe.durable(event)
        return event

    async def _permitted(self, launch: Launch, parent: Agent) -> Call:
        """Return the call by which an agent starts such a child, which the gate let through.

        Raises:
            RefusedError: It says no; or a person would have to be asked, and none is there.
        """
        inside = place.repository(parent.cwd, home=parent.home).root or parent.cwd
        where = place.repository(launch.cwd, home=launch.home).root or launch.cwd
        if inside != where and not where.startswith(inside.rstrip("/") + "/"):
            raise RefusedError(
                f"agent {parent.id} works in another directory, and its child's rules would be read against this one",
                fix="Start it in the parent's repository.",
            )
        call = Call(
            door=DOOR,
            session=parent.session,
            host_agent=parent.host_agent,
            call_id=f"run-{agent_id()}",
            tool="spawn",
            name="outrider run",
            args={"subagent_type": launch.charter, "prompt": launch.purpose},
            cwd=parent.cwd,
        )
        asked = m.CallAsked(door=DOOR, session=parent.id, event="run", cwd=parent.cwd, call=call)
        answer = await self._gate.judge(asked, call, parent)
        if answer.verdict in {"deny", "ask"}:
            raise RefusedError(answer.reason, fix="A person can start it from a terminal of their own.")
        return call


def _entities(identifier: str, launch: Launch, root: str, exe: str, commit: str) -> tuple[Entity, ...]:
    found = [Entity("is", "session", identifier), Entity("is", "pid", str(launch.host.pid))]
    found += [Entity("is", "repo", root)] if root else []
    found += [Entity("is", "digest", exe)] if exe else []
    found += [Entity("is", "commit", commit)] if commit else []
    return tuple(found)
