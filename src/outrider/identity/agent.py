"""What the registry knows: agents, the calls they have open, and the policy sets that bound them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from outrider.events.attestation import Attestation
from outrider.events.call import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outrider.events.record import AgentBorn


class Common(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an agent has in common with others of its class; the registry keeps each only once.

    Attributes:
        charter: Name of its charter.
        digest: The charter version that it is bound to.
        chain: Digests that bound it: its own line, then its parent's chain.
        depth: 0 for a root.
        sponsor: Pseudonym of who answers for it.
        how: ``session``, ``subagent``, ``descendant``, ``run`` or ``spawn``.
        door: The door.
        mode: ``enforce`` or ``observe``.
        home: Absolute home of its process at birth; empty once erased.
        repo: Absolute root of its repository, or empty.
        cwd: Absolute directory that it was born in, or empty.
        narrowed: How many digests at the end of its own part of the chain are its narrowing: 0 or 1.
        held: Whether the kernel holds its process tree: by its own birth, or by that of the agent whose tree it is in.
        planned: The line of charters that the kernel's plan for its own process tree was made from; empty where there
            is none.
    """

    charter: str
    digest: str
    chain: tuple[str, ...]
    depth: int
    sponsor: str
    how: str
    door: str
    mode: Literal["enforce", "observe"] = "enforce"
    home: str = ""
    repo: str = ""
    cwd: str = ""
    narrowed: int = 0
    held: bool = False
    planned: tuple[str, ...] = ()


class Agent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One agent, living or gone. What :class:`Common` says of it is read off it by the same names.

    Attributes:
        id: Its id.
        like: What it has in common with others.
        parent: Its parent's id, or empty.
        root: Root of its lineage.
        session: The host's session id.
        host_agent: The host's sub-agent id, or empty for a session's main agent.
        expires: Microseconds since 1970 UTC.
        born_n: Index of its birth in the record.
        born_ts: Time of its birth, microseconds since 1970 UTC.
        attested: Its host process; that of its last resumption if it was resumed.
        labels: What it was born with. What it carries now is the business of the flow room.
        purpose: Why it was made, as far as the host said.
        ended: Empty while it lives, else ``completed``, ``killed``, ``expired``, ``vanished`` or ``revoked``.
        ended_ts: Time of its end, or 0.
    """

    id: str
    like: Common
    parent: str
    root: str
    session: str
    expires: int
    born_n: int
    born_ts: int
    host_agent: str = ""
    attested: Attestation = Attestation()
    labels: tuple[Label, ...] = ()
    purpose: str = ""
    ended: str = ""
    ended_ts: int = 0

    @property
    def charter(self) -> str:
        """See :class:`Common`."""
        return self.like.charter

    @property
    def digest(self) -> str:
        """See :class:`Common`."""
        return self.like.digest

    @property
    def chain(self) -> tuple[str, ...]:
        """See :class:`Common`."""
        return self.like.chain

    @property
    def depth(self) -> int:
        """See :class:`Common`."""
        return self.like.depth

    @property
    def sponsor(self) -> str:
        """See :class:`Common`."""
        return self.like.sponsor

    @property
    def how(self) -> str:
        """See :class:`Common`."""
        return self.like.how

    @property
    def door(self) -> str:
        """See :class:`Common`."""
        return self.like.door

    @property
    def mode(self) -> Literal["enforce", "observe"]:
        """See :class:`Common`."""
        return self.like.mode

    @property
    def home(self) -> str:
        """See :class:`Common`."""
        return self.like.home

    @property
    def repo(self) -> str:
        """See :class:`Common`."""
        return self.like.repo

    @property
    def cwd(self) -> str:
        """See :class:`Common`."""
        return self.like.cwd

    @property
    def narrowed(self) -> int:
        """See :class:`Common`."""
        return self.like.narrowed

    @property
    def held(self) -> bool:
        """See :class:`Common`."""
        return self.like.held

    @property
    def planned(self) -> tuple[str, ...]:
        """See :class:`Common`."""
        return self.like.planned

    @property
    def outgrown(self) -> bool:
        """Whether the kernel still holds it to an older version of its charters: a plan is fixed at the start."""
        return self.planned != self.chain[: len(self.planned)]


def newborn(event: AgentBorn, private: Mapping[str, str], *, within_held: bool) -> Agent:
    """Return the agent that was born.

    Args:
        event: Its birth.
        private: What lies beside it and names places; nothing once that was erased.
        within_held: Whether the kernel holds the process tree that it was born in.
    """
    common = Common(
        charter=event.charter,
        digest=event.digest,
        chain=event.chain,
        depth=event.depth,
        sponsor=event.sponsor,
        how=event.how,
        door=event.door,
        mode=event.mode,
        home=private.get("home", ""),
        repo=private.get("repo", ""),
        cwd=private.get("cwd", ""),
        narrowed=1 if event.narrowed else 0,
        held=(event.held is not None and event.held.whole) or within_held,
    )
    return Agent(
        id=event.agent,
        like=common,
        parent=event.parent,
        root=event.root,
        session=event.session,
        host_agent=event.host_agent,
        expires=event.expires,
        born_n=event.n,
        born_ts=event.ts,
        attested=event.attested,
        labels=event.labels,
        purpose=event.purpose,
    )


def changed(agent: Agent, **common: Any) -> Agent:
    """Return the agent with something else of what it has in common with others."""
    return msgspec.structs.replace(agent, like=msgspec.structs.replace(agent.like, **common))


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """An ended agent that is no longer kept.

    Attributes:
        agent: The agent.
        sessions: Its sessions, as door and session, that nobody is kept of any more.
        narrowed: The digest that narrowed it, if it narrows nobody who is kept; else empty.
    """

    agent: Agent
    sessions: tuple[tuple[str, str], ...] = ()
    narrowed: str = ""


class Intent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call that was judged and whose result has not come.

    Attributes:
        n: Index of its ``call.decided``.
        call: The host's id of the call.
        tool: Normal tool.
        name: The host's name of the tool.
        enforced: What the host was told.
        spawns: Agent classes that it asked the host for.
        launches: Agent hosts that it starts from a shell.
    """

    n: int
    call: str
    tool: str
    name: str
    enforced: str
    spawns: tuple[str, ...] = ()
    launches: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the call may be running: it was not denied (an ``ask`` may have been answered with yes)."""
        return self.enforced in {"allow", "amend", "ask"}


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One policy set that bounds an agent, and whose bindings it is evaluated with.

    Attributes:
        digest: The charter version.
        owner: The agent that it was bound to at birth.
        ceiling: True for a set inherited from an ancestor agent: ``[may]`` plus ``[delegate]`` hold.
    """

    digest: str
    owner: Agent
    ceiling: bool
