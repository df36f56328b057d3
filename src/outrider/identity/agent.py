"""What the registry knows: agents, the calls they have open, and the policy sets that bound them."""

from __future__ import annotations

from typing import Literal

import msgspec

from outrider.events.attestation import Attestation
from outrider.events.call import Label


class Agent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One agent, living or gone.

    Attributes:
        id: Its id.
        charter: Name of its charter.
        digest: The charter version that it is bound to.
        chain: Digests that bound it: its own line, then its parent's chain.
        parent: Its parent's id, or empty.
        root: Root of its lineage.
        depth: 0 for a root.
        sponsor: Pseudonym of who answers for it.
        how: ``session``, ``subagent``, ``descendant``, ``run`` or ``spawn``.
        door: The door.
        session: The host's session id.
        host_agent: The host's sub-agent id, or empty for a session's main agent.
        expires: Microseconds since 1970 UTC.
        mode: ``enforce`` or ``observe``.
        born_n: Index of its birth in the record.
        born_ts: Time of its birth, microseconds since 1970 UTC.
        attested: Its host process; that of its last resumption if it was resumed.
        home: Absolute home of its process at birth; empty once erased.
        repo: Absolute root of its repository, or empty.
        cwd: Absolute directory that it was born in, or empty.
        labels: What it was born with. What it carries now is the business of the flow room.
        purpose: Why it was made, as far as the host said.
        narrowed: How many digests at the end of its own part of the chain are its narrowing: 0 or 1.
        held: Whether the kernel holds its process tree: by its own birth, or by that of the agent whose tree it is in.
        planned: The line of charters that the kernel's plan for its own process tree was made from; empty where there
            is none.
        ended: Empty while it lives, else ``completed``, ``killed``, ``expired``, ``vanished`` or ``revoked``.
        ended_n: Index of its end, or -1.
        ended_ts: Time of its end, or 0.
    """

    id: str
    charter: str
    digest: str
    chain: tuple[str, ...]
    parent: str
    root: str
    depth: int
    sponsor: str
    how: str
    door: str
    session: str
    expires: int
    born_n: int
    born_ts: int
    host_agent: str = ""
    mode: Literal["enforce", "observe"] = "enforce"
    attested: Attestation = Attestation()
    home: str = ""
    repo: str = ""
    cwd: str = ""
    labels: tuple[Label, ...] = ()
    purpose: str = ""
    narrowed: int = 0
    held: bool = False
    planned: tuple[str, ...] = ()
    ended: str = ""
    ended_n: int = -1
    ended_ts: int = 0

    @property
    def outgrown(self) -> bool:
        """Whether the kernel still holds it to an older version of its charters: a plan is fixed at the start."""
        return self.planned != self.chain[: len(self.planned)]


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
