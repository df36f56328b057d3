"""Group commit for asyncio without a timer: a thread flushes whatever waits as soon as the last flush returned.

A second thread makes the checkpoints and tiles, so that no answer waits for them.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from threading import Event, Thread
from typing import Protocol

from outrider.errors import RecordError, UnavailableError


class Commits(Protocol):
    """What a committer drives: see :class:`outrider.ledger.ledger.Ledger`."""

    @property
    def durable_size(self) -> int:
        """Number of durable events."""

    def commit(self) -> int:
        """Write and flush what waits; return the number of durable events."""

    def seal_in(self) -> float | None:
        """Return in how many seconds a checkpoint is due, or None."""

    def seal_if_due(self) -> None:
        """Make a checkpoint if one is due."""


class Committer:
    """Commits and seals on threads of its own; tells waiters on the event loop that made it, once a commit."""

    def __init__(self, ledger: Commits) -> None:
        """Start the threads. Must be called on the running loop."""
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []  # A heap, touched on the loop only.
        self._order = count()
        self._work = Event()
        self._stopping = False
        self._due = Event()
        self._dozing = False
        self._threads = [
            Thread(target=self._commit, name="outrider-commit", daemon=True),
            Thread(target=self._seal, name="outrider-seal", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that there is something to commit."""
        if not self._work.is_set():
            self._work.set()

    async def durable(self, n: int) -> None:
        """Return once event ``n`` is durable.

        Raises:
            RecordError: The commit could not be written.
            UnavailableError: The ledger was closed first.
        """
        done = self._loop.create_future()
        heapq.heappush(self._waiters, (n, next(self._order), done))
        self._work.set()
        await done

    def stop(self) -> None:
        """End the threads. What still waits is the caller's to commit."""
        self._stopping = True
        self._work.set()
        self._due.set()
        for thread in self._threads:
            thread.join()

    def _commit(self) -> None:
        while not self._stopping:
            self._work.wait()
            self._work.clear()
            error: RecordError | UnavailableError | None = None
            try:
                self._ledger.commit()
            except (RecordError, UnavailableError) as refused:
                error = refused
            try:
                self._loop.call_soon_threadsafe(self._settle, error)
            except RuntimeError:  # The loop is closed, and with it everybody who waited.
                return
            due = self._ledger.seal_in()
            if due is not None and (due <= 0 or self._dozing):
                self._due.set()

    def _seal(self) -> None:
        while not self._stopping:
            self._dozing = True  # Said before looking, so that a commit that comes between wakes us.
            due = self._ledger.seal_in()
            self._dozing = due is None
            self._due.wait(None if due is None else max(due, 0.0))
            self._due.clear()
            self._ledger.seal_if_due()

    def _settle(self, error: RecordError | UnavailableError | None) -> None:
        durable, waiters = self._ledger.durable_size, self._waiters
        while waiters and (error is not None or waiters[0][0] < durable):
            n, _, done = heapq.heappop(waiters)
            if done.done():
                continue
            if n < durable:
                done.set_result(None)
            elif error is not None:
                done.set_exception(type(error)(str(error), fix=error.fix))
