"""How fast the view takes the record in, is rebuilt, and answers the five questions.

    PYTHONPATH=src python bench/questions.py --events 200000 --json

The record is made up (one seed, one record): sessions and their sub-agents that read, write, fetch, commit; a tenth of
a percent of them meet one poisoned page and send something to one host. The baseline of the same run is SQLite alone:
the same leaves put into one table, and one empty point query.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.events.attestation import Attestation
from outrider.events.call import Effect, Label
from outrider.events.codec import beside_digest, encode, encode_beside
from outrider.events.decision import Decision
from outrider.events.event import Source
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    AnyEvent,
    Beside,
    CallDecided,
    CallResult,
    Commitment,
    DaemonStarted,
    Entity,
    Prompted,
    RecordOpened,
)
from outrider.investigate.answer import answer
from outrider.investigate.blast import blast
from outrider.investigate.cause import cause
from outrider.investigate.coverage import coverage
from outrider.investigate.involved import involved
from outrider.investigate.touched import touched
from outrider.investigate.why import why
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIGEST = "sha256:" + "ab" * 32
NOTHING = Commitment(c="0" * 64, size=100)


class Record:
    """A made-up record, held in memory as what a ledger would give."""

    def __init__(self, events: int, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.kept: list[tuple[bytes, bytes]] = []
        self.sources: dict[str, tuple[int, str]] = {}
        self.agents: list[str] = []
        self.leaks: list[int] = []
        self.commits: list[str] = []
        self.paths = [f"/home/u/repo/src/module_{i}/file_{i % 97}.py" for i in range(5_000)]
        self.hosts = [f"host{i}.example" for i in range(500)]
        self.put(RecordOpened, "daemon", origin="bench", vkey="none")
        self.put(DaemonStarted, "daemon", version="0", pid=1, boot="b")
        while self.size < events:
            self.session(len(self.agents))

    @property
    def size(self) -> int:
        """Number of events so far."""
        return len(self.kept)

    def keep(self, leaf: bytes, blob: bytes) -> None:
        """Take an event."""
        self.kept.append((leaf, blob))

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Give what is there from ``start`` on."""
        return iter(self.kept[start:] if start else self.kept)

    def put(self, kind: Any, told_by: str, /, beside: Beside | None = None, **fields: Any) -> int:
        """Append an event; return its index."""
        n = self.size
        blob = encode_beside(beside) if beside is not None else b""
        seq, prev = self.sources.get(told_by, (-1, ""))
        event: AnyEvent = kind(
            v=1, n=n, ts=1_790_000_000_000_000 + n * 1000, beside=beside_digest(blob),
            src=Source(id=told_by, seq=seq + 1, prev=prev), **fields,
        )  # fmt: skip
        leaf = encode(event)
        self.sources[told_by] = (seq + 1, hashlib.sha256(b"\0" + leaf).hexdigest())
        self.keep(leaf, blob)
        return n

    def prints(self, count: int, extra: tuple[bytes, ...] = ()) -> bytes:
        """Return as many random fingerprints."""
        return b"".join(sorted([self.random.randbytes(8) for _ in range(count)] + list(extra)))

    def born(self, session: str, parent: str = "", labels: tuple[Label, ...] = ()) -> str:
        """Let an agent be born; return its id."""
        agent = f"01J{len(self.agents):023d}"
        self.agents.append(agent)
        root = parent or agent
        beside = Beside(
            entities=(Entity("is", "session", session), Entity("is", "pid", str(len(self.agents)))),
            private={"sponsor": "u", "human": "u", "home": "/home/u", "repo": "/home/u/repo", "cwd": "/home/u/repo"},
        )
        self.put(
            AgentBorn, session, beside, agent=agent, charter=("researcher" if parent else "coder"), digest=DIGEST,
            chain=(DIGEST,), parent=parent, root=root, depth=int(bool(parent)), sponsor=f"p{len(self.agents) % 50}",
            how="subagent" if parent else "session", door="claude_code", session=session, expires=2**52,
            labels=labels, attested=Attestation(pid=len(self.agents), start=1, boot="b"),
        )  # fmt: skip
        return agent

    def call(
        self, agent: str, session: str, tool: str, effect: Effect, entity: Entity, *, control: bytes = b"",
        prints: bytes = b"", labels: tuple[Label, ...] = (), adds: tuple[Label, ...] = (),
        named: tuple[Entity, ...] = (),
    ) -> int:  # fmt: skip
        """Write a call and its result; return the call's index."""
        call = f"toolu_{len(self.kept):020d}"
        n = self.put(
            CallDecided, session, Beside(entities=(entity,), control=control or self.prints(4), prints=self.prints(12),
            salt=self.random.randbytes(32)), agent=agent, call=call, tool=tool, name=tool.title(), effects=(effect,),
            decision=Decision(verdict="allow", enforced="allow"), chain=(DIGEST, DIGEST), content=NOTHING,
            labels=labels, adds=adds, us=150,
        )  # fmt: skip
        beside = Beside(prints=prints or self.prints(36), entities=named, salt=self.random.randbytes(32))
        self.put(CallResult, session, beside, agent=agent, call=call, intent=n, ok=True, content=NOTHING, ms=5)
        return n

    def session(self, number: int) -> None:
        """Write one session from birth to end."""
        pick = self.random
        session = f"claude_code:{number:08d}-session"
        agent = self.born(session)
        self.put(Prompted, session, Beside(prints=self.prints(20)), agent=agent, content=NOTHING)
        labels: tuple[Label, ...] = ()
        for step in range(pick.randint(20, 120)):
            draw = pick.random()
            if draw < 0.45:
                path = pick.choice(self.paths)
                self.call(agent, session, "read", Effect(verb="read", kind="path", value="~" + path[7:]),
                          Entity("read", "path", path), labels=labels)  # fmt: skip
            elif draw < 0.65:
                path = pick.choice(self.paths)
                self.call(agent, session, "write", Effect(verb="write", kind="path", value="~" + path[7:]),
                          Entity("wrote", "path", path), labels=labels)  # fmt: skip
            elif draw < 0.75:
                host = pick.choice(self.hosts)
                n = self.call(agent, session, "fetch", Effect(verb="connect", kind="host", value=host),
                              Entity("sent", "host", host), labels=labels)  # fmt: skip
                labels = (*labels, Label("untrusted", n))[-8:]
            elif draw < 0.78:
                commit = pick.randbytes(20).hex()
                self.commits.append(commit)
                self.call(agent, session, "shell", Effect(verb="commit", kind="repo", value="~/repo"),
                          Entity("committed", "repo", "/home/u/repo"), labels=labels,
                          named=(Entity("mentioned", "commit", commit[:7]),))  # fmt: skip
            elif draw < 0.80 and step < 20:
                child = self.born(session, agent, labels)
                self.call(child, session, "search", Effect(verb="read", kind="path", value="~/repo"),
                          Entity("read", "path", "/home/u/repo"))  # fmt: skip
                self.put(AgentEnded, session, agent=child, how="completed")
            else:
                self.call(agent, session, "shell", Effect(verb="exec", kind="command", value="pytest"),
                          Entity("ran", "tool", "pytest"), labels=labels)  # fmt: skip
        if number % 400 == 7:
            self.leak(agent, session)
        self.put(AgentEnded, session, agent=agent, how="completed")

    def leak(self, agent: str, session: str) -> None:
        """Let an agent read the poisoned page and do as it says."""
        planted = tuple(bytes([7]) * 7 + bytes([i]) for i in range(4))
        self.call(agent, session, "fetch", Effect(verb="connect", kind="host", value="docs.example"),
                  Entity("sent", "host", "docs.example"), prints=self.prints(36, planted),
                  named=(Entity("mentioned", "host", "drop.example"),))  # fmt: skip
        self.leaks.append(self.call(
            agent, session, "shell", Effect(verb="connect", kind="host", value="drop.example", flags=("upload",)),
            Entity("sent", "host", "drop.example"), control=b"".join(planted)))  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentiles(name: str, works: list[Callable[[], object]]) -> dict[str, Any]:
    took = sorted(timed(work) * 1000 for work in works)
    at = statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
    return {"question": name, "runs": len(took), "p50_ms": at[49], "p95_ms": at[94], "p99_ms": at[98]}


def questions(view: View, record: Record, seed: int, runs: int) -> list[dict[str, Any]]:
    pick = random.Random(seed)
    decided = [n for (n,) in view.rows("SELECT n FROM events WHERE kind = 'call.decided'")]
    some = [pick.choice(decided) for _ in range(runs)]
    agents = [pick.choice(record.agents) for _ in range(runs)]
    commits = [pick.choice(record.commits) for _ in range(runs)]
    paths = [pick.choice(record.paths) for _ in range(runs)]
    nobody = [f"nobody{at}.example" for at in range(runs)]

    def each(ask: Callable[[View, Any], object], about: list[Any]) -> list[Callable[[], object]]:
        return [partial(ask, view, one) for one in about]

    return [
        percentiles(
            "(baseline: one point query)", each(lambda v, n: v.one("SELECT ts FROM events WHERE n=?", n), some)
        ),
        percentiles("involved: a leak's domain", each(involved, ["drop.example"] * max(5, runs // 5))),
        percentiles("involved: a commit", each(involved, commits)),
        percentiles("involved: a path", each(involved, paths)),
        percentiles("involved: the whole repo", each(involved, ["/home/u/repo"] * 5)),
        percentiles("involved: nobody", each(involved, nobody)),
        percentiles("touched", each(touched, agents)),
        percentiles("cause", each(cause, some)),
        percentiles("why", each(why, some)),
        percentiles("the whole answer", each(answer, ["drop.example"] * 5 + commits[:5])),
        percentiles("blast (aggregate)", each(blast, record.leaks[:20] + some[:5])),
        percentiles("coverage (aggregate)", [partial(coverage, view)] * 5),
    ]


def baseline(record: Record, directory: Path) -> float:
    db = sqlite3.connect(directory / "baseline.sqlite", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE leaves(n INTEGER PRIMARY KEY, leaf BLOB, beside BLOB)")

    def load() -> None:
        db.execute("BEGIN")
        db.executemany("INSERT INTO leaves VALUES (?,?,?)", ((n, *entry) for n, entry in enumerate(record.kept)))
        db.execute("COMMIT")

    return len(record.kept) / timed(load)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    record = Record(args.events, args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        plain = baseline(record, directory)
        with View(directory / "view.sqlite") as view:
            ingest = len(record.kept) / timed(lambda: catch_up(view, record))
            again = len(record.kept) / timed(lambda: rebuild(view, record))
            asked = questions(view, record, args.seed, args.runs)
            disk = view.path.stat().st_size
    result = {
        "events": len(record.kept), "agents": len(record.agents), "ingest_per_s": round(ingest),
        "rebuild_per_s": round(again), "baseline_insert_per_s": round(plain),
        "bytes_per_event": round(disk / len(record.kept)), "questions": asked,
    }  # fmt: skip
    if args.json:
        print(json.dumps(result))
        return 0
    print(f"{result['events']:,} events of {result['agents']:,} agents, {result['bytes_per_event']} bytes an event")
    print(f"catch up  {result['ingest_per_s']:>9,} events/s   (the leaves alone: {result['baseline_insert_per_s']:,})")
    print(f"rebuild   {result['rebuild_per_s']:>9,} events/s")
    for row in asked:
        print(f"{row['question']:<28} p50 {row['p50_ms']:8.2f}  p95 {row['p95_ms']:8.2f}  p99 {row['p99_ms']:8.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
