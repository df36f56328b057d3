"""What could not be seen, and since when. No answer is worth more than this says.

Two things are kept apart: what was acknowledged and is missing (which would be our failure), and what never came
before our eyes (a daemon that was down, a program whose inner effects nobody sees).
"""

# ruff: noqa: S608 - every piece of SQL that is put together here is a constant of this file.
from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from outrider.investigate.listening import Listening, listening
from outrider.investigate.whose import whose

if TYPE_CHECKING:
    from outrider.store.view import View

MOST_LISTED = 1_000
"""Most gaps and sources listed one by one; the counts are always whole."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something known to be missing.

    Attributes:
        n: The event that says so.
        ts: Its time.
        what: ``spool``, ``unseen-call``, ``unreadable``, ``unjudged``, ``lost-result``, ``outage``, ``clock`` (the wall
            clock jumped), as recorded; ``torn-tail`` (never acknowledged bytes, cut at a start), ``down`` (the daemon
            had been stopped), ``killed``
            (it had not been), ``silent`` (it ran, and it or the machine stood still); ``transcript-unread`` and
            ``transcript-doubts`` of transcripts that were imported.
        count: How many, in the unit of ``what``.
        since: Start of the span, microseconds since 1970 UTC, 0 if unknown.
        until: End of the span, or 0.
        answered: What agents were told meanwhile: ``deny``, ``ask``, ``allow``, or empty.
        detail: For a person.
        agent: The agent that it is about, or empty. Of a hook that met no daemon it is told by its process and time.
        door: The door that it is about, or empty.
        whose: Of a hook that met no daemon: how its agent is known, or why it is not.
    """

    n: int
    ts: int
    what: str
    count: int
    since: int
    until: int
    answered: str
    detail: str
    agent: str = ""
    door: str = ""
    whose: str = ""


class SourceGap(msgspec.Struct, frozen=True, kw_only=True):
    """A source of which something is missing or out of order.

    Attributes:
        id: The source: a door and its session, or ``daemon``.
        events: Events of it that the record holds.
        lost: Messages that it said it had lost before they reached us.
        skipped: Sequence numbers that are not in the record.
        broken: Events that do not name the event before them: something was taken out or put in.
        first_ts: Time of its first event.
        last_ts: Time of its last event.
    """

    id: str
    events: int
    lost: int
    skipped: int
    broken: int
    first_ts: int
    last_ts: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What the record covers.

    Attributes:
        events: Events that the view holds. It may lag behind the record by what the caller has not caught up.
        since: Time of the first event.
        until: Time of the last event.
        agents: Agents born.
        living: Of these, not ended.
        vanished: Of these, ended without a word.
        unclaimed: Of these, without a charter of their own.
        in_flight: Calls without a result whose agent still lives.
        asked: Calls put to a person, without a result: not run, or the result was lost.
        results_without_intent: Results of calls that were never asked: a way around us.
        despite: Calls that ran although they were refused: the host did not obey.
        opaque: Calls let through of whose inner effects nothing is seen.
        cut: Calls of which some effects did not fit the record.
        erased: Events whose entities and fingerprints were erased or cannot be read.
        messages_not_believed: Messages that the daemon did not believe, of whoever sent them. Bundles of before call it
            ``refused``; it never was about calls.
        calls_refused: Calls that were refused, as agents were told.
        imported: Prompts, calls and results that hosts' own transcripts tell of: nobody witnessed them, and whoever
            held a transcript could have changed it or left it out.
        gaps: What is known to be missing, the oldest first.
        sources: Sources with something missing.
        missing: Source to name of what is missing to how many; only what is not 0. Empty means that nothing
            acknowledged is missing.
        whole: True if nothing that may have been done is missing and no agent ended without a word: then "no" can be
            said about what we see. A time without a daemon does not spoil it by itself (hooks that met none leave a
            spool line each), nor do calls that were answered with deny.
        assurance: How much the record proves: ``local``, ``separate-user``, ``witnessed`` or ``hub``.
        statement: A few sentences for a person.
        heard: Agents of which the kernel told what their processes did, under `outrider run` or with a sensor. Of all
            others only their doors told.
        listened: What could not be seen because nobody listened for it, a sentence; empty where the kernel told of all.
    """

    events: int
    since: int
    until: int
    agents: int
    living: int
    vanished: int
    unclaimed: int
    in_flight: int
    asked: int
    results_without_intent: int
    despite: int
    opaque: int
    cut: int
    erased: int
    messages_not_believed: int
    imported: int
    gaps: tuple[Gap, ...]
    sources: tuple[SourceGap, ...]
    missing: dict[str, dict[str, int]]
    whole: bool
    assurance: str
    statement: str
    calls_refused: int = 0
    heard: int = 0
    listened: str = ""


def coverage(view: View) -> Coverage:
    """Return what the record covers and what it is known to lack."""
    with view.snapshot():
        tally: dict[str, int] = dict(view.rows("SELECT what, count FROM tallies"))
        first = view.one("SELECT ts FROM events ORDER BY n LIMIT 1")
        gaps = gaps_of(view)
        sources = _sources(view)
        missing = _missing(view, gaps, sources)
        unseen = _missing(view, tuple(gap for gap in gaps if gap.answered != "deny"), sources)
        seen = {
            "living": _count(view, "SELECT count(*) FROM agents WHERE ended_n IS NULL"),
            "vanished": _count(view, "SELECT count(*) FROM agents WHERE ended_how = 'vanished'"),
            "unclaimed": _count(view, "SELECT count(*) FROM agents WHERE charter = 'unclaimed'"),
            "in_flight": _count(view, f"SELECT count(*) FROM {_OPEN} AND a.ended_n IS NULL AND o.enforced != 'ask'"),
            "asked": _count(view, "SELECT count(*) FROM open_calls WHERE enforced = 'ask'"),
        }
        counts = {
            "events": view.size,
            "agents": tally.get("births", 0),
            "results_without_intent": tally.get("results without an intent", 0),
            "despite": tally.get("ran despite a refusal", 0),
            "opaque": tally.get("opaque", 0),
            "cut": tally.get("effects cut", 0),
            "erased": tally.get("beside erased", 0) + tally.get("beside unreadable", 0),
            "messages_not_believed": tally.get("messages refused", 0),
            "calls_refused": tally.get("calls refused", 0),
            "imported": tally.get("steps imported", 0),
            **seen,
        }
        told = listening(view, counts["agents"], tally.get("births heard", 0), imported=bool(counts["imported"]))
        return Coverage(
            since=first[0] if first else 0,
            until=int(view.meta("last_ts", 0)),
            gaps=gaps,
            sources=sources,
            missing=missing,
            whole=not unseen and not seen["vanished"] and not tally.get("transcripts read", 0),
            assurance=view.assurance,
            statement=_statement(counts, missing, gaps, told),
            heard=told.heard,
            listened=told.statement,
            **counts,
        )


def gaps_of(view: View, since: int = 0) -> tuple[Gap, ...]:
    """Return what is known to be missing at ``since`` (microseconds since 1970 UTC) or later, the oldest first."""
    rows = view.rows("SELECT * FROM gaps WHERE max(ts, until) >= ? ORDER BY n LIMIT ?", since, MOST_LISTED)
    gaps = [Gap(**dict(zip(_ROW, row, strict=True))) for row in rows]
    known = whose(view, ((gap.n, gap.since or gap.ts, gap.detail) for gap in gaps if gap.what == "spool"))
    return tuple(_named(gap, *known[gap.n]) if gap.n in known else gap for gap in gaps)


def _named(gap: Gap, agent: str, words: str) -> Gap:
    """Return a gap with its agent: the daemon's own word for it first, which knew the process by its start, too."""
    if gap.agent:
        return msgspec.structs.replace(gap, whose=f"of {gap.agent}: the daemon found its host's process alive")
    return msgspec.structs.replace(gap, agent=agent, whose=words)


_ROW = tuple(name for name in Gap.__struct_fields__ if name != "whose")


_AWAY = frozenset({"down", "killed", "silent"})
_OPEN = "open_calls o JOIN agents a ON a.id = o.agent WHERE 1"


def _count(view: View, sql: str) -> int:
    row = view.one(sql)
    return int(row[0]) if row else 0


def _sources(view: View) -> tuple[SourceGap, ...]:
    rows = view.rows(
        "SELECT id, events, lost, skipped, broken, first_ts, last_ts FROM sources"
        " WHERE (lost OR skipped OR broken) AND id NOT LIKE 'spool-%' ORDER BY id LIMIT ?",
        MOST_LISTED,
    )
    return tuple(SourceGap(**dict(zip(SourceGap.__struct_fields__, row, strict=True))) for row in rows)


def _missing(view: View, gaps: tuple[Gap, ...], sources: tuple[SourceGap, ...]) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}

    def add(source: str, what: str, count: int) -> None:
        if count:
            of = out.setdefault(source, {})
            of[what] = of.get(what, 0) + count

    ended = f"SELECT o.source, count(*) FROM {_OPEN} AND a.ended_n IS NOT NULL AND o.enforced != 'ask' GROUP BY 1"
    for source, count in view.rows(ended):
        add(source or "daemon", "intents_without_results", count)
    for row in sources:
        add(row.id, "messages_lost", row.lost)
        add(row.id, "events_skipped", row.skipped)
        add(row.id, "links_broken", row.broken)
    named = {
        "spool": "spool_without_events", "unseen-call": "calls_unseen", "ungoverned": "calls_ungoverned",
        "lost-result": "results_lost",
        "model-input-unseen": "model_inputs_unseen",
        "unreadable": "messages_unreadable", "unjudged": "calls_unjudged",
        "transcript-unread": "transcript_lines_unread", "transcript-doubts": "doubtful_places_in_transcripts",
    }  # fmt: skip
    for gap in gaps:
        if gap.what in named:
            add("daemon", named[gap.what], gap.count)
        elif gap.what not in _AWAY and gap.what not in {"torn-tail", "clock"}:
            add("daemon", gap.what, gap.count)
    return out


def _counted(count: int, what: str) -> str:
    """Return ``1 call unseen`` of ``calls_unseen``: the first word that is a plural is cut where it is one."""
    words = what.replace("_", " ").split()
    if count == 1:
        at = next((place for place, word in enumerate(words) if word.endswith("s") and len(word) > 3), None)
        if at is not None:
            words[at] = words[at].removesuffix("s")
    return f"{count:,} {' '.join(words)}"


def _statement(
    counts: dict[str, int], missing: dict[str, dict[str, int]], gaps: tuple[Gap, ...], told: Listening
) -> str:
    total: dict[str, int] = {}
    for of in missing.values():
        for what, count in of.items():
            total[what] = total.get(what, 0) + count
    if total:
        known = "; ".join(_counted(count, what) for what, count in sorted(total.items()))
        first = f"Known to be missing: {known}."
    else:
        first = f"Nothing acknowledged is missing: {counts['events']:,} events of {counts['agents']:,} agents."
    if counts["imported"]:
        first = (
            f"Imported from hosts' own transcripts, not witnessed: {counts['imported']:,} steps, which whoever held"
            f" them could have changed or left out. {first}"
        )
    unseen = []
    if counts["opaque"]:
        unseen.append(f"{counts['opaque']:,} programs ran whose inner effects nobody sees")
    outages = [gap for gap in gaps if gap.what in _AWAY]
    if outages:
        lasted = sum(max(0, gap.until - gap.since) for gap in outages) / 1e6
        unseen.append(f"no daemon for {lasted:,.0f} s in {len(outages)} spans")
    for name, words in (
        ("results_without_intent", "calls ran without being asked for"),
        ("despite", "calls ran despite a refusal"),
        ("vanished", "agents ended without a word"),
        ("in_flight", "calls are still under way"),
        ("erased", "events have had their details erased"),
        ("cut", "calls had more effects than fit the record"),
    ):
        if counts[name]:
            unseen.append(f"{counts[name]:,} {words}")
    if unseen or told.statement:
        parts = [first, f"Not seen: {'; '.join(unseen)}." if unseen else "", told.statement]
        return " ".join(part for part in parts if part)
    return f"{first} Nothing {'else ' if total else ''}is known to be unseen."
