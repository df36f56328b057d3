"""The one path of a message: who is it, what would it do, what do the charters say, record, answer.

Invariants, each of them a test:

- No answer to a call leaves before its decision is durable in the record.
- A call is judged on labels that include everything its agent was allowed before, because planning to appending runs
  in the agent's own lane.
- What goes wrong inside ends in a named ``error`` and in what the charter's ``undecided`` says, never in silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.ruling import settings_of
from outrider.detect.dependencies.known import SHIPPED, Facts
from outrider.effects import Place, resolve
from outrider.errors import OutriderError, RecordError, RefusedError
from outrider.events import message as m
from outrider.events.call import Call, Label, Want
from outrider.events.codec import commit
from outrider.events.counters import Counters, Used
from outrider.events.entities import entities_of_effects
from outrider.events.record import Beside, CallDecided, HostNoted, Prompted, Refusal
from outrider.flow.labels import prompt_brings
from outrider.gate import answers, study
from outrider.gate.asks import Made, settle
from outrider.gate.clean import clean_message, cut
from outrider.gate.gather import MAX_CONTENT, gather, look
from outrider.gate.judge import Judged, Setting, decide
from outrider.gate.keeping import JSON, TEXT, Raw
from outrider.gate.lanes import Lanes
from outrider.gate.names import through_second_names
from outrider.gate.provenance import told_of
from outrider.gate.recorded import abbreviated, written
from outrider.gate.results import hidden, secrets_of
from outrider.gate.second_looks import look_again, passed, tells
from outrider.gate.standing import EXPIRED, observed, refuse, stopped
from outrider.gate.unjudged import Unjudged
from outrider.gate.usage import UNMETERED, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from outrider.events.call import Effect, PathFact
    from outrider.gate.chains import Chains
    from outrider.gate.enrol import Enrolment
    from outrider.gate.results import Results
    from outrider.gate.scribe import Scribe
    from outrider.gate.second_looks import Passed
    from outrider.gate.state import State
    from outrider.gate.usage import Meters
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.gate")

_STOPS = (m.CallAsked, m.PermissionAsked, m.SettingsChanged)
"""The messages whose answer decides."""

_SAYS_NOTHING = frozenset({"write", "edit", "settings", "prompt"})
"""Tools whose results only repeat what the agent gave them."""

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
        names: Facts = SHIPPED,
        second_look: Callable[[Passed], None] | None = None,
        meters: Meters = UNMETERED,
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
            names: What is known of names of packages.
            second_look: Takes the texts that calls which were let through write; None where nobody looks again.
            meters: Tell what agents have used by their hosts' word.
        """
        self._meters = meters
        self._second_look = second_look
        self._scribe = scribe
        self._state = state
        self._enrolment = enrolment
        self._results = results
        self._chains = chains
        self._workers = workers
        self._harmless_settings = harmless_settings
        self._names = names
        self._unjudged = Unjudged(scribe, state, chains)
        self._lanes = Lanes()

    async def handle(self, message: m.Message, peer: m.Peer) -> m.Answer:
        """Return the answer to a message; whatever goes wrong is an answer too."""
        try:
            if max(len(message.session), len(message.host_agent)) > MAX_ID:
                why = f"the host's id of the session is longer than {MAX_ID} characters"
                return await self._failed(message, peer, why)
            message = clean_message(message, self._scribe.key)
            try:
                return await self._dispatch(message, peer)
            except RefusedError as error:
                return await self._refused(message, peer, error)
        except RecordError as error:
            log.exception("the record could not be written")
            return self._undecided(message, f"this could not be recorded ({error})", "deny")
        except OutriderError as error:
            return await self._failed(message, peer, str(error))
        except Exception as error:  # The outer edge: a bug here must refuse, not crash into silence.
            log.exception("a message could not be handled")
            return await self._failed(message, peer, f"an internal error ({type(error).__name__})")

    def take_names(self, names: Facts) -> None:
        """Let what is known of names of packages be this from now on."""
        self._names = names

    async def unreadable(self, door: str, event: str, why: str, peer: m.Peer, *, stops: bool) -> m.Answer:
        """Record input that no door could read, and return the answer of the agent that it came from.

        Args:
            door: The door that it was meant for.
            event: The host's name of the event.
            why: What is wrong with it.
            peer: The sender.
            stops: Whether the host waits for a decision.
        """
        try:
            agent = self._unjudged.agent_of(peer)
            verdict = self._unjudged.undecided(agent) if stops else ""
            n = await self._unjudged.record(
                "unreadable",
                why,
                door=door,
                event=event,
                agent=agent.id if agent else "",
                pid=peer.pid,
                answered=verdict,
            )
        except OutriderError as error:
            log.warning("unreadable input could not be recorded: %s", error)
            return answers.could_not(f"{why}, and that could not be recorded ({error})")
        return answers.could_not(why, verdict, n) if stops else answers.SILENT

    async def came_early(self, door: str, event: str, pid: int, answered: str) -> None:
        """Record a question that came before there was a gate.

        Raises:
            RecordError: It could not be written.
        """
        why = "it came while the daemon was starting"
        await self._unjudged.record("unjudged", why, door=door, event=event, agent="", pid=pid, answered=answered)

    async def _dispatch(self, message: m.Message, peer: m.Peer) -> m.Answer:  # noqa: PLR0911 - one return a kind
        if isinstance(message, m.CallAsked):
            return await self._asked(message, message.call, peer)
        if isinstance(message, m.PermissionAsked):
            return await self._asked(message, message.call, peer, permission=True)
        if isinstance(message, m.SettingsChanged):
            return await self._settings(message, peer)
        agent = await self._enrolment.agent_for(message, peer)
        if isinstance(message, m.CallReturned):
            return await self._returned(message, agent, peer)
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
        return await self.judge(message, call, await self._enrolment.agent_for(message, peer), permission=permission)

    async def judge(self, message: m.Message, call: Call, agent: Agent, *, permission: bool = False) -> m.Answer:
        """Judge a call of a known agent, record it, and return the answer.

        Args:
            message: What the call came in.
            call: The call.
            agent: Whose it is.
            permission: True for the host's own permission prompt.
        """
        place = Place(home=agent.home, repo=agent.repo, cwd=call.cwd or agent.cwd, guards=(os.getpid(),))
        salt = os.urandom(32)
        async with self._lanes.of(agent.id):
            started = time.perf_counter_ns()
            large = study.weight(call.args) > study.LARGE
            if large:
                seen = await self._workers.study(asyncio.get_running_loop(), call, place, self._scribe.key, salt)
            else:
                seen = study.study(call, place, self._scribe.key, salt)
            facts = gather(seen.plan.wants)
            seen = await self._inspected(call, seen, facts, agent, large=large)
            added = study.names(call, seen.plan, facts, self._names)
            found = study.let_be(
                call, seen.plan, facts, (*seen.findings, *added), repo=agent.repo, now=self._scribe.now(),
                look_up=gather,
            )  # fmt: skip
            seen = msgspec.structs.replace(seen, findings=found) if found else seen
            effects = study.settled(resolve(seen.plan, facts, place), seen.plan, facts, self._names)
            effects = through_second_names(effects, lambda: self._chains.bindings(agent))
            counters = await self._counters(message, agent, effects)
            judged = self._decide(effects, seen, agent, call, counters, permission=permission)
            later = self._state.untold.note(agent.id, self._chains.of(agent))
            event = self._record(
                message, call, effects, judged, seen, agent, salt, counters, permission=permission, started=started
            )
            self._state.asks.show(event, call, self._scribe.key)
            trees = tuple(effect.value for effect in effects if effect.verb == "commit")
            if trees and event.decision.enforced in {"allow", "ask"}:
                self._results.expect_commit(agent.id, event.call, trees)
        await self._scribe.durable(event)
        if self._second_look is not None and tells(event) and study.writes(call, seen.plan):
            look_again(self._second_look, passed(event, call, seen.plan, facts, agent), large=large)
        return answers.answer(event, judged, later if tells(event) else "", self._chains.contact(agent))

    async def _inspected(
        self, call: Call, seen: study.Study, facts: Mapping[str, PathFact], agent: Agent, *, large: bool
    ) -> study.Study:
        """Return the study together with what the code that the call writes is found to hold."""
        if not study.writes(call, seen.plan):
            return seen
        persona = settings_of(self._chains.of(agent)).persona
        if large or any(fact.content and len(fact.content) > study.LARGE for fact in facts.values()):
            loop = asyncio.get_running_loop()
            findings, looked = await self._workers.inspect(loop, call, seen.plan, facts, self._scribe.now(), persona)
        else:
            findings, looked = study.inspect(call, seen.plan, facts, self._scribe.now(), persona)
        return msgspec.structs.replace(seen, findings=(*seen.findings, *findings), looked=looked)

    async def _counters(self, message: m.Message, agent: Agent, effects: Sequence[Effect]) -> Counters:
        """Return what an agent has used up, this call included; its host is only believed to have used more."""
        before = self._state.registry.counters(agent.id)
        limited = wanted(settings_of(self._chains.of(agent)).budget)
        used = await self._meters.used(agent.id, message) if limited else Used()
        return Counters(
            calls=before.calls + 1,
            spawns=before.spawns + sum(1 for effect in effects if effect.verb == "spawn"),
            depth=agent.depth,
            tokens=max(before.tokens, used.tokens),
            cost=max(before.cost, used.cost),
        )

    def _decide(
        self,
        effects: Sequence[Effect],
        seen: study.Study,
        agent: Agent,
        call: Call,
        counters: Counters,
        *,
        permission: bool,
    ) -> Judged:
        setting = Setting(
            chain=self._chains.of(agent),
            labels=self._state.flow.labels_of(agent.id),
            counters=counters,
            mode="observe" if self._previews(agent) else "enforce",
            now=self._scribe.now(),
            agent=agent.id,
            held=agent.held,
            paused=self._state.paused(self._scribe.now()),
        )
        flow = self._state.flow
        told = told_of(call, seen.given, flow, agent.id, (agent.home, self._scribe.key))
        judged = decide(effects, seen.findings, setting, flow.read_labels(effects), told)
        hit = stopped(agent, self._state, self._scribe.now())
        if hit is not None or judged.decision.enforced != "ask":
            return refuse(judged, hit, agent) if hit is not None else judged
        made = Made(agent.id, call, tuple(written(one, agent.home, self._scribe.key) for one in effects))
        asks = self._state.asks
        return settle(judged, made, asks, settings_of(setting.chain), setting.now, permission=permission)

    def _previews(self, agent: Agent) -> bool:
        """Tell whether an agent is only watched although its charter enforces.

        Where the charter itself observes, the charters above it still hold: an ``unclaimed`` agent is bound by base.
        """
        if agent.mode == "observe" and self._chains.charter(agent.digest).mode != "observe":
            return True
        return observed(agent, self._state, self._scribe.now())

    def _record(
        self,
        message: m.Message,
        call: Call,
        effects: Sequence[Effect],
        judged: Judged,
        seen: study.Study,
        agent: Agent,
        salt: bytes,
        counters: Counters,
        *,
        permission: bool,
        started: int,
    ) -> CallDecided:
        beside = Beside(
            entities=entities_of_effects(effects, home=agent.home, key=self._scribe.key),
            prints=seen.prints,
            control=seen.control,
            said=seen.said,
            salt=salt,
            private={"cwd": call.cwd} if judged.asked is not None else {},
        )
        shown = tuple(written(effect, agent.home, self._scribe.key) for effect in effects)
        passed = judged.decision.verdict == "allow" and not permission
        return self._scribe.write(
            CallDecided,
            agent=agent.id,
            told_by=source_of(message),
            beside=beside,
            raw=Raw("inputs", JSON, lambda: study.canonical_or_text(call.args)),
            seal=judged.decision.verdict != "allow",
            call=cut(call.call_id, 200, self._scribe.key),
            tool=call.tool,
            name=cut(call.name, 200, self._scribe.key),
            effects=shown,
            findings=(*seen.findings, *judged.sequences),
            looked=seen.looked,
            labels=judged.labels,
            values=judged.values,
            adds=judged.adds,  # Of an ask and a deny too: a person may say yes, and a host may not obey.
            counters=counters,
            chain=agent.chain,
            decision=abbreviated(judged.decision, effects, agent.home, self._scribe.key),
            content=seen.content,
            us=(time.perf_counter_ns() - started) // 1000,
            permission=permission,
            asked=judged.asked,
            corrects=self._state.corrections.corrects(agent.id, call.tool, shown, counters.calls) if passed else -1,
        )

    async def _returned(self, message: m.CallReturned, agent: Agent, peer: m.Peer) -> m.Answer:
        if message.child:
            await self._introduced(message, peer)
        async with self._lanes.of(agent.id):
            path = message.call.args.get("file_path", "") if message.call.tool == "read" else ""
            who: study.Who = "nobody" if message.call.tool in _SAYS_NOTHING else "tool"
            reading = await self._read(message.output, agent, path if isinstance(path, str) else "", who)
            event = self._results.returned(message, agent, reading)
        await self._scribe.durable(event)
        return m.Answer(event=event.n)

    async def _introduced(self, message: m.CallReturned, peer: m.Peer) -> None:
        """Let a sub-agent be born that a call has started in the background, while that call still says its class."""
        if self._state.registry.by_session(message.door, message.session, message.child) is not None:
            return
        asked = message.call.args.get("subagent_type")
        started = m.SubagentStarted(
            door=message.door,
            session=message.session,
            event=message.event,
            host_agent=message.child,
            cwd=message.cwd,
            agent_type=asked if isinstance(asked, str) else "",
        )
        with contextlib.suppress(RefusedError):  # Then its first own message is refused, too, and says why.
            await self._enrolment.agent_for(started, peer)

    async def _read(self, text: str, agent: Agent, path: str = "", who: study.Who = "user") -> study.Reading:
        given = (text, self._scribe.key, agent.home, path, who)
        if len(text) > study.LARGE:
            return await self._workers.read(asyncio.get_running_loop(), *given)
        return study.read(*given)

    async def _prompted(self, message: m.PromptSubmitted, agent: Agent) -> m.Answer:
        salt = os.urandom(32)
        reading = await self._read(message.prompt[: 1024 * 1024], agent)
        said = {**reading.said, **hidden(message.prompt, reading, self._scribe.key, opened=False)}
        entities = (*reading.named, *secrets_of(reading, "mentioned"))
        event = self._scribe.write(
            Prompted,
            agent=agent.id,
            told_by=source_of(message),
            beside=Beside(entities=entities, prints=reading.prints, salt=salt, said=said),
            content=commit(text := message.prompt.encode("utf-8", "replace"), salt),
            raw=Raw("prompts", TEXT, lambda: text),
            adds=tuple(Label(name, -1) for name in sorted(prompt_brings(reading.findings))),
        )
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
            Refusal,
            reason=cut(str(error), 300, self._scribe.key),
            claimed=cut(message.session, 100, self._scribe.key),
            pid=peer.pid,
            seal=True,
        )
        await self._scribe.durable(event)
        if isinstance(message, _STOPS):
            known = self._state.registry.by_session(message.door, message.session, message.host_agent)
            over = known is not None and (known.ended == "expired" or known.expires <= self._scribe.now())
            rule = error.rule or (EXPIRED if over else "identity.not-yours")
            what_now = f" {error.fix}" if error.rule and error.fix else ""
            reason = f"Outrider: {error}.{what_now} [{rule}]\nRecorded as event {event.n}."
            return m.Answer(verdict="deny", reason=reason, event=event.n)
        return answers.SILENT

    async def _failed(self, message: m.Message, peer: m.Peer, why: str) -> m.Answer:
        """Record that a message came to nothing, and answer a call with what the charter says of that."""
        agent = self._unjudged.agent_of(peer)
        verdict = self._unjudged.undecided(agent) if isinstance(message, _STOPS) else ""
        try:
            n = await self._unjudged.record(
                "lost-result" if isinstance(message, m.CallReturned) else "unjudged",
                why,
                door=message.door,
                event=message.event,
                agent=agent.id if agent else "",
                pid=peer.pid,
                answered=verdict,
            )
        except OutriderError as error:
            log.warning("a message that came to nothing could not be recorded: %s", error)
            return self._undecided(message, f"{why}, and that could not be recorded ({error})", "deny")
        return self._undecided(message, why, verdict, n)

    @staticmethod
    def _undecided(message: m.Message, why: str, verdict: str, n: int = -1) -> m.Answer:
        return answers.could_not(why, verdict, n) if isinstance(message, _STOPS) else answers.SILENT


def source_of(message: m.Message) -> str:
    """Return the source that a message counts for: its door and session."""
    return f"{message.door}:{message.session}"[:200]
