"""The tables of the view.

Everything in them follows from the record, and in the record's order, so that two views of one record are equal row
for row however they came about. ``n`` is always the index of an event in the record.
"""

from __future__ import annotations

FORMAT = 8
"""Version of these tables. A view of another version is rebuilt, never migrated."""

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE events(
  n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, agent TEXT NOT NULL,
  verdict TEXT NOT NULL, enforced TEXT NOT NULL, tool TEXT NOT NULL, name TEXT NOT NULL, call TEXT NOT NULL,
  spawns INTEGER NOT NULL, opaque INTEGER NOT NULL, came INTEGER NOT NULL, secret INTEGER NOT NULL);
CREATE TABLE leaves(n INTEGER PRIMARY KEY, leaf BLOB NOT NULL, beside BLOB NOT NULL);

CREATE TABLE entities(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, backwards TEXT,
  UNIQUE(value, kind));
CREATE TABLE touches(n INTEGER NOT NULL, entity INTEGER NOT NULL, role TEXT NOT NULL,
  deed TEXT NOT NULL, PRIMARY KEY(n, entity, role)) WITHOUT ROWID;
CREATE TABLE sketches(print INTEGER NOT NULL, n INTEGER NOT NULL);
CREATE TABLE given(print INTEGER NOT NULL, n INTEGER NOT NULL);

CREATE TABLE agents(
  id TEXT PRIMARY KEY, n INTEGER NOT NULL, ts INTEGER NOT NULL, charter TEXT NOT NULL, digest TEXT NOT NULL,
  parent TEXT NOT NULL, root TEXT NOT NULL, depth INTEGER NOT NULL, sponsor TEXT NOT NULL, sponsor_name TEXT NOT NULL,
  human TEXT NOT NULL,
  purpose TEXT NOT NULL, how TEXT NOT NULL, door TEXT NOT NULL, session TEXT NOT NULL, host_agent TEXT NOT NULL,
  mode TEXT NOT NULL, expires INTEGER NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, boot TEXT NOT NULL,
  container TEXT NOT NULL, home TEXT NOT NULL, repo TEXT NOT NULL, cwd TEXT NOT NULL, commit_id TEXT NOT NULL,
  branch TEXT NOT NULL, ended_n INTEGER, ended_ts INTEGER, ended_how TEXT,
  heard INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE causes(src INTEGER NOT NULL, why TEXT NOT NULL, dst INTEGER NOT NULL, confidence TEXT NOT NULL,
  PRIMARY KEY(src, why, dst)) WITHOUT ROWID;
CREATE TABLE labels(agent TEXT NOT NULL, name TEXT NOT NULL, origin INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(agent, name, origin)) WITHOUT ROWID;

CREATE TABLE charters(n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
  signer TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE gaps(n INTEGER NOT NULL, ts INTEGER NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL,
  since INTEGER NOT NULL, until INTEGER NOT NULL, answered TEXT NOT NULL, detail TEXT NOT NULL,
  agent TEXT NOT NULL, door TEXT NOT NULL, PRIMARY KEY(n, what)) WITHOUT ROWID;
CREATE TABLE sources(id TEXT PRIMARY KEY, events INTEGER NOT NULL, seq INTEGER NOT NULL, prev TEXT NOT NULL,
  first_ts INTEGER NOT NULL, last_ts INTEGER NOT NULL, lost INTEGER NOT NULL, skipped INTEGER NOT NULL,
  broken INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE open_calls(n INTEGER PRIMARY KEY, agent TEXT NOT NULL, source TEXT NOT NULL, enforced TEXT NOT NULL);
CREATE TABLE contents(n INTEGER PRIMARY KEY, told INTEGER NOT NULL, until INTEGER NOT NULL, erased INTEGER);
CREATE TABLE erasures(n INTEGER PRIMARY KEY, what TEXT NOT NULL, handle TEXT NOT NULL);
CREATE TABLE tallies(what TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX events_spawns ON events(agent, n) WHERE spawns;
"""
"""What stands in ``events`` beside what an event says:

- ``opaque``: 1 for a program whose inner effects nobody sees, 2 where its agent was not alive then, as far as the
  record knows.
- ``came``: of a result, the sum of 1, 2 if it went well, 4 if the call ran, and 8 if it went well although the call
  was refused; else 0.
- ``secret``: whether it met a secret or a credential.

``touches.deed`` says what was really done with a host where ``role`` only says that something was sent, and is empty
where the role says it. ``given`` has the values that calls were given, by their prints. ``heard`` says of an agent
whether what its processes do is heard from its birth on.

Tables whose keys come in the record's order have them; one whose key is random has an index instead, so that a view
can be made anew without a random write for each of them. The one index among them is asked while entries are folded."""

INDEXES = """
CREATE INDEX events_agent ON events(agent, n, kind);
CREATE INDEX events_call ON events(call, n) WHERE call != '';
CREATE INDEX events_refused ON events(n) WHERE verdict != '' AND verdict != 'allow';
CREATE INDEX events_opaque ON events(agent, n) WHERE opaque;
CREATE INDEX events_stray ON events(agent, n) WHERE opaque = 2;
CREATE INDEX events_despite ON events(n) WHERE came >= 8;
CREATE INDEX events_secret ON events(agent, n) WHERE secret;
CREATE INDEX events_rare ON events(kind, n) WHERE kind NOT IN ('call.decided', 'call.result');
CREATE INDEX events_rare_of ON events(agent, n, kind) WHERE kind NOT IN ('call.decided', 'call.result');
CREATE INDEX sketches_print ON sketches(print, n);
CREATE INDEX given_print ON given(print, n);
CREATE INDEX entities_backwards ON entities(backwards) WHERE backwards IS NOT NULL;
CREATE INDEX touches_entity ON touches(entity, n, role, deed);
CREATE INDEX agents_n ON agents(n);
CREATE INDEX agents_parent ON agents(parent, n);
CREATE INDEX agents_root ON agents(root, n);
CREATE INDEX agents_charter ON agents(charter, n);
CREATE INDEX agents_digest ON agents(digest, n);
CREATE INDEX agents_session ON agents(session, n);
CREATE INDEX agents_sponsor ON agents(sponsor, n);
CREATE INDEX agents_sponsor_name ON agents(sponsor_name, n);
CREATE INDEX agents_pid ON agents(pid, n);
CREATE INDEX agents_host_agent ON agents(host_agent, n);
CREATE INDEX agents_container ON agents(container, n);
CREATE INDEX agents_repo ON agents(repo, n);
CREATE INDEX agents_home ON agents(home);
CREATE INDEX agents_living ON agents(n) WHERE ended_n IS NULL;
CREATE INDEX agents_vanished ON agents(n) WHERE ended_how = 'vanished';
CREATE INDEX agents_door ON agents(door, ts, ended_ts, heard);
CREATE INDEX sources_lacking ON sources(id) WHERE lost OR skipped OR broken;
CREATE INDEX causes_dst ON causes(dst, why);
CREATE INDEX labels_origin ON labels(origin, n);
CREATE INDEX charters_digest ON charters(digest);
CREATE INDEX open_calls_source ON open_calls(source);
"""

RARE = "kind NOT IN ('call.decided', 'call.result')"
"""What a query by kind says beside the kind, to be answered from the index of rare events rather than from all."""

COMMON = frozenset({"call.decided", "call.result"})
"""The kinds that are not rare."""

NAMES = (
    "meta", "events", "leaves", "entities", "touches", "sketches", "given", "agents", "causes", "labels", "charters",
    "gaps", "sources", "open_calls", "tallies", "contents", "erasures",
)  # fmt: skip
"""Every table, for comparing two views and for starting over."""


def statements(script: str) -> list[str]:
    """Return the statements of a script; each runs inside the caller's transaction, as ``executescript`` would not."""
    return [part for part in (piece.strip() for piece in script.split(";")) if part]
