"""From an agent to the policy sets that bound it, each with its own bindings.

A chain is the floor, then the agent's own charter and what that extends, then the same of every ancestor agent, bound
as a CEILING (what it may, plus what it may hand on). The sets are never merged: Cedar unions permits, so a merged set
would widen.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.charter.model import from_canonical
from outrider.errors import UndecidedError
from outrider.identity.place import os_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from outrider.charter.model import Charter
    from outrider.gate.state import State
    from outrider.identity.registry import Agent

_MOST_CHAINS = 4_096
_MOST_BOUND = 4_096


_Mark = tuple[str, bool, str, str, tuple[str, ...], tuple[str, ...]]


class Chains:
    """Binds charters for agents and remembers the chains of those lately seen."""

    def __init__(
        self,
        state: State,
        *,
        groups: dict[str, tuple[str, ...]],
        protected: tuple[str, ...],
        contact: Callable[[], str] = str,
    ) -> None:
        """Make a binder.

        Args:
            state: Where agents and charter versions are looked up.
            groups: What ``@registries`` and its kin mean on this host.
            protected: Outrider's own paths, for the floor.
            contact: Tells whom the host names to ask; nobody if empty.
        """
        self._host_contact = contact
        self._state = state
        self._groups = groups
        self._protected = protected
        self._charters: dict[str, Charter] = {}
        self._known: OrderedDict[str, tuple[Bound, ...]] = OrderedDict()
        self._bound: OrderedDict[_Mark, Bound] = OrderedDict()

    def of(self, agent: Agent) -> tuple[Bound, ...]:
        """Return the chain of ``agent``, the floor first.

        Raises:
            UndecidedError: A charter version that it is bound to is not known here.
        """
        chain = self._known.get(agent.id)
        if chain is None:
            chain = self._known[agent.id] = self._make(agent)
            if len(self._known) > _MOST_CHAINS:
                self._known.popitem(last=False)
        return chain

    def contact(self, agent: Agent) -> str:
        """Return whom to ask about an agent: as the nearest charter of its chain says, else the host; or nothing."""
        named = (one.charter.contact for one in self.of(agent) if one.charter is not None and one.charter.contact)
        return next(named, "") or self._host_contact()

    def forget(self, agent_id: str) -> None:
        """Drop what is remembered of an agent, after its end or when its charter is rolled."""
        self._known.pop(agent_id, None)

    def bindings(self, agent: Agent) -> Bindings:
        """Return the meaning of ``~``, ``repo/`` and groups for an agent.

        ``HOME`` is the word of whoever started the host. What is refused below ``~`` is therefore refused below the
        home that the user database names as well, and below whatever else these paths are called.
        """
        repo = agent.repo or agent.cwd
        return Bindings(
            home=agent.home,
            repo=repo,
            groups=self._groups,
            protected=self._protected,
            homes=other_names((agent.home, os_home(agent.attested.uid)), agent.home),
            repos=other_names((repo,), repo),
        )

    def charter(self, digest: str) -> Charter:
        """Return a charter version.

        Raises:
            UndecidedError: The record does not hold it.
        """
        charter = self._charters.get(digest)
        if charter is None:
            known = self._state.charters.get(digest)
            if known is None:
                raise UndecidedError(f"charter version {digest[:23]} is not in the record")
            charter = self._charters[digest] = from_canonical(known[1].encode())
        return charter

    def _make(self, agent: Agent) -> tuple[Bound, ...]:
        own = self.bindings(agent)
        above = {one.home: None for one in self._state.registry.lineage(agent.id)}
        ground = msgspec.structs.replace(own, homes=tuple({**dict.fromkeys(own.homes), **above}))
        chain = [self._shared("", ground, ceiling=False)]
        for link in self._state.registry.links(agent.id):
            found = self._shared(link.digest, self.bindings(link.owner), ceiling=link.ceiling)
            if not any(found is one for one in chain):
                chain.append(found)
        return tuple(chain)

    def _shared(self, digest: str, bindings: Bindings, *, ceiling: bool) -> Bound:
        """Return one policy set; agents with the same bindings share it, and what it remembers of resources.

        Args:
            digest: The charter version, or empty for the floor.
            bindings: The meaning of its words.
            ceiling: Whether it bounds a child.
        """
        mark = (digest, ceiling, bindings.home, bindings.repo, bindings.homes, bindings.repos)
        found = self._bound.get(mark)
        if found is None:
            made = bind(self.charter(digest), bindings, ceiling=ceiling) if digest else floor(bindings)
            found = self._bound[mark] = made
            if len(self._bound) > _MOST_BOUND:
                self._bound.popitem(last=False)
        return found


def other_names(paths: tuple[str, ...], known: str) -> tuple[str, ...]:
    """Return every other name of directories: themselves, and where they lead."""
    found = {name: None for path in paths if path for name in (path, os.path.realpath(path))}
    return tuple(name for name in found if name not in {known, "/"})
