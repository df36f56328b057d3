"""The one path of a message: who is it, what would it do, what do the charters say, record, answer.

Invariants, each of them a test:

- No answer to a call leaves before its decision is durable in the record.
- A call is judged on labels that include everything its agent was allowed before, because planning to appending runs
  in the agent's own lane.
- What goes wrong inside ends in a named ``error`` and in what the charter's ``undecided`` says, never in silence.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import msgspec

from outrider.effects import Place, resolve
from outrider.errors import OutriderError, RecordError, RefusedError
from outrider.events import message as m
from outrider.events.call import Call, Want
from outrider.events.codec import canonical, commit
from outrider.events.decision import Decision, RuleHit
from outrider.events.entities import entities_of_effects
from outrider.events.record import Beside, CallDecided, Counters, HostNoted, Prompted, Refusal
from outrider.gate import answers, study
from outrider.gate.clean import abbreviate, clean_host
from outrider.gate.gather import MAX_CONTENT, gather, look
from outrider.gate.judge import Judged, Setting, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outrider.events.call import Effect
    from outrider.gate.chains import Chains
    from outrider.gate.enrol import Enrolment
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.gate")

MAX_ID = 200
"""Longest id of a session or a sub-agent that a host may use."""


class Gate:
    """Takes messages from doors and answers them."""

    def __init__(
        self,
        *,
        scribe: Scribe,
        state: State,
        enrolment: Enrolment,
        results: Results,
        chains: Chains,
        workers: study.Workers,
        harmless_settings: Callable[[str, bytes], bool] = lambda _path, _content: False,
    ) -> None:
        """Wire a gate.

        Args:
            scribe: Writes events.
            state: What is true now.
            enrolment: Knows or makes the agent behind a message.
            results: Takes what comes back.
            chains: Binds charters.
            workers: For what is large.
            harmless_settings: Tells whether a changed host configuration file (path, content) leaves our hooks on.
        """
        self._scribe = scribe
        self._state = state
        self._enrolment = enrolment
        self._results = results
        self._chains = chains
        self._workers = workers
        self._harmless_settings = harmless_settings
        self._lanes: dict[str, asyncio.Lock] = {}

    async def handle(self, message: m.Message, peer: m.Peer) -> m.Answer:
        """Return the answer to a message; whatever goes wrong is an answer too."""
        try:
            if max(len(message.session), len(message.host_agent)) > MAX_ID:
                return self._failed(message, f"the host's id of the session is longer than {MAX_ID} characters")
            return await self._dispatch(message, peer)
        except RefusedError as error:
            return await self._refused(message, peer, error)
        except RecordError as error:
            log.exception("the record could not be written")
            return self._failed(message, f"this could not be recorded ({error})")
        except OutriderError as error:
            return self._failed(message, str(error))
        except Exception as error:  # The outer edge: a bug here must refuse, not crash into silence.
            log.exception("a message could not be handled")
            return self._failed(message, f"an internal error ({type(error).__name__})")

    async def _dispatch(self, message: m.Message, peer: m.Peer) -> m.Answer:  # noqa: PLR0911 - one return a kind
        if isinstance(message, m.CallAsked):
            return await self._asked(message, message.call, peer)
        if isinstance(message, m.PermissionAsked):
            return await self._asked(message, message.call, peer, permission=True)
        if isinstance(message, m.SettingsChanged):
            return await self._settings(message, peer)
        agent = await self._enrolment.agent_for(message, peer)
        if isinstance(message, m.CallReturned):
            return await self._returned(message, agent)
        if isinstance(message, m.SessionStarted):
            return m.Answer(context=self._enrolment.guidance(agent), event=agent.born_n)
        if isinstance(message, m.PromptSubmitted):
            return await self._prompted(message, agent)
        if isinstance(message, m.SubagentStarted):
            return m.Answer(context=self._enrolment.guidance(agent), event=agent.born_n)
        if isinstance(message, m.BatchReturned):
            self._results.batch(message, agent)
            return answers.SILENT
        if isinstance(message, m.SubagentStopped | m.SessionEnded):
            await self._scribe.durable(self._enrolment.ended(message, agent))
            return answers.SILENT
        assert isinstance(message, m.HostNote)
        self._scribe.write(
            HostNoted, agent=agent.id, told_by=source_of(message), event=message.event, known=message.known
        )
        return answers.SILENT

    async def _asked(self, message: m.Message, call: Call, peer: m.Peer, *, permission: bool = False) -> m.Answer:
        agent = await self._enrolment.agent_for(message, peer)
        place = Place(home=agent.home, repo=agent.repo, cwd=call.cwd or agent.cwd)
        async with self._lane(agent.id):
            started = time.perf_counter_ns()
            if study.weight(call.args) > study.LARGE:
                seen = await self._elsewhere(call, place)
            else:
                seen = study.study(call, place, self._scribe.key)
            facts = gather(seen.plan.wants)
            effects = resolve(seen.plan, facts, place)
            judged = self._decide(effects, seen, agent)
            event = self._record(message, call, effects, judged, seen, agent, permission=permission, started=started)
            trees = tuple(effect.value for effect in effects if effect.verb == "commit")
            if trees and event.decision.enforced in {"allow", "ask"}:
                self._results.expect_commit(agent.id, event.call, trees)
        await self._scribe.durable(event)
        return answers.answer(event, judged)

    def _decide(self, effects: Sequence[Effect], seen: study.Study, agent: Agent) -> Judged:
        counters = self._state.registry.counters(agent.id)
        spawns = sum(1 for effect in effects if effect.verb == "spawn")
        setting = Setting(
            chain=self._chains.of(agent),
            labels=self._state.flow.labels_of(agent.id),
            counters=Counters(calls=counters.calls + 1, spawns=counters.spawns + spawns, depth=agent.depth),
            mode=agent.mode,
            now=self._scribe.now(),
            agent=agent.id,
            paused=self._state.paused(self._scribe.now()),
        )
        judged = decide(effects, seen.findings, setting, self._state.flow.read_labels(effects))
        if agent.expires and self._scribe.now() > agent.expires:
            return _expired(judged, agent)
        return judged

    def _record(
        self,
        message: m.Message,
        call: Call,
        effects: Sequence[Effect],
        judged: Judged,
        seen: study.Study,
        agent: Agent,
        *,
        permission: bool,
        started: int,
    ) -> CallDecided:
        salt = os.urandom(32)
        beside = Beside(
            entities=entities_of_effects(effects, home=agent.home, key=self._scribe.key),
            prints=seen.prints,
            control=seen.control,
            salt=salt,
        )
        counters = self._state.registry.counters(agent.id)
        return self._scribe.write(
            CallDecided,
            agent=agent.id,
            told_by=source_of(message),
            beside=beside,
            seal=judged.decision.verdict != "allow",
            call=call.call_id[:200],
            tool=call.tool,
            name=call.name[:200],
            effects=tuple(_written(effect, agent.home) for effect in effects),
            findings=seen.findings,
            labels=judged.labels,
            adds=judged.adds if judged.decision.enforced == "allow" else (),
            counters=Counters(calls=counters.calls + 1, spawns=counters.spawns, depth=agent.depth),
            chain=agent.chain,
            decision=_abbreviated(judged.decision, agent.home),
            content=commit(canonical_or_text(call.args), salt),
            us=(time.perf_counter_ns() - started) // 1000,
            permission=permission,
        )

    async def _elsewhere(self, call: Call, place: Place) -> study.Study:
        try:
            return await self._workers.study(asyncio.get_running_loop(), call, place, self._scribe.key)
        except BrokenProcessPool:
            self._workers.broken()
            return await self._workers.study(asyncio.get_running_loop(), call, place, self._scribe.key)

    async def _returned(self, message: m.CallReturned, agent: Agent) -> m.Answer:
        async with self._lane(agent.id):
            if len(message.output) > study.LARGE:
                loop = asyncio.get_running_loop()
                reading = await self._workers.read(loop, message.output, self._scribe.key, agent.home)
            else:
                reading = study.read(message.output, self._scribe.key, agent.home)
            event = self._results.returned(message, agent, reading)
        await self._scribe.durable(event)
        return m.Answer(event=event.n)

    async def _prompted(self, message: m.PromptSubmitted, agent: Agent) -> m.Answer:
        salt = os.urandom(32)
        reading = study.read(message.prompt[: 1024 * 1024], self._scribe.key, agent.home)
        beside = Beside(entities=reading.named, prints=reading.prints, salt=salt)
        content = commit(message.prompt.encode("utf-8", "replace"), salt)
        event = self._scribe.write(Prompted, agent=agent.id, told_by=source_of(message), beside=beside, content=content)
        await self._scribe.durable(event)
        return m.Answer(event=event.n)

    async def _settings(self, message: m.SettingsChanged, peer: m.Peer) -> m.Answer:
        """Judge a host's question whether to take over a changed configuration file.

        A change that leaves our hooks as they are is nobody's business; any other is a write to that file, and the
        floor answers.
        """
        if message.path and self._harmless(message.path):
            agent = await self._enrolment.agent_for(message, peer)
            self._scribe.write(HostNoted, agent=agent.id, told_by=source_of(message), event=message.event)
            return answers.SILENT
        call = Call(
            door=message.door,
            session=message.session,
            host_agent=message.host_agent,
            call_id=f"settings-{message.source}",
            tool="settings",
            name=message.event,
            args={"path": message.path, "source": message.source},
            cwd=message.cwd,
        )
        return await self._asked(message, call, peer)

    def _harmless(self, path: str) -> bool:
        fact = look(Want(path=path, content_limit=MAX_CONTENT))
        return fact.content is not None and self._harmless_settings(path, fact.content)

    async def _refused(self, message: m.Message, peer: m.Peer, error: RefusedError) -> m.Answer:
        """Record that a message was not believed; a call among them is denied."""
        event = self._scribe.write(
            Refusal, reason=str(error)[:300], claimed=message.session[:100], pid=peer.pid, seal=True
        )
        await self._scribe.durable(event)
        if isinstance(message, m.CallAsked | m.PermissionAsked | m.SettingsChanged):
            reason = f"Outrider: {error} [identity.not-yours]\nRecorded as event {event.n}."
            return m.Answer(verdict="deny", reason=reason, event=event.n)
        return answers.SILENT

    def _failed(self, message: m.Message, why: str) -> m.Answer:
        if isinstance(message, m.CallAsked | m.PermissionAsked | m.SettingsChanged):
            return answers.could_not(why)
        return answers.SILENT

    def _lane(self, agent_id: str) -> asyncio.Lock:
        lane = self._lanes.get(agent_id)
        if lane is None:
            lane = self._lanes[agent_id] = asyncio.Lock()
            if len(self._lanes) > 2 * len(self._state.registry.living()) + 64:
                living = {agent.id for agent in self._state.registry.living()}
                self._lanes = {k: v for k, v in self._lanes.items() if k in living or v.locked() or k == agent_id}
        return lane


def source_of(message: m.Message) -> str:
    """Return the source that a message counts for: its door and session."""
    return f"{message.door}:{message.session}"[:200]


def canonical_or_text(value: object) -> bytes:
    """Return canonical JSON of a host's arguments; text that has no UTF-8 form is replaced, so that it hashes."""
    try:
        return canonical(value)
    except (UnicodeEncodeError, msgspec.EncodeError, RecursionError):
        return repr(value).encode("utf-8", "replace")


def _written(effect: Effect, home: str) -> Effect:
    if effect.kind == "path" or (effect.kind == "repo" and effect.value.startswith("/")):
        return msgspec.structs.replace(
            effect,
            value=abbreviate(effect.value, home)[:4096],
            resolved=abbreviate(effect.resolved, home)[:4096],
        )
    if effect.kind == "host":
        return msgspec.structs.replace(effect, value=clean_host(effect.value)[:512])
    return msgspec.structs.replace(effect, value=effect.value[:512]) if len(effect.value) > 512 else effect


def _abbreviated(decision: Decision, home: str) -> Decision:
    if not decision.hits or not home or home == "/":
        return decision
    hits = tuple(
        msgspec.structs.replace(
            hit,
            reason=hit.reason.replace(home + "/", "~/")[:400],
            advice=hit.advice.replace(home + "/", "~/")[:400],
            unlock=hit.unlock.replace(home + "/", "~/")[:400],
        )
        for hit in decision.hits
    )
    return msgspec.structs.replace(decision, hits=hits)


def _expired(judged: Judged, agent: Agent) -> Judged:
    hit = RuleHit(
        rule="identity.expired",
        verdict="deny",
        charter=agent.charter,
        digest=agent.digest,
        reason="this agent's life is over: its charter gives it a time to live, and that has passed",
        advice="finish by telling your user what is left to do; a new session gets a new life",
    )
    decision = Decision(verdict="deny", enforced="deny", hits=(hit, *judged.decision.hits)[:16], mode=agent.mode)
    return msgspec.structs.replace(judged, decision=decision)
