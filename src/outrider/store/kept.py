"""Typed reads of what the record says of contents: that they are kept, and what erased them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from outrider.store.reading import Agent
    from outrider.store.view import View

_CHUNK = 500


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the record says of one event's content.

    Attributes:
        told: The ``content.kept`` event that names it.
        until: When its charter's age is up, microseconds since 1970 UTC, or 0.
        erased: The event that says it was erased, or -1.
    """

    told: int
    until: int
    erased: int


def stored(view: View, n: int) -> Stored | None:
    """Return what is said of the content of event ``n``; None where nothing is."""
    row = view.one("SELECT told, until, coalesce(erased, -1) FROM contents WHERE n = ?", n)
    return Stored(told=row[0], until=row[1], erased=row[2]) if row else None


def erased(view: View, numbers: Iterable[int]) -> dict[int, int]:
    """Return, of the events whose content was erased, the event that says so."""
    wanted = sorted(set(numbers))
    found: dict[int, int] = {}
    for at in range(0, len(wanted), _CHUNK):
        chunk = wanted[at : at + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        # outrider: allow code.python-sql-from-string -- only question marks are put in
        sql = f"SELECT n, erased FROM contents WHERE erased IS NOT NULL AND n IN ({marks})"  # noqa: S608
        found.update((row[0], row[1]) for row in view.rows(sql, *chunk))
    return found


def states(view: View, numbers: Iterable[int]) -> dict[int, Literal["kept", "erased", "never kept"]]:
    """Return what became of the content of events that have one: prompts, calls, results, and what models were sent."""
    wanted = sorted(set(numbers))
    found: dict[int, Literal["kept", "erased", "never kept"]] = {}
    for at in range(0, len(wanted), _CHUNK):
        chunk = wanted[at : at + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        # outrider: allow code.python-sql-from-string -- only question marks are put in
        sql = (
            "SELECT e.n, c.n IS NOT NULL, c.erased IS NOT NULL FROM events e LEFT JOIN contents c ON c.n = e.n"  # noqa: S608
            f" WHERE e.n IN ({marks})"
            " AND e.kind IN ('agent.prompted', 'call.decided', 'call.result', 'model.input')"
        )
        for n, there, gone in view.rows(sql, *chunk):
            found[n] = "erased" if gone else "kept" if there else "never kept"
    return found


def erasures_of(view: View, agents: Iterable[Agent]) -> dict[str, int]:
    """Return, of the agents whose content and names were erased, the event that says so."""
    if view.one("SELECT 1 FROM erasures WHERE what IN ('agent', 'subject') LIMIT 1") is None:
        return {}
    return {agent.id: n for agent in agents if (n := erasure_of(view, agent)) >= 0}


def erasure_of(view: View, agent: Agent) -> int:
    """Return the event that says that an agent's content and names were erased, or -1."""
    row = view.one(
        "SELECT min(n) FROM erasures WHERE n > ? AND ((what = 'agent' AND handle = ?)"
        " OR (what = 'subject' AND handle = ?))",
        agent.born_n, agent.id, agent.sponsor,
    )  # fmt: skip
    return row[0] if row and row[0] is not None else -1
