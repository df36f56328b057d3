"""What agents' models are sent, read from what their hosts write down, and recorded a moment after.

Beside the answers, in a thread: a host's file is looked at about a second after anything was heard from its agent, and
once more when the agent has ended. What the host writes is its own word, and that of whoever may write its files.
"""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Final

from outrider.doors.registry import DOORS
from outrider.errors import OutriderError
from outrider.events.codec import commit
from outrider.events.entities import keyed_print, normalise
from outrider.events.model_input import ModelInput
from outrider.events.record import AgentEnded, Beside, Entity, RecordGap
from outrider.gate.guidance import OPENING
from outrider.gate.keeping import JSON, Raw
from outrider.gate.results import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outrider.doors.claude_code import Conversation, Message, Sent
    from outrider.events.message import Message as Heard
    from outrider.events.record import AnyEvent
    from outrider.gate.scribe import Scribe
    from outrider.gate.state import State
    from outrider.gate.study import Workers
    from outrider.identity.registry import Agent

log = logging.getLogger("outrider.daemon")

EVERY: Final = 1.0
"""Seconds between two looks at what was written down."""

MOST_FILES: Final = 1_024
"""Most agents whose files are followed at a time; of another the rest is read from where the record says."""

MOST_ADDED: Final = 64
_TEXT: Final = 256 * 1024


class ModelInputs:
    """Follows the files of agents that were heard of lately."""

    def __init__(self, scribe: Scribe, state: State, workers: Workers) -> None:
        self._scribe = scribe
        self._state = state
        self._workers = workers
        self._files: dict[str, tuple[Agent, Conversation]] = {}
        self._touched: dict[str, tuple[Agent, str, str]] = {}
        self._ended: set[str] = set()
        self._denied: set[str] = set()
        self._frames: dict[tuple[str, str], None] = {}
        self._turn = asyncio.Lock()
        scribe.listen(self._take)

    def heard(self, agent: Agent, message: Heard) -> None:
        """Take note that an agent was heard of, and where its host writes."""
        if agent.id not in self._touched and message.door in DOORS:
            path, _ = DOORS[message.door].transcripts(message.transcript, message.host_agent)
            if path:
                self._touched[agent.id] = (agent, message.door, path)

    def _take(self, event: AnyEvent) -> None:
        if isinstance(event, AgentEnded) and (event.agent in self._files or event.agent in self._touched):
            self._ended.add(event.agent)

    async def run(self) -> None:
        """Look until cancelled. A look that fails is told in the log and tried again."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once()
            except (OutriderError, OSError, BrokenProcessPool):
                log.exception("what a model was sent could not be recorded and will be tried again")

    async def once(self) -> None:
        """Record everything that was written down before now by the hosts of agents that were heard of.

        Raises:
            OutriderError: The record cannot be written.
        """
        async with self._turn:
            touched, self._touched = self._touched, {}
            for agent, door, path in touched.values():
                file = self._file(agent, door, path)
                while file.behind() or not file.at:
                    before = file.at
                    await asyncio.to_thread(file.read)
                    if file.denied:
                        self._unread(agent, door, file.denied)
                    await self._record(agent, file.inputs.done())
                    if file.at == before:
                        break
            for name in sorted(self._ended):
                self._ended.discard(name)
                if name in self._files:
                    agent, file = self._files.pop(name)
                    await self._record(agent, file.inputs.rest())

    def _file(self, agent: Agent, door: str, path: str) -> Conversation:
        known = self._files.pop(agent.id, None)
        file = known[1] if known and known[1].path == path else None
        if file is None:
            file = DOORS[door].conversation(path, self._state.sent.get(agent.id, 0) if known is None else 0)
        self._files[agent.id] = (agent, file)
        while len(self._files) > MOST_FILES:
            del self._files[next(iter(self._files))]
        return file

    def _unread(self, agent: Agent, door: str, why: str) -> None:
        if agent.id not in self._denied:
            self._denied.add(agent.id)
            detail = f"what its model is sent is not seen: its host's transcript cannot be read ({why})"
            self._scribe.write(RecordGap, agent=agent.id, what="model-input-unseen", count=1, detail=detail, door=door)

    async def _record(self, agent: Agent, found: Iterable[Sent]) -> None:
        for sent in found:
            if sent.what == "frame":
                if (agent.id, sent.frame) in self._frames:
                    continue
                self._frames[agent.id, sent.frame] = None
                if len(self._frames) > MOST_FILES:
                    del self._frames[next(iter(self._frames))]
            await self._one(agent, sent)

    async def _one(self, agent: Agent, sent: Sent) -> None:
        key, salt = self._scribe.key, os.urandom(32)
        data = sent.messages[0].data if sent.what == "frame" else b"[%b]" % b",".join(one.data for one in sent.messages)
        event = self._scribe.write(
            ModelInput,
            agent=agent.id,
            told_by="transcript",
            beside=await self._beside(agent, sent, salt),
            raw=Raw("model", JSON, lambda: data),
            what=sent.what,
            content=commit(data, salt),
            messages=0 if sent.what == "frame" else len(sent.messages),
            model=sent.model[:200],
            request=sent.request[:64],
            base=sent.base[:64],
            keep=sent.keep,
            added=tuple(_print(one, key) for one in sent.tail[:MOST_ADDED]),
            cut=max(0, len(sent.tail) - MOST_ADDED),
            frame=_print(sent.frame, key) if sent.frame else "",
            unseen=sent.unseen,
            asked=sent.asked,
            at=sent.at,
        )
        await self._scribe.durable(event)

    async def _beside(self, agent: Agent, sent: Sent, salt: bytes) -> Beside:
        """Return what the host put into the context by itself: it can be the cause of what the agent does."""
        key = self._scribe.key
        entities = [Entity("is", "model", sent.model[:200])] if sent.model else []
        entities += [Entity("read", "path", normalise("path", path, home=agent.home)) for path in sent.read]
        text = _context(agent.door, sent.messages)
        if not text:
            return Beside(entities=tuple(entities), salt=salt)
        reading = await self._workers.read(asyncio.get_running_loop(), text, key, agent.home, "", "tool")
        entities += [*reading.named, *secrets_of(reading, "mentioned")]
        return Beside(entities=tuple(dict.fromkeys(entities)), prints=reading.prints, salt=salt, said=reading.said)


def _print(digest: str, key: bytes) -> str:
    return keyed_print(digest, key, domain="model-input", chars=16)


def _context(door: str, messages: Iterable[Message]) -> str:
    """Return the host's own words in a context, without ours that came back to us."""
    texts = [text for one in messages for text in DOORS[door].context(one) if OPENING not in text]
    return "\n".join(texts)[:_TEXT]
