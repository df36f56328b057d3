"""From entries of the record to rows of the view: the one place that knows what each event means to the tables.

A :class:`Fold` is fed entries in the record's order and hands its rows to SQLite in bulk. What it remembers between
entries is a cache of what the tables hold; it can be thrown away at any point without changing a single row.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from outrider.errors import BadInputError, RecordError
from outrider.events.codec import decode, decode_beside
from outrider.events.content import ContentErased, ContentKept
from outrider.events.event import Source
from outrider.events.imported import TranscriptRead
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AnyEvent,
    AskAnswered,
    AskTimedOut,
    Beside,
    CallDecided,
    CallResult,
    CharterLoaded,
    DaemonStarted,
    DaemonStopped,
    DeedsSeen,
    LabelsJoined,
    Prompted,
    RecordGap,
    RecordOpened,
    RecordRecovered,
    Refusal,
    SecondLook,
)
from outrider.events.sensor import SensorState
from outrider.store.carrying import HOSTS, carried_by
from outrider.store.keys import DESPITE, RAN, SECRETS, WELL, backwards, values_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from outrider.events.call import Label

    Opens = Callable[[Beside], Beside]

SKETCH: Final = 3
"""How many of an event's fingerprints (the smallest) are indexed. Prints are uniform, so equal content has equal
smallest prints and alike content probably shares one (bottom-k sketch, Broder 1997)."""

_CACHE: Final = 200_000
_INSERTS: Final = {
    "events": "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "leaves": "INSERT INTO leaves VALUES (?,?,?)",
    "entities": "INSERT INTO entities VALUES (?,?,?,?)",
    "touches": "INSERT OR IGNORE INTO touches VALUES (?,?,?,?)",
    "sketches": "INSERT INTO sketches VALUES (?,?)",
    "given": "INSERT INTO given VALUES (?,?)",
    "agents": "INSERT OR IGNORE INTO agents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"
    ",NULL,NULL,NULL,?)",
    "ends": "UPDATE agents SET ended_n = ?, ended_ts = ?, ended_how = ? WHERE id = ? AND ended_n IS NULL",
    "revived": "UPDATE agents SET ended_n = NULL, ended_ts = NULL, ended_how = NULL WHERE id = ?",
    "causes": "INSERT OR IGNORE INTO causes VALUES (?,?,?,?)",
    "labels": "INSERT OR IGNORE INTO labels VALUES (?,?,?,?)",
    "charters": "INSERT INTO charters VALUES (?,?,?,?,?,?)",
    "gaps": "INSERT INTO gaps VALUES (?,?,?,?,?,?,?,?,?,?)",
    "contents": "INSERT OR IGNORE INTO contents VALUES (?,?,?,NULL)",
    "closed": "DELETE FROM open_calls WHERE n = ?",
}
_FORGET: Final = tuple(
    # outrider: allow code.python-sql-from-string -- the names are this module's own
    f"UPDATE agents SET sponsor_name = '', human = '', home = '', repo = '', cwd = '' WHERE {column} = ?"  # noqa: S608
    for column in ("sponsor", "id")
)
_ERASED: Final = "UPDATE contents SET erased = ? WHERE erased IS NULL AND "
_OF: Final = (
    "n IN (SELECT events.n FROM events JOIN agents ON agents.id = events.agent WHERE agents.sponsor = ?)",
    "n IN (SELECT n FROM events WHERE agent = ?)",
)
_OPENED = "INSERT INTO open_calls VALUES (?,?,?,?)"
_SOURCE = "INSERT OR REPLACE INTO sources VALUES (?,?,?,?,?,?,?,?,?)"
SPAWNER: Final = (
    "SELECT n FROM events WHERE agent = ? AND spawns AND n < ? AND NOT EXISTS"
    " (SELECT 1 FROM causes WHERE src = events.n AND why = 'spawn') ORDER BY n LIMIT 1"
)
"""Finds the call that asked for a birth; asked for every child, so it must never read all events."""
_TALLY = "INSERT INTO tallies VALUES (?, ?) ON CONFLICT(what) DO UPDATE SET count = count + excluded.count"


NEVER: Final = 1 << 62


def _silence(heartbeat: int) -> int:
    """Return the microseconds without any event after which a running daemon must have stood still.

    A heartbeat is written within a second of being due; twice its time is no slowness of a busy machine any more.
    """
    return min((2 * heartbeat + 5) * 1_000_000, NEVER) if heartbeat > 0 else NEVER


def as_it_is(beside: Beside) -> Beside:
    """Return a beside as it lies in the journal: nobody here has keys."""
    return beside


def _explains(event: AnyEvent) -> bool:
    """Return whether an event itself says why the clock shows so much more than at the one before it."""
    return event.__class__ is DaemonStarted or (isinstance(event, RecordGap) and event.what == "clock")


class Fold:
    """Turns entries into rows.

    Attributes:
        size: Index of the next entry.
        last_hash: RFC 6962 hash of the last leaf, hex, or empty.
        origin: Origin line of the record, once event 0 was seen.
        erased: Whether rows were emptied whose old pages still lie in the file's log.
    """

    def __init__(
        self, db: sqlite3.Connection, size: int, last_hash: str, last_ts: int, origin: str, opened: Opens = as_it_is
    ) -> None:
        self.size = size
        self.erased = False
        self._opened_beside = opened
        self.last_hash = last_hash
        self.last_ts = last_ts
        self.origin = origin
        self._db = db
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _INSERTS}
        self._opened: dict[int, tuple[Any, ...]] = {}
        self._entities: dict[tuple[str, str], int] = {}
        self._older: dict[tuple[str, str], int] = {}
        self._holds_all = size == 0
        self._next_entity = int(db.execute("SELECT coalesce(max(id), 0) FROM entities").fetchone()[0]) + 1
        self._sources: dict[str, list[Any]] = {}
        self._dirty: set[str] = set()
        self._labels: dict[str, set[tuple[str, int]]] = {}
        self._living: dict[str, bool] = {}
        self._refused: set[int] = set()
        self._tallies: dict[str, int] = {}
        daemon = db.execute("SELECT value FROM meta WHERE key = 'daemon'").fetchone()
        self._daemon = str(daemon[0]) if daemon else "none"
        silence = db.execute("SELECT value FROM meta WHERE key = 'silence'").fetchone()
        self._silence = int(silence[0]) if silence else NEVER
        listening = db.execute("SELECT value FROM meta WHERE key = 'listening'").fetchone()
        self._listening = int(listening[0]) if listening else 0

    def add(self, leaf: bytes, blob: bytes) -> None:
        """Take the next entry; an empty ``leaf`` is one that this view leaves out, and its number stays free.

        Raises:
            BadInputError: It is not an event, or of an unknown version.
            RecordError: It says that it stands elsewhere in the record.
        """
        n = self.size
        if not leaf:
            self.size = n + 1
            return
        event = decode(leaf)
        if event.n != n:
            raise RecordError(f"the event at {n} of the record says that it is number {event.n}")
        beside = self._beside(event, blob)
        digest = hashlib.sha256(b"\0" + leaf).hexdigest()
        rows = self._rows
        agent = event.agent
        kind = event.__struct_config__.tag
        if event.ts - self.last_ts > self._silence and not _explains(event):
            why = "a daemon ran and wrote nothing, though it says that it lives: it or the machine stood still"
            rows["gaps"].append((n, event.ts, "silent", 1, self.last_ts, event.ts, "", why, "", ""))
        rows["leaves"].append((n, leaf, blob))
        touches = rows["touches"]
        known = self._entities
        secret, carried = 0, None
        for entity in beside.entities:
            number = known.get((entity.kind, entity.value)) or self._entity(entity.kind, entity.value)
            deed = ""
            if entity.role == "sent" and entity.kind in HOSTS and event.__class__ is CallDecided:
                carried = carried or carried_by(event)
                deed = carried.deed(entity.kind, entity.value)
            touches.append((n, number, entity.role, deed))
            if entity.kind in SECRETS or entity.role == "credential":
                secret = 1
        if event.__class__ is CallDecided:
            rows["given"] += [(value, n) for value in values_of(beside)]
            self._decided(event, secret)
        else:
            call, came = ("", 0) if event.__class__ is not CallResult else (event.call, self._came(event))
            rows["events"].append((n, event.ts, kind, agent, "", "", "", "", call, 0, 0, came, secret))
            self._other(event, beside)
        prints = beside.prints
        least = {prints[at : at + 8] for at in range(0, min(len(prints), 8 * SKETCH) - 7, 8)}
        rows["sketches"] += [(int.from_bytes(one, "big", signed=True), n) for one in sorted(least)]
        if event.src is not None:
            self._heard(event.src, event.ts, digest)
        self.size = n + 1
        self.last_hash = digest
        self.last_ts = event.ts

    def flush(self) -> None:
        """Hand all rows to SQLite, in the caller's transaction."""
        for table, rows in self._rows.items():
            if rows:
                self._db.executemany(_INSERTS[table], rows)
                rows.clear()
        if self._opened:
            self._db.executemany(_OPENED, list(self._opened.values()))
            self._opened.clear()
        if self._dirty:
            self._db.executemany(_SOURCE, [(key, *self._sources[key]) for key in sorted(self._dirty)])
            self._dirty.clear()
        if self._tallies:
            self._db.executemany(_TALLY, sorted(self._tallies.items()))
            self._tallies.clear()
        self._refused.clear()
        notes = {
            "size": self.size, "last_hash": self.last_hash, "last_ts": self.last_ts, "origin": self.origin,
            "daemon": self._daemon, "silence": self._silence, "listening": self._listening,
        }  # fmt: skip
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(notes.items()))
        if len(self._entities) > _CACHE:
            self._older, self._entities = self._entities, {}
            self._holds_all = False
        for cache in (self._sources, self._labels, self._living):
            if len(cache) > _CACHE:
                cache.clear()

    def _beside(self, event: AnyEvent, blob: bytes) -> Beside:
        if not blob:
            if event.beside:
                self._tally("beside erased")
            return Beside()
        try:
            return self._opened_beside(decode_beside(blob))
        except BadInputError:
            # The leaf stands all the same, and what it says is not lost with what lay beside it.
            self._tally("beside unreadable")
            return Beside()

    def _decided(self, event: CallDecided, secret: int) -> None:
        n, decision = event.n, event.decision
        enforced = decision.enforced
        refused = enforced in {"deny", "error"}
        spawns = opaque = 0
        if refused:
            self._refused.add(n)
        else:
            spawns, opaque = self._does(event)
        self._rows["events"].append(
            (n, event.ts, "call.decided", event.agent, decision.verdict, enforced, event.tool, event.name, event.call,
             spawns, opaque, 0, secret)
        )  # fmt: skip
        carried = event.labels if refused else event.labels + event.adds
        if carried:
            self._carries(event.agent, carried, n)
        if event.permission:
            return
        self._tally("calls")
        self._tally(f"verdict {decision.verdict}")
        if refused:
            self._tally("calls refused")
        if opaque:
            self._tally("opaque")
        if event.cut:
            self._tally("effects cut")
        if not refused:
            self._opened[n] = (n, event.agent, event.src.id if event.src else "", enforced)

    def _does(self, event: CallDecided) -> tuple[int, int]:
        """Return whether a call that was let through asks for an agent, and what is kept of whether it is opaque."""
        spawns = opaque = 0
        for effect in event.effects:
            if effect.verb == "spawn":
                spawns = 1
            elif effect.verb == "opaque":
                opaque = 1
        return spawns, 2 if opaque and not self._lives(event.agent) else opaque

    def _other(self, event: AnyEvent, beside: Beside) -> None:  # noqa: C901, PLR0912, PLR0915 - one arm a kind of event
        n, ts, rows = event.n, event.ts, self._rows
        if isinstance(event, CallResult):
            self._result(event)
        elif isinstance(event, AgentBorn):
            self._born(event, beside)
        elif isinstance(event, AgentEnded):
            rows["ends"].append((n, ts, event.how, event.agent))
            self._living.pop(event.agent, None)
        elif isinstance(event, SecondLook):
            if 0 <= event.intent < n:
                rows["causes"].append((event.intent, "looked", n, "certain"))
        elif isinstance(event, DeedsSeen):
            rows["causes"] += [(call, "did", n, "certain") for call in sorted(event.deeds.calls) if call < n]
        elif isinstance(event, AskAnswered):
            if 0 <= event.answer.question < n:
                rows["causes"].append((event.answer.question, "answered", n, "certain"))
        elif isinstance(event, AskTimedOut):
            if 0 <= event.question < n:
                rows["causes"].append((event.question, "answered", n, "certain"))
        elif isinstance(event, Prompted):
            self._carries(event.agent, event.adds, n)
        elif isinstance(event, LabelsJoined):
            self._carries(event.agent, event.labels, n)
        elif isinstance(event, CharterLoaded):
            rows["charters"].append((n, ts, event.name, event.digest, event.signer, event.source))
        elif isinstance(event, RecordGap):
            rows["gaps"].append(
                (n, ts, event.what, event.count, event.since, event.until, event.answered, event.detail, event.agent,
                 event.door)
            )  # fmt: skip
        elif isinstance(event, TranscriptRead):
            self._transcript(event)
        elif isinstance(event, RecordRecovered):
            cut = "bytes cut; none was ever acknowledged"
            rows["gaps"].append((n, ts, "torn-tail", event.cut, 0, 0, "", cut, "", ""))
        elif isinstance(event, DaemonStarted):
            if self._daemon != "none":
                what = "killed" if self._daemon == "running" else "down"
                rows["gaps"].append((n, ts, what, 1, self.last_ts, ts, "", "no daemon between these times", "", ""))
            self._daemon, self._listening = "running", 0
            self._silence = _silence(event.heartbeat)
        elif isinstance(event, DaemonStopped):
            self._daemon, self._silence = "stopped", NEVER
        elif isinstance(event, Refusal):
            self._tally("messages refused")
        elif isinstance(event, RecordOpened):
            self.origin = event.origin
        elif isinstance(event, ContentKept | ContentErased):
            self._content(event)
        elif isinstance(event, SensorState):
            self._listening = int(event.state == "on")
        elif event.__struct_config__.tag == "agent.resumed":
            self._flush_order("agents")
            self._flush_order("ends")
            rows["revived"].append((event.agent,))
            self._flush_order("revived")
            self._living.pop(event.agent, None)

    def _transcript(self, event: TranscriptRead) -> None:
        """Count what was taken in without a witness; what is wrong with it is a gap."""
        self._tally("transcripts read")
        self._tally("steps imported", event.steps)
        for what, count in (("transcript-unread", event.unread), ("transcript-doubts", event.doubts)):
            if count:
                self._rows["gaps"].append((event.n, event.ts, what, count, 0, 0, "", event.detail, "", event.host))

    def _content(self, event: ContentKept | ContentErased) -> None:
        """Note what is kept, and empty what the view had of names that were erased; made anew it has none either."""
        if isinstance(event, ContentKept):
            self._rows["contents"] += [(one.of, event.n, one.until) for one in event.kept]
            return
        for table in ("agents", "events", "contents"):
            self._flush_order(table)
        self._tally("erasures")
        self._db.execute("INSERT INTO erasures VALUES (?, ?, ?)", (event.n, event.what, event.handle))
        if event.what == "age":
            self._db.execute(_ERASED + "until > 0 AND until <= ?", (event.n, event.before))
        elif event.what == "event":
            self._db.executemany(_ERASED + "n = ?", [(event.n, n) for n in event.events])
        else:
            self._db.execute(_ERASED + _OF[event.what == "agent"], (event.n, event.handle))
            self._db.execute(_FORGET[event.what == "agent"], (event.handle,))
            self.erased = True

    def _result(self, event: CallResult) -> None:
        self._tally("results")
        if event.adds:
            self._carries(event.agent, event.adds, event.n)
        if event.despite:
            self._tally("ran despite a refusal")
        if not 0 <= event.intent < event.n:
            self._tally("results without an intent")
            return
        self._rows["causes"].append((event.intent, "returns", event.n, "certain"))
        if self._opened.pop(event.intent, None) is None:
            self._rows["closed"].append((event.intent,))

    def _came(self, event: CallResult) -> int:
        """Return what is kept of what a result says, as the schema has it."""
        came = 1 + WELL * event.ok + RAN * event.ran
        if not event.ok or not 0 <= event.intent < event.n or event.intent in self._opened:
            return came
        if event.intent not in self._refused:
            found = self._db.execute("SELECT enforced FROM events WHERE n = ?", (event.intent,)).fetchone()
            if found is None or found[0] not in {"deny", "error"}:
                return came
        return came + DESPITE

    def _lives(self, agent: str) -> bool:
        """Return whether an agent was born and has not ended, as far as the entries say until now."""
        lives = self._living.get(agent)
        if lives is None:
            self._flush_order("agents")
            self._flush_order("ends")
            found = self._db.execute("SELECT 1 FROM agents WHERE id = ? AND ended_n IS NULL", (agent,)).fetchone()
            lives = self._living[agent] = found is not None
        return lives

    def _hears(self, event: AgentBorn) -> int:
        """Return whether what an agent's processes do is heard from its birth on.

        Whoever comes under ``outrider run``, and who is below it, is heard where the kernel tells; another one while a
        sensor listens.
        """
        if event.root != event.agent:
            self._flush_order("agents")
            found = self._db.execute("SELECT how, heard FROM agents WHERE id = ?", (event.root,)).fetchone()
            return int(found[1]) if found and found[0] == "run" else self._listening
        if event.how == "run":
            return int(event.held is not None and event.held.seen)
        return self._listening

    def _born(self, event: AgentBorn, beside: Beside) -> None:
        if self._rows["ends"]:
            # An end counts for the births before it only, also when both come in one batch.
            self._flush_order("agents")
            self._flush_order("ends")
        at, private, heard = event.attested, beside.private, self._hears(event)
        self._rows["agents"].append(
            (event.agent, event.n, event.ts, event.charter, event.digest, event.parent, event.root, event.depth,
             event.sponsor, private.get("sponsor", ""), private.get("human", ""), event.purpose, event.how, event.door,
             event.session, event.host_agent, event.mode, event.expires, at.pid, at.start, at.boot, at.container,
             private.get("home", ""), private.get("repo", ""), private.get("cwd", ""), at.commit, at.branch,
             heard)
        )  # fmt: skip
        self._living.pop(event.agent, None)
        self._labels[event.agent] = set()
        if event.narrowed:
            digest = "sha256:" + hashlib.sha256(event.narrowed.encode()).hexdigest()
            self._rows["charters"].append((event.n, event.ts, "narrowed", digest, "", event.narrowed))
        self._tally("births")
        if heard:
            self._tally("births heard")
        if event.labels:
            self._carries(event.agent, event.labels, event.n)
        if event.parent:
            self._spawned(event)

    def _spawned(self, event: AgentBorn) -> None:
        """Tie a birth to the earliest call of its parent that asks for an agent and has none yet."""
        self._flush_order("events")
        self._flush_order("causes")
        row = self._db.execute(SPAWNER, (event.parent, event.n)).fetchone()
        if row:
            self._rows["causes"].append((row[0], "spawn", event.n, "likely"))

    def _flush_order(self, table: str) -> None:
        rows = self._rows[table]
        if rows:
            self._db.executemany(_INSERTS[table], rows)
            rows.clear()

    def _carries(self, agent: str, labels: Iterable[Label], n: int) -> None:
        carried = self._labels.get(agent)
        if carried is None:
            self._flush_order("labels")
            found = self._db.execute("SELECT name, origin FROM labels WHERE agent = ?", (agent,))
            carried = self._labels[agent] = set(found)
        for label in labels:
            origin = label.origin if label.origin >= 0 else n
            if (label.name, origin) not in carried:
                carried.add((label.name, origin))
                self._rows["labels"].append((agent, label.name, origin, n))

    def _entity(self, kind: str, value: str) -> int:
        number = self._older.get((kind, value), 0)
        if not number and not self._holds_all:
            found = self._db.execute("SELECT id FROM entities WHERE value = ? AND kind = ?", (value, kind)).fetchone()
            number = int(found[0]) if found else 0
        if not number:
            number = self._next_entity
            self._next_entity += 1
            tail = backwards(value) if kind in {"host", "email"} else None
            self._rows["entities"].append((number, kind, value, tail))
        self._entities[kind, value] = number
        return number

    def _heard(self, told: Source, ts: int, digest: str) -> None:
        key, seq = told.id, told.seq
        source = self._sources.get(key)
        if source is None:
            row = self._db.execute("SELECT * FROM sources WHERE id = ?", (key,)).fetchone()
            source = self._sources[key] = list(row[1:]) if row else [0, -1, "", ts, ts, 0, 0, 0]
        source[0] += 1
        if seq != source[1] + 1:
            source[6] += max(1, seq - source[1] - 1)
        elif told.prev != source[2]:
            source[7] += 1
        source[1], source[2], source[4] = seq, digest, ts
        source[5] += told.lost
        self._dirty.add(key)

    def _tally(self, what: str, count: int = 1) -> None:
        self._tallies[what] = self._tallies.get(what, 0) + count
