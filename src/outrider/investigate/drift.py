"""Declared against used: what a charter allows and nobody used, what it denies and everybody tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from outrider.investigate.coverage import Coverage, coverage
from outrider.investigate.suggest import Tried, suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outrider.charter.model import Charter
    from outrider.store.view import View

EVERYBODY: Final = 0.5
"""Share of a class's agents from which on a thing is called tried by everybody."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        charter: Name of the charter.
        agents: Agents of the class in the record.
        calls: Their calls that ran.
        declared: Patterns that its ``[may]`` lists, by verb; what it extends is not counted.
        unused: Of these, patterns that no call needed, by verb.
        everybody: What was refused, or put to a person, to at least half of its agents, and to two at least.
        some: What was refused to fewer.
        not_decidable: Calls whose agents' places were erased: a pattern that only they needed is called unused.
        coverage: What could not be seen; a program that nobody sees into may have used what is called unused.
        statement: The answer in sentences.
    """

    charter: str
    agents: int
    calls: int
    declared: dict[str, tuple[str, ...]]
    unused: dict[str, tuple[str, ...]]
    everybody: tuple[Tried, ...]
    some: tuple[Tried, ...]
    not_decidable: int
    coverage: Coverage
    statement: str


def drift(view: View, line: Sequence[Charter], *, protected: tuple[str, ...] = ()) -> Drift:
    """Return how far what agents of a class did lies from what its charter declares.

    Args:
        view: The view, caught up by the caller.
        line: The class's charter and all that it extends, itself first.
        protected: Outrider's own places on the host that made the record, for the floor.
    """
    own = line[0]
    with view.snapshot():
        found = suggest(view, line, protected=protected)
        covered = coverage(view)
    enough = max(2, found.agents * EVERYBODY)
    everybody = tuple(one for one in found.tried if one.agents >= enough)
    some = tuple(one for one in found.tried if one.agents < enough)
    declared = {str(verb): tuple(patterns) for verb, patterns in own.may.items() if patterns}
    return Drift(
        charter=own.name,
        agents=found.agents,
        calls=found.calls,
        declared=declared,
        unused=found.unused,
        everybody=everybody,
        some=some,
        not_decidable=found.not_decidable,
        coverage=covered,
        statement=_statement(
            own.name, found.agents, found.calls, found.not_decidable, declared, found.unused, everybody, covered
        ),
    )


def _statement(
    name: str,
    agents: int,
    calls: int,
    not_decidable: int,
    declared: dict[str, tuple[str, ...]],
    unused: dict[str, tuple[str, ...]],
    everybody: tuple[Tried, ...],
    covered: Coverage,
) -> str:
    if not calls:
        return f"No agent of {name} made a call that ran, so that nothing is known of what it needs."
    all_of, idle = (sum(map(len, of.values())) for of in (declared, unused))
    parts = [
        f"In {calls:,} calls, {agents:,} agents of {name} used {all_of - idle} of the {all_of} patterns it permits."
    ]
    if everybody:
        parts.append(f"{len(everybody)} things that it refuses were tried by at least half of them.")
    else:
        parts.append("Nothing that it refuses was tried by half of them.")
    if not_decidable:
        parts.append(
            f"{not_decidable:,} of the calls could not be held against it, since where their agents lived was erased "
            "or its key is not here: what only they needed is called unused."
        )
    if idle and covered.opaque:
        parts.append(f"{covered.opaque:,} programs were not seen into, and may have used what is called unused.")
    return " ".join(parts)
