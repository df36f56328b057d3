"""Whose a process is: the nearest agent above it that has a tree of its own. Launchers' word and the sensor's share it.

One :class:`Lineages` belongs to one who tells: a launcher, or the sensor. So a launcher, which could be any program
where an agent started it, says nothing of the processes of others.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outrider.confine.heard import Dialled, Started
    from outrider.daemon.deeds import Watch

_MOST_KNOWN: Final = 20_000


class Lineages:
    """The trees that one who tells hears, each with the process that it begins with."""

    def __init__(self) -> None:
        self._roots: dict[str, tuple[int, Watch]] = {}
        self._known: OrderedDict[str, Watch] = OrderedDict()

    def begin(self, process: str, since: int, watch: Watch) -> None:
        """Take a process as one that an agent's tree begins with.

        Args:
            process: The process.
            since: When it became that, microseconds since 1970 UTC: what it did before is another's.
            watch: What follows the agent.
        """
        self._roots[process] = (since, watch)

    def forget(self, watch: Watch) -> None:
        """Take an agent's trees out: what is left of them counts for the tree around."""
        self._roots = {process: root for process, root in self._roots.items() if root[1] is not watch}
        self._known = OrderedDict((process, one) for process, one in self._known.items() if one is not watch)

    def watches(self) -> tuple[Watch, ...]:
        """Return what follows the agents whose trees have a beginning here, each once."""
        return tuple({id(watch): watch for _, watch in self._roots.values()}.values())

    def begins(self, process: str) -> bool:
        """Tell whether a tree begins with a process."""
        return process in self._roots

    def of(self, deed: Started | Dialled, heard_by: Watch) -> Watch:
        """Return what follows the agent whose deed it is; ``heard_by`` where no tree is nearer."""
        found = next((one for one in self._above(deed)), heard_by)
        self._known[deed.process] = found
        self._known.move_to_end(deed.process)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def _above(self, deed: Started | Dialled) -> Iterator[Watch]:
        for process in (deed.process, *deed.above):
            since, root = self._roots.get(process, (0, None))
            if root is not None and since <= deed.ts:
                yield root
            if (known := self._known.get(process)) is not None:
                yield known
