"""What did an agent touch? Every thing once a role, with the events that say so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from outrider.errors import BadInputError
from outrider.investigate.basis import Basis, basis
from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.roles import NEVER, WEIGHT
from outrider.store import reading
from outrider.store.keys import SECRETS

if TYPE_CHECKING:
    from outrider.store.view import View

_EVENTS_SHOWN: Final = 20
MOST_RESTING: Final = 2_000
"""Events of which it is said whether their content can be read, the first ones."""


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in one role.

    Attributes:
        role: What was done with it; ``sent`` = data carried out, ``reached`` = only connected.
        kind: Its kind.
        value: The thing.
        times: How many events say so.
        first: The first of them.
        last: The last.
        events: The first twenty of them.
        agents: Ids of the agents that did it.
        happened: False if every such call was refused or never ran: it was only tried.
    """

    role: str
    kind: str
    value: str
    times: int
    first: int
    last: int
    events: tuple[int, ...]
    agents: tuple[str, ...]
    happened: bool


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        agent: The agent asked about.
        agents: Ids of all agents counted, itself first.
        things: What they touched, the weightiest role first, complete.
        opaque: Events of programs whose inner effects nobody saw: what they touched is not in the list.
        confidence: ``value``: everything here was recorded as such.
        coverage: What could not be seen.
        basis: Whether the content of the events can still be read.
    """

    agent: reading.Agent
    agents: tuple[str, ...]
    things: tuple[Thing, ...]
    opaque: tuple[int, ...]
    confidence: str
    coverage: Coverage
    basis: Basis = Basis()


class _Sum:
    __slots__ = ("agents", "events", "happened", "last", "times")

    def __init__(self) -> None:
        self.times = 0
        self.last = -1
        self.happened = False
        self.events: list[int] = []
        self.agents: dict[str, None] = {}


Sums = dict[tuple[str, str, str], _Sum]
"""What was touched, by role, kind and value."""


def touched(view: View, agent_id: str, *, lineage: bool = False) -> Touched:
    """Return everything an agent touched; with ``lineage``, its descendants' too.

    Raises:
        BadInputError: There is no such agent.
    """
    with view.snapshot():
        agent = reading.agent(view, agent_id)
        if agent is None and view.one("SELECT n FROM events WHERE agent = ? LIMIT 1", agent_id):
            agent = reading.unknown(agent_id)
        if agent is None:
            raise BadInputError(f"there is no agent {agent_id!r}", fix="`outrider agents` lists them.")
        ids = [agent_id]
        if lineage:
            ids += [child.id for child in reading.descendants(view, agent_id)]
        opaque: list[int] = []
        sums: Sums = {}
        seen: list[int] = []
        for one in ids:
            opaque += [row[0] for row in view.rows("SELECT n FROM events WHERE agent = ? AND opaque", one)]
            mine = reading.events_of(view, one)
            gather(view, mine, sums)
            seen += mine[: MOST_RESTING - len(seen)]
        return Touched(
            agent=agent,
            agents=tuple(ids),
            things=things(sums),
            opaque=tuple(sorted(opaque)),
            confidence="value",
            coverage=coverage(view),
            basis=basis(view, seen),
        )


def gather(view: View, numbers: Sequence[int], sums: Sums, *, role: str = "", kinds: Collection[str] = ()) -> None:
    """Add what ``numbers`` touched to ``sums``; with ``role``, only what they read, and under that role.

    ``kinds`` are the only ones that are added, if there are any.
    """
    if not numbers:
        return
    # A value is a print by which a text is found again, and tells a reader nothing.
    found = [touch for touch in reading.touches(view, numbers) if touch.kind != "value"]
    refused = {n for n, outcome in reading.outcomes(view, {touch.n for touch in found}).items() if outcome in NEVER}
    for touch in found:
        if (role and touch.role != "read") or (kinds and touch.kind not in kinds):
            continue
        one = sums.setdefault((role or touch.deed, touch.kind, touch.value), _Sum())
        one.times += 1
        one.last = max(one.last, touch.n)
        one.agents[touch.agent] = None
        one.happened = one.happened or touch.n not in refused
        if len(one.events) < _EVENTS_SHOWN:
            one.events.append(touch.n)


def things(sums: Sums) -> tuple[Thing, ...]:
    """Return the sums, the weightiest role first, then in the order of first touch."""
    out = [
        Thing(
            role=role, kind=kind, value=value, times=one.times, first=one.events[0], last=one.last,
            events=tuple(one.events), agents=tuple(one.agents), happened=one.happened,
        )
        for (role, kind, value), one in sums.items()
    ]  # fmt: skip
    return tuple(sorted(out, key=lambda thing: (-WEIGHT.get(thing.role, 0), thing.first, thing.kind, thing.value)))


def secrets(view: View, agent_id: str, sums: Sums, *, looked: Collection[int] = ()) -> None:
    """Add the secrets and credentials that came into an agent's context at any time, by whoever's reading.

    ``looked`` are events that were added already.
    """
    read = view.rows("SELECT n FROM events WHERE agent = ? AND secret", agent_id)
    origins = [
        n
        for (n,) in view.rows(
            "SELECT DISTINCT origin FROM labels WHERE agent = ? AND name = 'secret' AND origin >= 0", agent_id
        )
    ]
    gather(view, [n for (n,) in read if n not in looked], sums)
    gather(view, origins, sums, role="credential")
    gather(view, [n for n in origins if n not in looked], sums, kinds=SECRETS)


def is_credential(thing: Thing) -> bool:
    """Whether a thing is a secret or a credential that somebody really had."""
    return thing.happened and (thing.kind in SECRETS or thing.role == "credential")
