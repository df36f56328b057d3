"""Knows the agent behind a message, or brings it into being: the birth is in the record before anything else of it.

:mod:`outrider.identity.binding` says what has to happen, purely; this writes it down and asks again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Protocol

from outrider.charter.narrow import effective
from outrider.errors import BadInputError, CharterError, UndecidedError
from outrider.events import message as m
from outrider.events.attestation import Attestation
from outrider.events.counters import Counters
from outrider.events.record import (
    AgentAttested,
    AgentBorn,
    AgentEnded,
    AgentResumed,
    AgentRolled,
    Beside,
    Entity,
    HostNoted,
    LabelsJoined,
    SessionJoined,
)
from outrider.gate.guidance import guidance
from outrider.gate.stack import stack, taught
from outrider.gate.standing import check_birth, check_budget, check_return, stopped
from outrider.gate.usage import UNMETERED, unmeasured
from outrider.identity import binding, place, process
from outrider.identity.agent import Agent
from outrider.identity.birth import UNCLAIMED, Terms, Wish, plan_birth
from outrider.identity.digest import digest_later, exe_digest
from outrider.identity.ids import agent_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.charter.model import Charter
    from outrider.events.call import Label
    from outrider.events.event import Event
    from outrider.gate.chains import Chains
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.gate.usage import Meters
    from outrider.identity.binding import Unborn
    from outrider.identity.birth import Birth
    from outrider.identity.people import Pseudonyms
    from outrider.identity.registry import Intent

    RepositoryCharter = Callable[[str], tuple[str, str] | None]

_STEPS = 4
"""Main agent, resumption, sub-agent, known: the most it takes to know somebody."""


class Charters(Protocol):
    """The charters in force."""

    def line(self, name: str) -> tuple[Charter, ...]:
        """Return a charter and all that it extends; raise CharterError if there is none."""


def _nobody_listens(_agent: Agent, _message: m.Message) -> None:
    """Nothing."""


class Enrolment:
    """Births, resumptions and ends as hosts bring them.

    Attributes:
        heard: Told of each message that is believed, and whose it is.
    """

    def __init__(
        self,
        *,
        scribe: Scribe,
        state: State,
        shelf: Charters,
        chains: Chains,
        results: Results,
        people: Pseudonyms,
        sponsor: str = "",
        repository_charter: RepositoryCharter = lambda _path: None,
        unattested: bool = False,
        meters: Meters = UNMETERED,
    ) -> None:
        """Wire it.

        Args:
            scribe: Writes events.
            state: What is true now.
            shelf: Charters in force.
            chains: Binds charters.
            results: Joins a child's labels to its parent's.
            people: Pseudonyms.
            sponsor: Configured sponsor, or empty.
            repository_charter: ``(charter, mode)`` that a path is set up with, or None.
            unattested: Whether messages over HTTP are believed.
            meters: Tell what hosts tell of what their agents use.
        """
        self._meters = meters
        self.heard: Callable[[Agent, m.Message], None] = _nobody_listens
        self._scribe = scribe
        self._state = state
        self._shelf = shelf
        self._chains = chains
        self._results = results
        self._people = people
        self._sponsor = sponsor
        self._repository_charter = repository_charter
        self._unattested = unattested
        self._boot = process.boot_id()
        self._late: dict[str, tuple[int, int]] = {}

    async def agent_for(self, message: m.Message, peer: m.Peer) -> Agent:
        """Return the agent that a message is from; what had to be recorded for that is durable.

        Raises:
            RefusedError: The message is not believed.
            UndecidedError: Nobody could be born.
        """
        for _ in range(_STEPS):
            standing = binding.who(
                self._state.registry,
                peer,
                binding.Claim(
                    door=message.door,
                    session=message.session,
                    what=_what(message),
                    host_agent=message.host_agent,
                    agent_type=message.agent_type if isinstance(message, m.SubagentStarted) else "",
                ),
                binding.Moment(now=self._scribe.now(), boot=self._boot, unattested=self._believed(peer)),
            )
            if isinstance(standing, binding.Known):
                self.heard(standing.agent, message)
                return standing.agent
            event: Event
            if isinstance(standing, binding.Returning):
                event = self._resumed(standing, peer)
            elif isinstance(standing, binding.Joining):
                event = self._joined(message, standing, peer)
            else:
                event = self._born(message, standing, peer)
            await self._scribe.durable(event)
        raise UndecidedError("the agent behind this message could not be told")

    def _believed(self, peer: m.Peer) -> bool:
        """Tell whether a sender is believed that has no process: over HTTP, not from where we cannot see processes."""
        return self._unattested and (peer.pid > 0 or peer.uid < 0)

    def ended(self, message: m.SubagentStopped | m.SessionEnded, agent: Agent) -> Event:
        """Record the end of a sub-agent, or of a session with every sub-agent it still has."""
        registry = self._state.registry
        if isinstance(message, m.SubagentStopped):
            if not agent.host_agent or agent.ended:
                return self._note(message, agent)
            return self.end(agent, "completed", message.event)
        for member in registry.members(message.door, message.session):
            if not member.ended and member.host_agent:
                self.end(member, "completed", "with its session")
        main = registry.by_session(message.door, message.session) or agent
        # An agent that `outrider run` started ends with its command, which may hold more sessions than this one.
        over = main.ended or main.how == "run"
        return self._note(message, agent) if over else self.end(main, "completed", message.reason[:60])

    def end(self, agent: Agent, how: str, detail: str) -> AgentEnded:
        """Record that an agent is gone. What its context carried may have come back to its parent."""
        parent = self._state.registry.by_id(agent.parent)
        if parent is not None and not parent.ended:
            self._results.join(agent, parent)
        self._chains.forget(agent.id)
        return self._scribe.write(AgentEnded, agent=agent.id, how=how, detail=detail)

    def guidance(self, agent: Agent) -> str:
        """Return what an agent is told at its start."""
        hit = stopped(agent, self._state, self._scribe.now())
        if hit is not None:
            return f"Outrider: {hit.reason}. Every call will be refused: {hit.advice}. [{hit.rule}]"
        return guidance(agent, self._chains.charter(agent.digest), taught(stack(agent.repo)))

    def _note(self, message: m.Message, agent: Agent) -> HostNoted:
        source = f"{message.door}:{message.session}"[:200]
        return self._scribe.write(HostNoted, agent=agent.id, told_by=source, event=message.event)

    def _resumed(self, standing: binding.Returning, peer: m.Peer) -> Event:
        agent = standing.agent
        check_return(agent, self._state, self._scribe.now())
        attested = agent.attested
        if standing.host is not None:
            attested = self.attest(standing.host, standing.above, peer, agent.repo)
        event: Event = self._scribe.write(AgentResumed, agent=agent.id, attested=attested, seal=True)
        if standing.under is not None:
            labels = self._state.flow.labels_of(standing.under.id)
            if labels:
                event = self._scribe.write(LabelsJoined, agent=agent.id, labels=labels, origin_agent=standing.under.id)
        return event

    def _joined(self, message: m.Message, joining: binding.Joining, peer: m.Peer) -> SessionJoined:
        attested = self.attest(joining.host, joining.above, peer, joining.agent.repo)
        return self._scribe.write(
            SessionJoined,
            agent=joining.agent.id,
            told_by=f"{message.door}:{message.session}"[:200],
            beside=Beside(entities=(Entity("is", "session", message.session), Entity("is", "pid", str(attested.pid)))),
            door=message.door,
            session=message.session,
            attested=attested,
            seal=True,
        )

    def _born(self, message: m.Message, unborn: Unborn, peer: m.Peer) -> AgentBorn:
        parent = unborn.parent
        host = unborn.host
        user = peer.uid if peer.uid >= 0 else os.getuid()  # Over HTTP: whoever has the token, and that is our user's.
        home = self._home(host, parent, user)
        cwd = message.cwd or (parent.cwd if parent else "")
        repo = place.repository(cwd, home=home) if cwd else place.RepoFacts()
        if host is None:
            attested = parent.attested if parent else Attestation(uid=peer.uid)
        else:
            attested = self.attest(host, unborn.above, peer, repo.root, repo)
        account = place.host_account(home)
        human = place.sponsor(configured=self._sponsor, human=repo.human, uid=user, account=account)
        root = repo.root or cwd
        configured = self._repository_charter(root) if root else None
        wish = Wish(
            agent=agent_id(),
            now=self._scribe.now(),
            door=message.door,
            session=message.session,
            how=unborn.how,
            host_agent=unborn.host_agent,
            agent_type=message.agent_type if isinstance(message, m.SubagentStarted) else "",
            sponsor=self._people.of(human),
            repo_charter=configured[0] if configured else "",
            repo_mode="observe" if configured and configured[1] == "observe" else "enforce" if configured else "",
            labels=self._inherited(parent, unborn.before),
            attested=attested,
        )
        birth = plan_birth(
            wish,
            self.terms,
            parent=parent,
            asked=self._asked(parent, wish),
            default=UNCLAIMED,
        )
        return self.bear(birth, parent, human=human, home=home, places=(root, cwd), host=host)

    def bear(
        self,
        birth: Birth,
        parent: Agent | None,
        *,
        human: str,
        home: str,
        places: tuple[str, str],
        host: process.ProcessFacts | None,
    ) -> AgentBorn:
        """Record a planned birth.

        Args:
            birth: What was planned.
            parent: Its parent.
            human: Name of whoever answers for it.
            home: Its home.
            places: Root of its repository (or where it works), and where it works.
            host: Its host process.

        Raises:
            RefusedError: A lever or its parent's budget keeps it from being born.
        """
        check_birth(birth, parent, self._state, self._scribe.now())
        if parent is not None and parent.mode == "enforce":
            budget = effective([self._chains.charter(digest) for digest in parent.chain]).budget
            check_budget(parent, budget, self._state, parent.charter)
        root, cwd = places
        user = birth.attested.uid if birth.attested.uid >= 0 else os.getuid()
        account = place.host_account(home)
        private = {"home": home, "repo": root, "cwd": cwd, "hostname": os.uname().nodename}
        if self._people.of(human) == birth.sponsor:
            private["sponsor"] = human  # A child answers to its parent's sponsor, whose name lies beside that birth.
        private |= {"human": place.os_user(user), "account": account, "exe": host.exe if host else ""}
        if host is not None and not birth.attested.exe and digest_later(host.pid) is not None:
            self._late[birth.agent] = (host.pid, host.start)
        return self._scribe.write(
            AgentBorn,
            told_by=f"{birth.door}:{birth.session}"[:200],
            beside=Beside(entities=_born_entities(birth.fields(), root), private=private),
            seal=True,
            unmeasured=self.unmeasured(birth),
            **birth.fields(),
        )

    def unmeasured(self, one: Birth | Agent) -> tuple[str, ...]:
        """Return the limits of an agent's budget, or of one about to be born, that nobody measures."""
        known = [self._chains.charter(digest) for digest in one.chain if digest in self._state.charters]
        used = self._state.registry.counters(one.id) if isinstance(one, Agent) else Counters()
        return unmeasured(effective(known).budget, self._meters.reports(one.door), used)

    def roll(self, name: str) -> list[AgentRolled]:
        """Move the living agents of a charter to its version in force, and record each; parents come first.

        A child stays within its parent's chain whatever its own charter now says. An agent keeps its life and mode,
        unless it was observed only because its charter was.

        Raises:
            BadInputError: There is no such charter in force.
        """
        terms, stale = self.stale(name)
        registry = self._state.registry
        moved = []
        for agent in stale:
            event = self._scribe.write(
                AgentRolled,
                agent=agent.id,
                charter=name,
                digest=terms.line[0],
                line=terms.line,
                before=agent.digest,
                mode=self._mode_after(agent, terms),
                seal=True,
            )
            moved.append(event)
            for one in (agent, *registry.subtree(agent.id)):
                self._chains.forget(one.id)
        return moved

    def stale(self, name: str) -> tuple[Terms, list[Agent]]:
        """Return a charter as it is in force, and the living agents of it that stand under another version.

        Raises:
            BadInputError: There is no such charter in force.
        """
        terms = self.terms(name)
        if terms is None:
            raise BadInputError(f"there is no charter {name!r} in force", fix="`outrider charter list` lists them.")
        living = [agent for agent in self._state.registry.living() if agent.charter == name]
        found = [agent for agent in living if agent.chain[: len(terms.line)] != terms.line]
        return terms, sorted(found, key=lambda agent: agent.born_n)

    def _mode_after(self, agent: Agent, terms: Terms) -> Literal["enforce", "observe"]:
        """Return the mode of an agent after a roll: a preview stays one, all else goes by the charter, if stricter."""
        if agent.mode == "enforce" or terms.mode == "observe":
            return agent.mode
        preview = self._chains.charter(agent.digest).mode != "observe"
        return "observe" if preview else "enforce"

    def terms(self, name: str) -> Terms | None:
        """Return what a birth needs to know of a charter; None if there is none in force."""
        try:
            line = self._shelf.line(name)
        except CharterError:
            return None
        if any(charter.digest not in self._state.charters for charter in line):
            return None
        settings = effective(line)
        return Terms(
            name=name,
            line=tuple(charter.digest for charter in line),
            ttl=settings.ttl * 1_000_000,
            mode=settings.mode,
        )

    def attest_late(self) -> None:
        """Record the digests of executables that were too large to be known at a birth, once they are."""
        for agent, (pid, start) in list(self._late.items()):
            exe = exe_digest(pid, 0) if process.alive(pid, start) else ""
            if exe:
                beside = Beside(entities=(Entity("is", "digest", exe),))
                self._scribe.write(AgentAttested, agent=agent, beside=beside, exe=exe)
            if exe or not process.alive(pid, start):
                del self._late[agent]

    def _asked(self, parent: Agent | None, wish: Wish) -> Intent | None:
        if parent is None:
            return None
        registry = self._state.registry
        return registry.open_spawn(parent.id, wish.agent_type) or registry.open_spawn(parent.id)

    def _inherited(self, parent: Agent | None, before: Agent | None) -> tuple[Label, ...]:
        flow = self._state.flow
        held = set(flow.labels_of(parent.id)) if parent else set()
        if before is not None:
            held.update(flow.labels_of(before.id))
        return tuple(sorted(held))

    @staticmethod
    def _home(host: process.ProcessFacts | None, parent: Agent | None, user: int) -> str:
        if host is None:
            return parent.home if parent else place.os_home(user)
        return process.home_of(host.pid) or place.os_home(user)

    @staticmethod
    def attest(
        host: process.ProcessFacts,
        above: tuple[process.ProcessFacts, ...],
        peer: m.Peer,
        root: str,
        repo: place.RepoFacts | None = None,
    ) -> Attestation:
        """Return what the kernel and git can say of a host process."""
        exe = exe_digest(host.pid)
        head = (repo.commit, repo.branch) if repo else place.head_of(root) if root else ("", "")
        return process.attest(host, uid=peer.uid, above=above, exe=exe, head=head)


def _what(message: m.Message) -> binding.What:
    if isinstance(message, m.SessionStarted):
        return "start"
    if isinstance(message, m.CallReturned | m.BatchReturned | m.SubagentStopped | m.SessionEnded | m.HostNote):
        return "report"
    return "call"


def _born_entities(fields: dict[str, object], root: str) -> tuple[Entity, ...]:
    attested = fields["attested"]
    assert isinstance(attested, Attestation)
    found = [Entity("is", "session", str(fields["session"]))]
    if attested.pid:
        found.append(Entity("is", "pid", str(attested.pid)))
    if attested.exe:
        found.append(Entity("is", "digest", attested.exe))
    if root:
        found.append(Entity("is", "repo", root))
    if attested.commit:
        found.append(Entity("is", "commit", attested.commit))
    return tuple(found)
