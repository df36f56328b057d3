"""What every form is made from: chosen events, and what a reader of one of them needs to know beside it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from outrider.events.codec import decode
from outrider.events.record import AnyEvent, RecordOpened
from outrider.store import reading

if TYPE_CHECKING:
    from outrider.store.view import View

_CHUNK = 500


class Material:
    """Chosen events of a view, in order, with their agents. Memory does not grow with their number."""

    def __init__(self, view: View, numbers: tuple[int, ...], *, host: str = "") -> None:
        """Take the events.

        Args:
            view: The view, caught up by the caller.
            numbers: Indices of the events, ascending.
            host: Name of the host that the record is of, or empty to name it by its log alone.
        """
        self.view = view
        self.numbers = numbers
        self._host = host
        self._agents: dict[str, reading.Agent] = {}

    @cached_property
    def origin(self) -> str:
        """The origin line of the log, such as ``outrider.local/host-7f3a``."""
        first = reading.peek(self.view, 0)
        return first.origin if isinstance(first, RecordOpened) else "outrider"

    @property
    def host(self) -> str:
        """The host's name."""
        return self._host or self.origin.rpartition("/")[2]

    def events(self) -> Iterator[tuple[AnyEvent, str]]:
        """Give each event and its leaf hash (RFC 6962, hex)."""
        for start in range(0, len(self.numbers), _CHUNK):
            chunk = self.numbers[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            for (leaf,) in self.view.rows(f"SELECT leaf FROM leaves WHERE n IN ({marks}) ORDER BY n", *chunk):  # noqa: S608 - question marks
                yield decode(leaf), hashlib.sha256(b"\0" + leaf).hexdigest()

    def agent(self, identifier: str) -> reading.Agent:
        """Return an agent; of one whose birth is not in the record, what its id says."""
        known = self._agents.get(identifier)
        if known is None:
            known = reading.agent(self.view, identifier) or reading.unknown(identifier)
            self._agents[identifier] = known
        return known

    def agents(self) -> list[reading.Agent]:
        """Return the agents that the events are of, in the order of their births."""
        found: dict[str, None] = {}
        for start in range(0, len(self.numbers), _CHUNK):
            for row in reading.rows(self.view, self.numbers[start : start + _CHUNK]):
                if row.agent:
                    found[row.agent] = None
        return sorted((self.agent(one) for one in found), key=lambda agent: (agent.born_n, agent.id))

    def causes(self) -> Iterator[tuple[int, int, str]]:
        """Give what the record itself ties together within the events: source, effect, and by what."""
        chosen = set(self.numbers)
        for start in range(0, len(self.numbers), _CHUNK):
            chunk = self.numbers[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            sql = f"SELECT src, dst, why FROM causes WHERE dst IN ({marks}) ORDER BY dst, src, why"  # noqa: S608 - question marks
            for source, effect, why in self.view.rows(sql, *chunk):
                if source in chosen:
                    yield int(source), int(effect), str(why)


def iso(micros: int) -> str:
    """Return a time as ISO 8601 with microseconds, UTC."""
    return dt.datetime.fromtimestamp(micros / 1e6, tz=dt.UTC).isoformat(timespec="microseconds")
