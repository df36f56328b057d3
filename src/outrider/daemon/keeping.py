"""The daemon's work on content after the answers: from staging to kept, told in the record, and erased when due."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import msgspec

from outrider.errors import OutriderError
from outrider.events.content import ContentErased, ContentKept, Kept
from outrider.gate.keeping import items

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from outrider.gate.scribe import Scribe
    from outrider.gate.study import Workers
    from outrider.ledger.content.contents import Contents
    from outrider.ledger.content.staging import Staged

log = logging.getLogger("outrider.daemon")

EVERY = 1.0
"""Seconds between two looks at what waits."""

DUE_EVERY = 900
"""Seconds between two looks for what the charter's age is up of: every erasure renews the keys of all that stays."""

_BATCH = 128 * 1024
"""Bytes of content that a worker is given at a time: a few milliseconds of it, for others want it too."""

_LEAF_ROOM = 12 * 1024


class Keep:
    """Keeps what was staged. A look that fails is told in the log and tried again."""

    def __init__(self, contents: Contents, scribe: Scribe, workers: Workers) -> None:
        self._contents = contents
        self._scribe = scribe
        self._workers = workers
        self._turn = asyncio.Lock()
        self._looked = 0.0
        self._owned_up = False

    async def run(self) -> None:
        """Look after content until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once()
                await self.due()
            except (OutriderError, OSError, BrokenProcessPool):
                log.exception("content could not be kept and will be tried again")

    async def once(self) -> None:
        """Keep everything that was staged before now, and say so in the record.

        Raises:
            OutriderError: The disk refuses; what waits still waits.
        """
        async with self._turn:
            staging = self._contents.staging
            if staging is None:
                return
            await asyncio.to_thread(staging.prepare)
            staging.roll()
            await asyncio.to_thread(self._ahead)
            left = Counter({"lost": staging.failed} if staging.failed else {})
            staging.failed = 0
            if not self._owned_up:
                await self._tell(self._contents.untold(), left)
                self._owned_up = True
                left.clear()
            for path in staging.waiting():
                kept = await self._segment(path, left)
                await self._tell(kept, left)
                left.clear()
                await asyncio.to_thread(staging.drop, path)
            if left:
                await self._tell([], left)

    def _ahead(self) -> None:
        self._contents.keyring.fill()
        if self._contents.staging is not None:
            self._contents.staging.prepare()

    async def _segment(self, path: Path, left: Counter[str]) -> list[Kept]:
        assert self._contents.staging is not None
        staged = await asyncio.to_thread(lambda: list(self._contents.staging.read(path)))  # type: ignore[union-attr]
        loop, kept = asyncio.get_running_loop(), list[Kept]()
        for batch in _batches(staged):
            left.update(one.left for one in batch if one.left)
            # What is due already must not come in behind the erasure of its age.
            fresh = [one for one in batch if not one.until or one.until > self._scribe.now()]
            if len(fresh) < len(batch):
                left["age"] += len(batch) - len(fresh)
            made = await self._workers.elsewhere(loop, items, fresh, self._scribe.key)
            kept += await asyncio.to_thread(self._contents.keep, made)
        return kept

    async def _tell(self, kept: list[Kept], left: Counter[str]) -> None:
        for part in _parts(kept) if kept else [()] if left else []:
            event = self._scribe.write(ContentKept, kept=part, left=dict(left))
            left.clear()
            await self._scribe.durable(event)
            await asyncio.to_thread(self._contents.tell, part, event.n)

    async def due(self) -> None:
        """Erase what the charters' age is up of, if that was not looked for lately.

        Raises:
            OutriderError: The disk refuses.
        """
        now = asyncio.get_running_loop().time()
        if self._looked and now - self._looked < DUE_EVERY:
            return
        self._looked = now
        async with self._turn:
            before = self._scribe.now()
            if not self._contents.count(before=before).contents:
                return
            gone = await asyncio.to_thread(self._contents.erase, before=before)
            event = self._scribe.write(
                ContentErased,
                what="age",
                upto=0,
                before=before,
                contents=gone.contents,
                size=gone.size,
                basis="the charter's age",
                by="charter",
                seal=True,
            )
            await self._scribe.durable(event)


def _batches(staged: Iterable[Staged]) -> Iterator[list[Staged]]:
    batch: list[Staged] = []
    size = 0
    for one in staged:
        batch.append(one)
        size += len(one.text) + len(one.tail) + 256
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _parts(kept: Iterable[Kept]) -> Iterator[tuple[Kept, ...]]:
    """Yield what is kept in parts that a leaf has room for."""
    part, room = list[Kept](), _LEAF_ROOM
    for one in kept:
        room -= len(msgspec.json.encode(one)) + 1
        if room < 0 and part:
            yield tuple(part)
            part, room = [], _LEAF_ROOM
        part.append(one)
    if part:
        yield tuple(part)
