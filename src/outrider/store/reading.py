"""Typed reads of the view, for the questions and for lists. Nothing here judges or ranks."""

# ruff: noqa: S608 - every piece of SQL that is put together here is a constant of this file; values are bound.
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from outrider.errors import BadInputError
from outrider.events.codec import decode, decode_beside
from outrider.events.record import AnyEvent, Beside
from outrider.store.keys import GIVEN, RAN, VALUE, WELL
from outrider.store.schema import COMMON, RARE

if TYPE_CHECKING:
    from outrider.store.view import View

_CHUNK: Final = 500

Outcome = Literal["done", "failed", "ran despite the refusal", "no result seen", "asked", "refused", "not run"]
"""What became of a call: ``asked`` = a person was asked and no result came; ``no result seen`` = it may have run;
``not run`` = it was allowed and the host proved that it never ran."""


class Agent(msgspec.Struct, frozen=True):
    """One agent, living or gone.

    Times are microseconds since 1970 UTC. ``sponsor`` and ``charter_digest`` are what the record names for ever;
    ``sponsor_name`` (who answers for it), ``human`` (the user whose process it was), ``home``, ``repo`` and ``cwd``
    are empty once erased.
    """

    id: str
    born_n: int
    born_ts: int
    charter: str
    charter_digest: str
    parent: str
    root: str
    depth: int
    sponsor: str
    sponsor_name: str
    human: str
    purpose: str
    how: str
    door: str
    session: str
    host_agent: str
    mode: str
    expires: int
    pid: int
    start: int
    boot: str
    container: str
    home: str
    repo: str
    cwd: str
    commit: str
    branch: str
    ended_n: int | None
    ended_ts: int | None
    ended_how: str | None


class EventRow(msgspec.Struct, frozen=True):
    """One line of the log. ``verdict``, ``enforced``, ``tool`` and ``name`` are empty but for calls."""

    n: int
    ts: int
    kind: str
    agent: str
    verdict: str
    enforced: str
    tool: str
    name: str
    call: str


class Touch(msgspec.Struct, frozen=True):
    """One event touching one thing.

    ``deed`` is the role, but for what a call sent to a host: ``reached`` where it only connected, ``exposed`` where it
    did so while its agent's context held a secret.
    """

    n: int
    ts: int
    agent: str
    role: str
    kind: str
    value: str
    deed: str


_TOUCH: Final = "t.n, e.ts, e.agent, t.role, x.kind, x.value, CASE t.deed WHEN '' THEN t.role ELSE t.deed END"
_NAMED_ELSE: Final = {"born_n": "n", "born_ts": "ts", "charter_digest": "digest", "commit": "commit_id"}
_AGENT: Final = ", ".join(_NAMED_ELSE.get(name, name) for name in Agent.__struct_fields__)


def agent(view: View, agent_id: str) -> Agent | None:
    """Return an agent by its id."""
    row = view.one(f"SELECT {_AGENT} FROM agents WHERE id = ?", agent_id)
    return Agent(*row) if row else None


def agents_of(view: View, ids: Iterable[str]) -> dict[str, Agent]:
    """Return many agents by their ids; of one whose birth is not in the record only its id is known."""
    wanted = list(dict.fromkeys(ids))
    found: dict[str, Agent] = {}
    for at in range(0, len(wanted), _CHUNK):
        chunk = wanted[at : at + _CHUNK]
        marks = ",".join("?" * len(chunk))
        # outrider: allow code.python-sql-from-string -- only question marks are put in
        found.update(
            (row[0], Agent(*row)) for row in view.rows(f"SELECT {_AGENT} FROM agents WHERE id IN ({marks})", *chunk)
        )
    return {one: found.get(one) or unknown(one) for one in wanted}


def unknown(agent_id: str) -> Agent:
    """Return what can be said of an agent whose birth is not in the record: its id."""
    empty: dict[str, Any] = dict.fromkeys(Agent.__struct_fields__, "")
    numbers = dict.fromkeys(("born_n", "born_ts", "depth", "expires", "pid", "start"), 0)
    return Agent(
        **{**empty, **numbers, "id": agent_id, "born_n": -1, "ended_n": None, "ended_ts": None, "ended_how": None}
    )


def agents_by(view: View, column: str, value: str | int, limit: int = 1_000) -> list[Agent]:
    """Return the agents whose ``column`` is ``value``, in the order of their births.

    Args:
        view: The view.
        column: ``charter``, ``digest``, ``parent``, ``root``, ``session``, ``sponsor``,
            ``sponsor_name``, ``human``, ``pid``,
            ``host_agent``, ``container``, ``repo`` or ``branch``.
        value: What it must be.
        limit: Most agents.

    Raises:
        BadInputError: There is no such column.
    """
    if column not in _BY:
        raise BadInputError(f"agents cannot be looked up by {column!r}")
    return [
        Agent(*row)
        for row in view.rows(f"SELECT {_AGENT} FROM agents WHERE {column} = ? ORDER BY n LIMIT ?", value, limit)
    ]


_BY: Final = frozenset(
    {"charter", "digest", "parent", "root", "session", "sponsor", "sponsor_name", "human", "pid", "host_agent",
     "container", "repo", "branch"}
)  # fmt: skip


def agents(view: View, *, living: bool | None = None, limit: int = 1_000) -> list[Agent]:
    """Return agents, the youngest first: all, or only the living, or only the gone."""
    which = {None: "", True: "WHERE ended_n IS NULL", False: "WHERE ended_n IS NOT NULL"}[living]
    return [Agent(*row) for row in view.rows(f"SELECT {_AGENT} FROM agents {which} ORDER BY n DESC LIMIT ?", limit)]


def ancestors(view: View, agent_id: str) -> list[Agent]:
    """Return the agent's parent, its parent, and so on up to the root; empty for a root."""
    out: list[Agent] = []
    seen = {agent_id}
    current = agent(view, agent_id)
    while current is not None and current.parent and current.parent not in seen:
        seen.add(current.parent)
        current = agent(view, current.parent)
        if current is not None:
            out.append(current)
    return out


def descendants(view: View, agent_id: str, limit: int = 10_000) -> list[Agent]:
    """Return every agent below ``agent_id``, generation by generation."""
    out: list[Agent] = []
    seen, level = {agent_id}, [agent_id]
    while level and len(out) < limit:
        rows = [child for parent in level for child in agents_by(view, "parent", parent, limit)]
        level = [child.id for child in rows if child.id not in seen]
        seen.update(level)
        out.extend(child for child in rows if child.id in level)
    return out[:limit]


def event(view: View, n: int) -> AnyEvent:
    """Return event ``n``.

    Raises:
        BadInputError: The view does not hold it.
    """
    row = view.one("SELECT leaf FROM leaves WHERE n = ?", n)
    if row is None:
        raise BadInputError(f"there is no event {n}: the view holds {view.size}")
    return decode(row[0])


def peek(view: View, n: int) -> AnyEvent | None:
    """Return event ``n``, or None if the view does not hold it."""
    row = view.one("SELECT leaf FROM leaves WHERE n = ?", n)
    return decode(row[0]) if row else None


def beside(view: View, n: int) -> Beside:
    """Return what lies beside event ``n``; empty where it was erased, cannot be read, or never was."""
    row = view.one("SELECT beside FROM leaves WHERE n = ?", n)
    return unpacked(row[0]) if row else Beside()


def unpacked(blob: bytes) -> Beside:
    """Return what lies beside an event; empty where it was erased or cannot be read."""
    try:
        return decode_beside(blob)
    except BadInputError:
        return Beside()


def besides(view: View, numbers: Iterable[int]) -> Iterator[tuple[int, Beside]]:
    """Give ``(n, beside)`` of many events, in order."""
    for chunk in _chunks(numbers):
        marks = ",".join("?" * len(chunk))
        for n, blob in view.rows(f"SELECT n, beside FROM leaves WHERE n IN ({marks}) ORDER BY n", *chunk):
            yield n, unpacked(blob)


def blobs(view: View, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Give ``(n, bytes)`` of what lies beside many events, in order, as it lies there."""
    for chunk in _chunks(numbers):
        # outrider: allow code.python-sql-from-string -- only question marks are put in
        yield from view.db.execute(
            f"SELECT n, beside FROM leaves WHERE n IN ({','.join('?' * len(chunk))}) ORDER BY n", chunk
        )


def packed(view: View, numbers: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Give ``(n, leaf)`` of many events, in order, as they lie in the record."""
    for chunk in _chunks(numbers):
        # outrider: allow code.python-sql-from-string -- only question marks are put in
        yield from view.db.execute(
            f"SELECT n, leaf FROM leaves WHERE n IN ({','.join('?' * len(chunk))}) ORDER BY n", chunk
        )


def leaves(view: View, numbers: Iterable[int]) -> Iterator[AnyEvent]:
    """Give many events, in order."""
    for _, leaf in packed(view, numbers):
        yield decode(leaf)


def rows(view: View, numbers: Iterable[int]) -> list[EventRow]:
    """Return the log lines of many events, in order."""
    out: list[EventRow] = []
    for chunk in _chunks(numbers):
        marks = ",".join("?" * len(chunk))
        out += map(_row, view.rows(f"SELECT {_COLUMNS} FROM events WHERE n IN ({marks}) ORDER BY n", *chunk))
    return out


_COLUMNS: Final = "n, ts, kind, agent, verdict, enforced, tool, name, call"


def _row(row: Sequence[Any]) -> EventRow:
    return EventRow(*row)


def log(
    view: View,
    *,
    agent_id: str = "",
    kind: str = "",
    verdict: str = "",
    since: int = 0,
    after: int = -1,
    before: int | None = None,
    newest: bool = True,
    limit: int = 100,
) -> list[EventRow]:
    """Return log lines that pass every filter that is set, in the record's order.

    Args:
        view: The view.
        agent_id: Only this agent's.
        kind: Only this kind, such as ``call.decided``; a prefix ending in ``.`` is a family.
        verdict: Only calls with this verdict; ``refused`` is everything but ``allow``.
        since: Only from this time on, microseconds since 1970 UTC.
        after: Only events behind this one.
        before: Only events before this one.
        newest: With a ``limit``, whether to keep the newest or the oldest.
        limit: Most lines.
    """
    asked: list[tuple[str, Any]] = [("n > ?", after)]
    rare = False
    if before is not None:
        asked.append(("n < ?", before))
    if agent_id:
        asked.append(("agent = ?", agent_id))
    if kind:
        asked.append(("kind GLOB ?", kind + "*") if kind.endswith(".") else ("kind = ?", kind))
        rare = not kind.endswith(".") and kind not in {"call.decided", "call.result"}
    if since:
        asked.append(("ts >= ?", since))
    where = [condition for condition, _ in asked] + ([RARE] if rare else [])
    values = [value for _, value in asked]
    if verdict == "refused":
        where.append("verdict != '' AND verdict != 'allow'")
    elif verdict:
        where.append("verdict = ? AND verdict != ''")
        values.append(verdict)
    order = "DESC" if newest else "ASC"
    sql = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY n {order} LIMIT ?"
    return sorted(map(_row, view.rows(sql, *values, limit)), key=lambda row: row.n)


def touches(view: View, numbers: Iterable[int]) -> Iterator[Touch]:
    """Give what many events touched, in order."""
    for chunk in _chunks(numbers):
        marks = ",".join("?" * len(chunk))
        sql = (
            f"SELECT {_TOUCH} FROM touches t JOIN events e ON e.n = t.n"
            f" JOIN entities x ON x.id = t.entity WHERE t.n IN ({marks}) ORDER BY t.n, t.entity, t.role"
        )
        for row in view.rows(sql, *chunk):
            yield Touch(*row)


def touching(view: View, entity: int, limit: int, roles: Sequence[str] = ()) -> list[Touch]:
    """Return the events that touched one thing, the newest ``limit`` of them, in order."""
    if entity >= GIVEN:
        return _given(view, entity - GIVEN, limit) if not roles or "called" in roles else []
    marks = f"AND t.role IN ({','.join('?' * len(roles))})" if roles else ""
    sql = (
        f"SELECT {_TOUCH} FROM touches t JOIN events e ON e.n = t.n"
        f" JOIN entities x ON x.id = t.entity WHERE t.entity = ? {marks} ORDER BY t.n DESC LIMIT ?"
    )
    return [Touch(*row) for row in view.rows(sql, entity, *roles, limit)][::-1]


def _given(view: View, number: int, limit: int) -> list[Touch]:
    """Return the calls that were given one value, by its print."""
    value = format(number, f"0{2 * VALUE}x")
    rows = view.rows(
        "SELECT g.n, e.ts, e.agent FROM given g JOIN events e ON e.n = g.n WHERE g.print = ? ORDER BY g.n DESC LIMIT ?",
        number, limit,
    )  # fmt: skip
    return [Touch(n, ts, agent, "called", "value", value, "called") for n, ts, agent in rows][::-1]


def events_of(
    view: View,
    agent_id: str,
    kinds: Sequence[str] = (),
    after: int = -1,
    before: int | None = None,
    most: int = -1,
) -> list[int]:
    """Return the indexes of an agent's events, in order, of some kinds, behind ``after`` and before ``before``.

    ``most`` is how many of them are returned at most, the first ones; -1 for all.
    """
    sql = "SELECT n FROM events WHERE agent = ? AND n > ?"
    values: list[Any] = [agent_id, after]
    if before is not None:
        sql += " AND n < ?"
        values.append(before)
    if kinds:
        sql += f" AND kind IN ({','.join('?' * len(kinds))})" + (f" AND {RARE}" if COMMON.isdisjoint(kinds) else "")
        values += kinds
    return [row[0] for row in view.rows(sql + " ORDER BY n LIMIT ?", *values, most)]


def of_kind(view: View, kind: str) -> list[int]:
    """Return the indexes of all events of one kind, in order; the kind is neither that of calls nor that of results."""
    return [row[0] for row in view.rows(f"SELECT n FROM events WHERE kind = ? AND {RARE} ORDER BY n", kind)]


def result_of(view: View, n: int) -> int | None:
    """Return the index of the result of call ``n``, the last one if the host sent several."""
    row = view.one("SELECT max(dst) FROM causes WHERE src = ? AND why = 'returns'", n)
    return row[0] if row else None


def second_looks(view: View, n: int) -> list[int]:
    """Return the indices of the second looks at what call ``n`` wrote, in order."""
    return [row[0] for row in view.rows("SELECT dst FROM causes WHERE src = ? AND why = 'looked' ORDER BY dst", n)]


def deeds(view: View, n: int) -> list[int]:
    """Return the indices of the events that say what the processes of call ``n`` did, in order."""
    return [row[0] for row in view.rows("SELECT dst FROM causes WHERE src = ? AND why = 'did' ORDER BY dst", n)]


def answers(view: View, n: int) -> list[int]:
    """Return the indices of the answers to the question that decision ``n`` asked, and of its time-outs, in order."""
    return [row[0] for row in view.rows("SELECT dst FROM causes WHERE src = ? AND why = 'answered' ORDER BY dst", n)]


def intent_of(view: View, n: int) -> int | None:
    """Return the index of the call that ``n`` is the result of."""
    row = view.one("SELECT src FROM causes WHERE dst = ? AND why = 'returns'", n)
    return row[0] if row else None


def intents_of(view: View, numbers: Iterable[int]) -> dict[int, int]:
    """Return, for the results among ``numbers``, the call that each is the result of."""
    out: dict[int, int] = {}
    for chunk in _chunks(numbers):
        marks = ",".join("?" * len(chunk))
        out.update(view.rows(f"SELECT dst, src FROM causes WHERE dst IN ({marks}) AND why = 'returns'", *chunk))
    return out


def outcomes(view: View, numbers: Iterable[int]) -> dict[int, Outcome]:
    """Return what became of many calls; events that are not calls are left out."""
    out: dict[int, Outcome] = {}
    for chunk in _chunks(numbers):
        marks = ",".join("?" * len(chunk))
        sql = (
            "SELECT e.n, e.enforced, coalesce(r.came, 0) FROM events e LEFT JOIN causes c ON c.src = e.n"
            f" AND c.why = 'returns' LEFT JOIN events r ON r.n = c.dst WHERE e.n IN ({marks})"
            " AND e.kind = 'call.decided' ORDER BY e.n, c.dst"
        )
        for n, enforced, came in view.rows(sql, *chunk):
            out[n] = _outcome(enforced, came)
    return out


def _outcome(enforced: str, came: int) -> Outcome:
    """Return what became of a call, from what it was told and what its result says (see the schema)."""
    refused = enforced in {"deny", "error"}
    if not came:
        if refused:
            return "refused"
        return "asked" if enforced == "ask" else "no result seen"
    if refused:
        # Hosts report a call that was refused as one that failed.
        return "ran despite the refusal" if came & WELL else "refused"
    if not came & RAN:
        return "not run"
    return "done" if came & WELL else "failed"


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    chosen = sorted(set(numbers))
    for at in range(0, len(chosen), _CHUNK):
        yield chosen[at : at + _CHUNK]
