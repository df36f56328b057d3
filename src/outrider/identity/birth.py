"""Births, planned: which charter, which parent, for how long. Pure; the gate writes the event.

The rules, in order:

1. A sub-agent of the host is the child of the agent whose open call asked for it, else of its session's main agent.
   It gets the charter that the call asked for if that is a charter's name (the gate judged the call, so an open,
   allowed call proves that ``[may] spawn`` has it); else its parent's.
2. A new session whose process descends from an agent is that agent's child: the charter that an open call of the
   parent asked for, else the repository's, else the parent's.
3. A new session in an initialised repository gets that repository's charter.
4. Anything else is ``unclaimed``. Nobody is anonymous.

A child is never wider: its chain is its own line and then the whole of its parent's, it ends with its parent at the
latest, it starts with its parent's labels, it answers to its parent's sponsor, and it enforces what its parent does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from outrider.errors import RefusedError, UnavailableError
from outrider.events.attestation import Attestation
from outrider.events.call import Label
from outrider.identity.registry import Agent, Intent

UNCLAIMED = "unclaimed"
DEFAULT_TTL = 24 * 3600 * 1_000_000
"""Microseconds that an agent lives whose charter names no ``ttl``. Everything ends."""

MAX_GENERATIONS = 32
"""A lineage deeper than this is refused: its chain of digests would outgrow a leaf."""

MAX_PURPOSE = 200

Mode = Literal["enforce", "observe"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a birth needs to know of a charter.

    Attributes:
        name: Its name.
        line: Digests of it and what it extends, itself first, down to ``base``.
        ttl: Microseconds of life, 0 for none named.
        mode: What it says itself.
    """

    name: str
    line: tuple[str, ...]
    ttl: int = 0
    mode: Mode = "enforce"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about an agent that is about to be born.

    Attributes:
        agent: Its id, from :func:`outrider.identity.ids.agent_id`.
        now: Microseconds since 1970 UTC.
        door: The door.
        session: The host's session id.
        how: How we learnt of it.
        host_agent: The host's sub-agent id, or empty.
        agent_type: The host's word for the sub-agent's kind, or empty.
        purpose: What it is for, already redacted, or empty.
        charter: The charter that ``outrider run`` was told, or empty.
        sponsor: Pseudonym of who answers for a root; a child answers to its parent's.
        repo_charter: Charter that the repository is configured with, or empty.
        repo_mode: Mode that the repository is configured with, or empty.
        labels: What it starts with: its parent's labels as they are now, and those of an agent whose session it
            takes over.
        attested: Its host process.
        until: When it ends at the latest, microseconds since 1970 UTC, or 0.
        narrowed: Canonical form of the policy set that narrows it beside its charter, or empty.
        token: Revocation id of the token's block that made it, or empty.
    """

    agent: str
    now: int
    door: str
    session: str
    how: Literal["session", "subagent", "descendant", "run", "spawn"]
    host_agent: str = ""
    agent_type: str = ""
    purpose: str = ""
    charter: str = ""
    sponsor: str = ""
    repo_charter: str = ""
    repo_mode: Literal["", "enforce", "observe"] = ""
    labels: tuple[Label, ...] = ()
    attested: Attestation = Attestation()
    until: int = 0
    narrowed: str = ""
    token: str = ""


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """A planned birth: the fields of ``agent.born`` but its place in the record.

    ``why`` says in one sentence why it got this charter.
    """

    agent: str
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
    purpose: str
    host_agent: str
    mode: Mode
    labels: tuple[Label, ...]
    attested: Attestation
    why: str
    narrowed: str = ""
    token: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the keyword arguments for :class:`outrider.events.record.AgentBorn` (``v n ts src beside`` apart)."""
        found = msgspec.structs.asdict(self)
        del found["why"]
        return found


def plan_birth(
    wish: Wish,
    terms: Callable[[str], Terms | None],
    *,
    parent: Agent | None = None,
    asked: Intent | None = None,
    default: str = UNCLAIMED,
) -> Birth:
    """Plan one birth.

    Args:
        wish: What is known.
        terms: Looks a charter up by name; None if there is none that is in force.
        parent: From rule 1 or 2, else None.
        asked: The parent's open call that made it, if there is one; a denied one counts for nothing.
        default: The charter of those who belong to nobody.

    Raises:
        RefusedError: The parent's time is over, or the lineage is too deep.
        UnavailableError: Not even the default charter is in force.
    """
    if parent is not None and parent.expires <= wish.now:
        raise RefusedError(
            f"its parent {parent.id} has expired, and a child ends with its parent at the latest",
            fix="Start a new session.",
        )
    if parent is not None and parent.depth + 1 >= MAX_GENERATIONS:
        raise RefusedError(f"its parent {parent.id} stands {parent.depth} generations deep, which is the limit")
    chosen, why = _choose(wish, terms, parent, asked, default)
    ends = [wish.now + (chosen.ttl or DEFAULT_TTL), *([parent.expires] if parent else []), wish.until]
    narrowed = ("sha256:" + hashlib.sha256(wish.narrowed.encode()).hexdigest(),) if wish.narrowed else ()
    return Birth(
        agent=wish.agent,
        charter=chosen.name,
        digest=chosen.line[0],
        chain=chosen.line + narrowed + (parent.chain if parent else ()),
        parent=parent.id if parent else "",
        root=parent.root if parent else wish.agent,
        depth=parent.depth + 1 if parent else 0,
        sponsor=parent.sponsor if parent else wish.sponsor,
        how=wish.how,
        door=wish.door,
        session=wish.session,
        expires=min(end for end in ends if end),
        purpose=wish.purpose[:MAX_PURPOSE],
        host_agent=wish.host_agent,
        mode=_mode(wish, chosen, terms, parent),
        labels=tuple(sorted(set(wish.labels))),
        attested=wish.attested,
        why=why,
        narrowed=wish.narrowed,
        token=wish.token,
    )


def requested(wish: Wish, asked: Intent | None) -> tuple[str, ...]:
    """Return the agent classes that an allowed open call asked for and that this agent may be, likeliest first."""
    if asked is None or not asked.allowed:
        return ()
    if wish.agent_type:
        return (wish.agent_type,) if wish.agent_type in asked.spawns else ()
    return asked.spawns


def _choose(
    wish: Wish,
    terms: Callable[[str], Terms | None],
    parent: Agent | None,
    asked: Intent | None,
    default: str,
) -> tuple[Terms, str]:
    options: list[tuple[str, str]] = []
    if wish.charter:
        options.append((wish.charter, "it was started with this charter"))
    if parent is not None:
        options += [(name, "its parent asked for this class") for name in requested(wish, asked)]
        if wish.how == "descendant" and wish.repo_charter:
            options.append((wish.repo_charter, "its repository is set up with this charter"))
        options.append((parent.charter, "it is its parent's"))
    elif wish.repo_charter:
        options.append((wish.repo_charter, "its repository is set up with this charter"))
    options.append((default, "it belongs to no repository that is set up"))
    for name, why in options:
        found = terms(name)
        if found is not None:
            return found, why
        if parent is not None and name == parent.charter:
            # The shelf lost it, but the parent is bound to that version for life, and so its child can be.
            return Terms(name=name, line=parent.chain[:1], mode=parent.mode), why
    raise UnavailableError(
        f"no charter can be given: {default} is not in force", fix="Run outrider charter check to see why."
    )


def _mode(wish: Wish, chosen: Terms, terms: Callable[[str], Terms | None], parent: Agent | None) -> Mode:
    """Return the mode: a root's is the repository's choice; a child never observes what its parent enforces.

    A preview (``observe`` configured over a charter that enforces) is inherited, so that it previews children too.
    """
    if parent is None:
        return wish.repo_mode or chosen.mode
    if parent.mode == "enforce":
        return "enforce"
    own = terms(parent.charter)
    return "observe" if own is not None and own.mode == "enforce" else chosen.mode
