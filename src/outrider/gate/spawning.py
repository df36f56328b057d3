"""Children that an agent makes through Outrider itself: judged like any other call, and then born narrower.

A child's chain is its charter's line, then its narrowing, then its parent's whole chain; it ends with its parent or
with what it was handed, whichever is first. A child whose making was let through by a call that is still open (a shell
command that runs ``outrider spawn``) is not judged twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.charter.narrowing import narrowing
from outrider.detect.redact import redact
from outrider.errors import BadInputError, CharterError, RefusedError
from outrider.events import message as m
from outrider.events.call import Call
from outrider.identity import place, process
from outrider.identity.birth import Wish, plan_birth
from outrider.identity.ids import is_agent_id
from outrider.identity.tokens import Handed

if TYPE_CHECKING:
    from outrider.events.record import AgentBorn
    from outrider.gate.apply import Gate
    from outrider.gate.enrol import Enrolment
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.registry import Agent

DOOR = "spawn"


class Spawning:
    """Makes children."""

    def __init__(self, *, scribe: Scribe, state: State, enrolment: Enrolment, results: Results, gate: Gate) -> None:
        """Wire it.

        Args:
            scribe: Writes events.
            state: What is true now.
            enrolment: Records births.
            results: Closes the call that asked for the child.
            gate: Judges that call.
        """
        self._scribe = scribe
        self._state = state
        self._enrolment = enrolment
        self._results = results
        self._gate = gate

    async def spawn(
        self, parent: Agent, handed: Handed, host: process.ProcessFacts, *, cwd: str = "", token: str = ""
    ) -> AgentBorn:
        """Bring a child into being, bound to a process; return its birth, durable.

        Args:
            parent: Its parent.
            handed: What it is, and what is taken away from it.
            host: The process that it is.
            cwd: Where it works; its parent's place if empty.
            token: Revocation id of the token's block that made it, or empty.

        Raises:
            BadInputError: It cannot be such a child: its id or narrowing is malformed, or its charter unknown.
            RefusedError: Its parent may not have it.
        """
        if not is_agent_id(handed.agent):
            raise BadInputError(f"not an agent id: {handed.agent[:40]!r}")
        if self._state.registry.by_id(handed.agent) is not None:
            raise RefusedError(
                f"agent {handed.agent} was born already: a token makes one agent, once",
                fix="Make another token.",
                rule="identity.token",
            )
        if self._enrolment.terms(handed.charter) is None:
            raise BadInputError(f"there is no charter {handed.charter!r}", fix="`outrider charter list` lists them.")
        narrowed = self._narrowed(handed)
        asked = self._state.registry.open_spawn(parent.id, handed.charter)
        call = None
        if asked is None or handed.charter not in asked.spawns:
            call = await self._asked(parent, handed)
        try:
            event = self._bear(parent, handed, host, cwd=cwd, narrowed=narrowed, token=token)
            await self._scribe.durable(event)
        finally:
            if call is not None:
                self._closed(parent, call, handed.agent)
        return event

    def _bear(
        self, parent: Agent, handed: Handed, host: process.ProcessFacts, *, cwd: str, narrowed: str, token: str
    ) -> AgentBorn:
        home = process.home_of(host.pid) or place.os_home(host.uid)
        where = cwd or parent.cwd
        repo = place.repository(where, home=home) if where else place.RepoFacts()
        peer = m.Peer(pid=host.pid, uid=host.uid)
        above = process.ancestors(host.pid)
        wish = Wish(
            agent=handed.agent,
            now=self._scribe.now(),
            door=DOOR,
            session=handed.agent,
            how="spawn",
            charter=handed.charter,
            purpose=redact(handed.purpose, self._scribe.key),
            labels=self._state.flow.labels_of(parent.id),
            attested=self._enrolment.attest(host, above, peer, repo.root, repo),
            until=handed.expires,
            narrowed=narrowed,
            token=token,
        )
        birth = plan_birth(wish, self._enrolment.terms, parent=parent)
        places = (repo.root or where, where)
        return self._enrolment.bear(birth, parent, human="", home=home, places=places, host=host)

    def _narrowed(self, handed: Handed) -> str:
        if not (handed.may or handed.calls is not None or handed.spawns is not None):
            return ""
        try:
            text = narrowing(handed.may, calls=handed.calls, spawns=handed.spawns).canonical().decode()
        except CharterError as error:
            raise BadInputError(f"what is handed on is no narrowing: {error}", fix=error.fix) from error
        if redact(text, self._scribe.key) != text:
            raise BadInputError("what is handed on holds what looks like a secret, and the record keeps none")
        return text

    async def _asked(self, parent: Agent, handed: Handed) -> Call:
        """Let the gate judge the making of a child.

        Raises:
            RefusedError: It says no, or would ask a person, and none is there.
        """
        call = Call(
            door=DOOR,
            session=parent.session,
            host_agent=parent.host_agent,
            call_id=f"spawn-{handed.agent}",
            tool="spawn",
            name="outrider spawn",
            args={"subagent_type": handed.charter, "prompt": handed.purpose},
            cwd=parent.cwd,
        )
        asked = m.CallAsked(door=DOOR, session=parent.id, event="spawn", cwd=parent.cwd, call=call)
        answer = await self._gate.judge(asked, call, parent)
        if answer.verdict in {"deny", "ask"}:
            raise RefusedError(answer.reason, rule="spawn")
        return call

    def _closed(self, parent: Agent, call: Call, child: str) -> None:
        """Record that the making of a child came back: with the child's id, or with nothing."""
        ok = self._state.registry.by_id(child) is not None
        self._results.came_back(call, parent, "spawned", ok=ok)


def handed_of(value: object) -> Handed:
    """Return what a request hands on.

    Raises:
        BadInputError: It is not that.
    """
    try:
        return msgspec.convert(value, Handed)
    except msgspec.ValidationError as error:
        raise BadInputError(f"not what a child can be handed: {error}") from error
