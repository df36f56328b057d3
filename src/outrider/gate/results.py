"""What comes back: results are paired with the calls they answer, and labels move.

A result that answers no call, a call that ran although it was denied, a call that the host lists and we never saw:
each is recorded under its own name, because each is something that went past us.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from outrider.detect.redact import redact
from outrider.events import message as m
from outrider.events.call import Call, Label
from outrider.events.codec import commit
from outrider.events.entities import normalise
from outrider.events.record import Beside, CallResult, Entity, LabelsJoined, RecordGap
from outrider.flow.labels import result_brings
from outrider.flow.recoded import secrets_in, seeds
from outrider.flow.values import pack, printer
from outrider.gate.clean import cut
from outrider.gate.keeping import TEXT, Raw
from outrider.gate.study import Reading
from outrider.identity.place import head_of

if TYPE_CHECKING:
    from outrider.events.message import BatchReturned, CallReturned
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.identity.registry import Agent, Intent

_MOST_WATCHED = 4_096


class Results:
    """Records outcomes."""

    def __init__(self, scribe: Scribe, state: State) -> None:
        self._scribe = scribe
        self._state = state
        # Work trees that an allowed call commits in, by (agent, call): looked at when the result comes.
        self._commits: dict[tuple[str, str], tuple[str, ...]] = {}
        self._answered: dict[tuple[str, str], None] = {}

    def expect_commit(self, agent: str, call: str, trees: tuple[str, ...]) -> None:
        """Remember that an allowed call commits in ``trees`` (absolute paths)."""
        self._commits[agent, call] = trees
        if len(self._commits) > _MOST_WATCHED:
            del self._commits[next(iter(self._commits))]

    def returned(self, message: CallReturned, agent: Agent, reading: Reading) -> CallResult:
        """Record a result, pair it, and move labels.

        Returns:
            The event; not durable yet.
        """
        call = cut(message.call.call_id, 200, self._scribe.key)
        intent = self._state.registry.intent(agent.id, call)
        salt = os.urandom(32)
        entities = (*reading.named, *secrets_of(reading, "read"), *self._committed(agent, call, ok=message.ok))
        brought = result_brings(message.call.tool, reading.findings)
        opened = intent is not None and self._state.flow.reads_secret(intent.n)
        said = {**reading.said, **hidden(message.output, reading, self._scribe.key, opened=opened)}
        event = self._scribe.write(
            CallResult,
            agent=agent.id,
            told_by=f"{message.door}:{message.session}"[:200],
            beside=Beside(entities=entities, prints=reading.prints, salt=salt, said=said),
            call=call,
            intent=intent.n if intent else -1,
            ok=message.ok,
            content=commit(text := message.output.encode("utf-8", "replace"), salt),
            raw=Raw("outputs", TEXT, lambda: text),
            adds=tuple(Label(name, -1) for name in sorted(brought)),
            ms=message.duration_ms,
            despite=_despite(message, intent),
            gone=self._gone(intent),
        )
        self._answered[agent.id, call] = None
        if len(self._answered) > _MOST_WATCHED:
            del self._answered[next(iter(self._answered))]
        if message.child:
            self.join(self._state.registry.by_session(message.door, message.session, message.child), agent)
        if message.call.tool == "shell":
            # What a program printed may be what an agent that it started has said, and that may still run.
            for child in self._state.registry.children(agent.id):
                if child.how == "descendant" and not child.ended:
                    self.join(child, agent)
        return event

    def came_back(self, call: Call, agent: Agent, event: str, *, ok: bool) -> CallResult:
        """Record that a call of Outrider's own, which brings no text, came back.

        Args:
            call: The call, as it was judged.
            agent: Whose it is.
            event: What it is called at its door.
            ok: Whether it did what it was for.

        Returns:
            The event; not durable yet.
        """
        told = m.CallReturned(door=call.door, session=agent.id, event=event, call=call, ok=ok, output="")
        return self.returned(told, agent, Reading(findings=(), prints=b"", named=()))

    def join(self, child: Agent | None, parent: Agent) -> None:
        """Give a parent the labels of a child whose message came back to it."""
        if child is None or child.id == parent.id:
            return
        held = set(self._state.flow.labels_of(parent.id))
        new = tuple(label for label in self._state.flow.labels_of(child.id) if label not in held)
        if new:
            self._scribe.write(LabelsJoined, agent=parent.id, labels=new, origin_agent=child.id)

    def batch(self, message: BatchReturned, agent: Agent) -> None:
        """Hold the host's own list of calls against what we were asked: the rest went past us."""
        listed = [(cut(redact(call, self._scribe.key), 200, b""), name) for call, name in message.calls]
        unseen = [
            (call, name)
            for call, name in listed
            if (agent.id, call) not in self._answered and self._state.registry.intent(agent.id, call) is None
        ]
        if unseen:
            self._scribe.write(
                RecordGap,
                agent=agent.id,
                told_by=f"{message.door}:{message.session}"[:200],
                lost=len(unseen),
                seal=True,
                what="unseen-call",
                count=len(unseen),
                detail=", ".join(cut(name, 60, self._scribe.key) for _, name in unseen[:8]),
                door=message.door,
            )

    def _committed(self, agent: Agent, call: str, *, ok: bool) -> tuple[Entity, ...]:
        """Return the commit that a call made, as the work tree's HEAD names it after the call."""
        trees = self._commits.pop((agent.id, call), ())
        found = []
        for tree in trees if ok else ():
            commit_id, branch = head_of(tree)
            if commit_id:
                found.append(Entity("committed", "commit", normalise("commit", commit_id)))
            if branch:
                found.append(Entity("committed", "branch", branch))
        return tuple(found)

    def _gone(self, intent: Intent | None) -> tuple[str, ...]:
        """Return the paths that a call was to replace or remove and that are not there now: their labels can go."""
        if intent is None:
            return ()
        return tuple(path for path in self._state.flow.expects_gone(intent.n) if not os.path.lexists(path))


def secrets_of(reading: Reading, role: str) -> tuple[Entity, ...]:
    """Return the secrets found in a text, as entities of that role."""
    return tuple(Entity(role, "secret", finding.print) for finding in reading.findings if finding.print)


def hidden(text: str, reading: Reading, key: bytes, *, opened: bool) -> dict[str, bytes]:
    """Return the prints by which the secrets in a text are known again: of findings, and of a store's text.

    Args:
        text: An output or a prompt.
        reading: What it says.
        key: Key of the prints.
        opened: Whether it answers a call that read what is kept for its secrets.
    """
    found = [
        text[finding.start : finding.end]
        for finding in reading.findings
        if finding.rule.startswith("secret.") and finding.confidence != "low"
    ]
    if opened:
        found += secrets_in(text)
    return {"secret": pack(seeds(found, printer(key)))} if found else {}


def _despite(message: CallReturned, intent: Intent | None) -> bool:
    """Tell whether the call ran although it had been refused.

    Hosts report a refused call as failed; one that comes back as a success did not obey.
    """
    return intent is not None and intent.enforced in {"deny", "error"} and message.ok
