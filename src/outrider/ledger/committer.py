"""Group commit for asyncio without a timer: a thread flushes whatever waits as soon as the last flush returned."""

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
    """Commits on a thread of its own and tells waiters on the event loop that made it, once a commit."""

    def __init__(self, ledger: Commits) -> None:
        """Start the thread. Must be called on the running loop."""
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []  # A heap, touched on the loop only.
        self._order = count()
        self._work = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="outrider-commit", daemon=True)
        self._thread.start()

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
        """End the thread. What still waits is the caller's to commit."""
        self._stopping = True
        self._work.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            due = self._ledger.seal_in()
            self._work.wait(None if due is None else max(due, 0.0))
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
            if error is None:
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
