"""Which agent a message is from, and whether to believe it.

SO_PEERCRED proves the uid of the sender and its pid, nothing more. A session is therefore bound at first sight to its
host process (pid, start time, uid), and a message for it is believed only from that process or one below it. The
reasoning, and what it does not stop, is in ``docs/identity.md``.

Descent is read anew for every message: a cached answer would outlive the parents that made it true, and a message
costs two reads of ``/proc`` (three through ``sh -c``), about 10 us each.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from outrider.errors import RefusedError
from outrider.events.attestation import Attestation
from outrider.events.message import Peer
from outrider.identity import process
from outrider.identity.process import ProcessFacts
from outrider.identity.registry import Agent, Registry

What = Literal["start", "call", "report"]
"""``start``: a session begins or resumes. ``call``: something is asked, prompted or made. ``report``: a result, an end
or a note, which may come after the end."""


_HTTP = "Use command hooks, or switch HTTP hooks on in the configuration."


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says about itself.

    Attributes:
        door: The door that it came through.
        session: The host's session id.
        what: What sort of message it is.
        host_agent: The host's sub-agent id, or empty.
        agent_type: For a sub-agent that starts, the host's word for its kind, or empty.
    """

    door: str
    session: str
    what: What
    host_agent: str = ""
    agent_type: str = ""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a message is judged under.

    Attributes:
        now: Microseconds since 1970 UTC.
        boot: This boot's id (:func:`process.boot_id`); empty if the system has none.
        unattested: Whether a sender is believed whose process nobody can name: it came over HTTP, and the transport
            must have authenticated it; or the system has no ``/proc``.
    """

    now: int
    boot: str = ""
    unattested: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The message is believed and is this agent's."""

    agent: Agent


class Unborn(msgspec.Struct, frozen=True, kw_only=True):
    """The message is believed; a birth must be recorded first, and then the question asked again.

    Attributes:
        how: How the agent came to be known.
        host_agent: Sub-agent that is to be born; empty for the session's main agent, which is born first.
        host: Its host process, described; None where nobody can say (HTTP, no ``/proc``).
        above: The host process's own ancestors, nearest first.
        parent: The agent that it is a child of; None for a root. For a sub-agent its session's main agent, unless
            another of the session has the open call that asked for it.
        before: The agent that had this session and can not go on (expired): the new one carries its labels, since
            the host restores its context.
    """

    how: Literal["session", "subagent", "descendant"]
    host_agent: str
    host: ProcessFacts | None
    above: tuple[ProcessFacts, ...] = ()
    parent: Agent | None = None
    before: Agent | None = None


class Returning(msgspec.Struct, frozen=True, kw_only=True):
    """The message is believed; ``agent.resumed`` must be recorded first, and then the question asked again.

    Attributes:
        agent: The agent that goes on.
        host: The process that it goes on in, described; None for the one that it is bound to already.
        above: That process's own ancestors, nearest first.
        under: The living ancestor of the agent that resumed it from within its own process tree; its labels join
            the agent's. None if a person resumed it.
    """

    agent: Agent
    host: ProcessFacts | None = None
    above: tuple[ProcessFacts, ...] = ()
    under: Agent | None = None


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """The message is believed; ``agent.joined`` must be recorded first, and then the question asked again.

    Attributes:
        agent: The agent that was started with ``outrider run`` and whose session this is.
        host: The session's host process.
        above: That process's own ancestors, nearest first.
    """

    agent: Agent
    host: ProcessFacts
    above: tuple[ProcessFacts, ...] = ()


Standing = Known | Unborn | Returning | Joining


def check(bound: Attestation, peer: Peer, *, boot: str = "", unattested: bool = False) -> None:
    """Accept a message for a session that is bound to ``bound``, or raise.

    Args:
        bound: The session's process, from :meth:`Registry.bound`.
        peer: The sender.
        boot: This boot's id; if given, a process of another boot is gone.
        unattested: See :class:`Moment`.

    Raises:
        RefusedError: It is another user's, or from outside the process tree, or the tree is gone.
    """
    if peer.pid <= 0:
        if unattested:
            return
        raise RefusedError(
            "the transport does not say which process sent it, and this session only listens to its own", fix=_HTTP
        )
    if bound.uid >= 0 and peer.uid != bound.uid:
        raise RefusedError(f"it was sent by user {peer.uid}, and the session belongs to user {bound.uid}")
    if bound.pid <= 0:
        if unattested:
            return
        raise RefusedError("the session was begun over a transport that names no process, and that is switched off")
    if (boot and bound.boot and bound.boot != boot) or not process.descends(peer.pid, bound.pid, bound.start):
        raise RefusedError(
            f"process {peer.pid} does not descend from process {bound.pid}, which the session is bound to",
            fix="If the session was taken up in a new process, start it through the host, so that it says so.",
        )


def who(registry: Registry, peer: Peer, claim: Claim, moment: Moment) -> Standing:
    """Return whose message this is, or what must be recorded before that can be said.

    After recording the birth or resumption the caller asks again; three times is the most it takes (main agent,
    sub-agent, known).

    Args:
        registry: The agents.
        peer: The sender, as the kernel names it.
        claim: What the message says about itself.
        moment: What it is judged under.

    Raises:
        RefusedError: The message is not believed, or is from an agent whose time is over.
    """
    main = registry.by_session(claim.door, claim.session)
    if main is None:
        return _newcomer(registry, peer, unattested=moment.unattested)
    bound = registry.bound(claim.door, claim.session) or main.attested
    try:
        check(bound, peer, boot=moment.boot, unattested=moment.unattested)
    except RefusedError:
        if claim.what != "start" or claim.host_agent or peer.pid <= 0:
            raise
        return _moved(registry, peer, main, moment)
    return _believed(registry, peer, main, claim, moment)


def _believed(registry: Registry, peer: Peer, main: Agent, claim: Claim, moment: Moment) -> Standing:
    """Return what a message means that comes from the process tree of its session."""
    agent = registry.by_session(claim.door, claim.session, claim.host_agent)
    if claim.what == "report" and (agent is not None or main.ended):
        return Known(agent=agent or main)
    if main.ended == "revoked":
        return Returning(agent=main)  # The gate says who revoked it, and why.
    if _over(main, moment.now):
        return _outlived(registry, peer, main, claim.what)
    if main.ended:
        return Returning(agent=main)
    if agent is None:
        return Unborn(how="subagent", host_agent=claim.host_agent, host=None, parent=_asker(registry, main, claim))
    if _over(agent, moment.now):
        raise _out_of_time(agent)
    return Returning(agent=agent) if agent.ended else Known(agent=agent)


def _over(agent: Agent, now: int) -> bool:
    return agent.ended == "expired" or agent.expires <= now


def _out_of_time(agent: Agent) -> RefusedError:
    return RefusedError(
        f"agent {agent.id} has reached the end of its life, which its charter {agent.charter} sets",
        fix="Start a new session, or resume this one: it is then born anew.",
    )


def _newcomer(registry: Registry, peer: Peer, *, unattested: bool, before: Agent | None = None) -> Unborn | Joining:
    """Return the birth of a session that nobody has seen."""
    if peer.pid <= 0:
        if not unattested:
            raise RefusedError("an unknown session, and the transport does not say which process sent it", fix=_HTTP)
        return Unborn(how="session", host_agent="", host=None, before=before)
    host = process.host_process(peer.pid, registry.find_process)
    if host is None and unattested and process.unavailable():
        return Unborn(how="session", host_agent="", host=None, before=before)
    if host is None:
        raise RefusedError(f"process {peer.pid}, which sent it, is gone or has no parent that can be seen")
    above = process.ancestors(host.pid)
    parent = registry.nearest_ancestor_agent((host, *above), apart_from=before)
    if parent is not None and before is None and _is_its_own(registry, parent, (host, *above)):
        return Joining(agent=parent, host=host, above=above)
    return Unborn(
        how="descendant" if parent is not None else "session",
        host_agent="",
        host=host,
        above=above,
        parent=parent,
        before=before,
    )


def _is_its_own(registry: Registry, agent: Agent, above: tuple[ProcessFacts, ...]) -> bool:
    """Tell whether a new session is that of an agent which ``outrider run`` started, rather than a child's.

    It is unless a session's host stands between the two: what a host starts is the host's child. A host that begins
    another session in the same process goes on as the same agent.
    """
    if agent.how != "run" or agent.ended:
        return False
    nearest = next(one for one in above if registry.find_process(one.pid, one.start))
    return nearest == above[0] or (nearest.pid, nearest.start) == (agent.attested.pid, agent.attested.start)


def _outlived(registry: Registry, peer: Peer, main: Agent, what: What) -> Standing:
    """Return what becomes of a message for a session whose agent's time is over."""
    if what != "start":
        raise _out_of_time(main)
    return _newcomer(registry, peer, unattested=True, before=main)


def _moved(registry: Registry, peer: Peer, main: Agent, moment: Moment) -> Standing:
    """Return the resumption of a session in a process outside the tree that it was bound to.

    Raises:
        RefusedError: The old process still runs; it is another user's; or it comes from the tree of an agent that is
            not an ancestor of this one, and would so slip out of its own charter into another's.
    """
    bound = registry.bound(main.door, main.session) or main.attested
    same_boot = not (moment.boot and bound.boot and bound.boot != moment.boot)
    if bound.pid > 0 and same_boot and process.alive(bound.pid, bound.start):
        raise RefusedError(
            f"the session is bound to process {bound.pid}, which still runs",
            fix="End the session there first, or fork it: a fork has an id of its own.",
        )
    if bound.uid >= 0 and peer.uid != bound.uid:
        raise RefusedError(f"it was sent by user {peer.uid}, and the session belongs to user {bound.uid}")
    host = process.host_process(peer.pid, registry.find_process)
    if host is None:
        raise RefusedError(f"process {peer.pid}, which sent it, is gone or has no parent that can be seen")
    above = process.ancestors(host.pid)
    under = registry.nearest_ancestor_agent((host, *above))
    if under is not None and all(under.id != agent.id for agent in registry.lineage(main.id)):
        raise RefusedError(
            f"it comes from the process tree of agent {under.id}, which is not an ancestor of the session's agent",
            fix="A person can resume the session from a terminal of their own.",
        )
    if _over(main, moment.now):
        return Unborn(
            how="descendant" if under is not None else "session",
            host_agent="",
            host=host,
            above=above,
            parent=under,
            before=main,
        )
    return Returning(agent=main, host=host, above=above, under=under if under and under.id != main.id else None)


def _asker(registry: Registry, main: Agent, claim: Claim) -> Agent:
    """Return the agent of a session whose open call asked for a sub-agent of that kind, else its main agent."""
    for member in registry.members(claim.door, claim.session):
        if not member.ended and registry.open_spawn(member.id, claim.agent_type) is not None:
            return member
    return main
