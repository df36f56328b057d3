"""What a verification says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

UNKNOWABLE = (
    "Whoever holds the log's key and the disk can sign another history; a checkpoint kept elsewhere shows that.",
    "Events behind the last checkpoint are covered by checksums only.",
    "A record says what it was told: what never reached it is visible only where a source's numbers or a gap show it.",
)
"""What a record on one machine cannot show, whatever the outcome. Assurance level ``local``."""

_MOST = 50


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was written. ``event`` is the index it was found at, or -1."""

    check: str
    detail: str
    event: int = -1

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True)
class Gap:
    """Something that the record itself says is missing or could not be seen, with the event that says so.

    Attributes:
        what: ``spool``, ``unseen-call``, ``lost-result``, ``outage`` (as recorded), ``lost`` (messages of a source),
            ``recovered`` (a torn tail was cut), ``killed`` (a daemon did not end in good order), ``clock`` (the wall
            clock jumped).
        event: Index of the event that says so.
        count: How many, in the unit of ``what``: messages, calls, bytes cut, microseconds for ``clock``.
        since: Start, microseconds since 1970 UTC, or 0.
        until: End, or 0.
        detail: For a person.
    """

    what: str
    event: int
    count: int = 1
    since: int = 0
    until: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Cosigned:
    """The checkpoint that witnesses cosigned last.

    Attributes:
        size: Number of events that it covers.
        since: Since when the quorum stands, seconds since 1970 UTC; 0 if it does not.
        by: The witnesses, by their names in the policy.
    """

    size: int = 0
    since: int = 0
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The outcome.

    Attributes:
        ok: Whether no check found a problem.
        events: Number of whole events in the journal.
        sealed: How many of them the checkpoint covers.
        root: Root of the checkpoint, hex; empty if there is none.
        origin: The log's name.
        vkey: The key that was used.
        vkey_given: Whether the caller gave it; otherwise it came from the record itself and proves less.
        problems: What was found, in order, at most 50 of each check.
        more: How many further problems were left out.
        gaps: What the record says is missing.
        tail: Bytes behind the last event that are no whole event: a commit under way, or cut short by a crash.
        last_index: Index of the last event, -1 if there is none.
        first_ts: Its first event's wall clock, microseconds since 1970 UTC.
        last_ts: Its last event's.
        kinds: Number of events of each kind.
        sources: Number of events of each source.
        open_calls: Per source, calls that were let through and whose result never came.
        despite: Indexes of results of calls that had been denied: the host did not obey.
        assurance: ``witnessed`` where the witnesses of the given policy vouch for the record and did so lately enough;
            else ``local``: nobody outside this machine does.
        cosigned: What they cosigned last; None where no policy was given.
        erased: Indexes of the events that say that content was erased.
        roots: Roots (hex) of the first so many events, by the numbers that were asked for and that the journal holds.
        unknowable: See :data:`UNKNOWABLE`.
    """

    ok: bool
    events: int
    sealed: int
    root: str
    origin: str
    vkey: str
    vkey_given: bool
    problems: tuple[Problem, ...]
    more: int
    gaps: tuple[Gap, ...]
    tail: int
    last_index: int
    first_ts: int
    last_ts: int
    kinds: dict[str, int]
    sources: dict[str, int]
    open_calls: dict[str, int]
    despite: tuple[int, ...]
    assurance: str = "local"
    cosigned: Cosigned | None = None
    erased: tuple[int, ...] = ()
    roots: dict[int, str] = field(default_factory=dict)
    unknowable: tuple[str, ...] = UNKNOWABLE


@dataclass
class Problems:
    """Problems as they are found; beyond 50 of one check they are only counted."""

    found: list[Problem] = field(default_factory=list)
    more: int = 0
    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, check: str, detail: str, event: int = -1) -> None:
        """Take in a problem of ``check``, found at ``event``."""
        self._counts[check] += 1
        if self._counts[check] <= _MOST:
            self.found.append(Problem(check, detail, event))
        else:
            self.more += 1

    def take(self, others: Problems) -> None:
        """Take in what others found."""
        self.more += others.more
        for one in others.found:
            self.add(one.check, one.detail, one.event)
