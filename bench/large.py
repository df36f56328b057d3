"""A record of millions of events with realistic skew, through the real ledger and view, and the questions over it.

    PYTHONPATH=src:. python -m bench.large --events 10000000 --directory DIR

Agents of fifty people work in forty repositories. A few paths, hosts, packages, words and agents are met again and
again, and most hardly ever (Zipf). One in four hundred sessions meets a poisoned page and sends something away.
Each step is a process of its own, so that the memory of each is known: the record is written by the ledger, the view is
made from it as ``outrider rebuild`` makes it, and a third process opens the view as any command does and asks. What is
already in DIR is used again; DIR is left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench.questions import NOTHING, Record, percentiles
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.config import Home
from outrider.daemon.shelf import load
from outrider.events.call import Effect, Label
from outrider.events.decision import Decision
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    Beside,
    CallDecided,
    CallResult,
    CharterLoaded,
    Entity,
    Prompted,
)
from outrider.investigate.answer import answer
from outrider.investigate.blast import blast
from outrider.investigate.cause import cause
from outrider.investigate.coverage import coverage
from outrider.investigate.extent import extent
from outrider.investigate.involved import involved
from outrider.investigate.reach import Pairs
from outrider.investigate.touched import touched
from outrider.investigate.why import why
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.store import reading
from outrider.store.follow import rebuild
from outrider.store.view import View

KEY = b"k" * 32
POINT, CAUSE, AGGREGATE = 100.0, 50.0, 1_000.0


class Zipf:
    """Draws from a list, its first much more often than its last."""

    def __init__(self, pick: random.Random, values: Sequence[Any], skew: float = 1.0) -> None:
        self._pick, self._values = pick, values
        self._weights = list(accumulate(1 / (rank + 1) ** skew for rank in range(len(values))))
        self._drawn: list[Any] = []

    def __call__(self) -> Any:
        """Draw one."""
        if not self._drawn:
            self._drawn = self._pick.choices(self._values, cum_weights=self._weights, k=8_192)
        return self._drawn.pop()


class Fleet(Record):
    """The record, written as it is made up."""

    def __init__(self, events: int, ledger: Ledger, seed: int = 1) -> None:
        self.ledger = ledger
        pick = self.random = random.Random(seed)
        self.repos = [f"/home/u{at % 50}/repo{at}" for at in range(40)]
        self.path = Zipf(pick, [f"src/module_{at % 211}/file_{at}.py" for at in range(2_000)])
        self.host = Zipf(pick, [f"host{at}.zone{at % 97}.example" for at in range(20_000)], 1.1)
        self.package = Zipf(pick, [f"pypi:package-{at}" for at in range(5_000)], 1.1)
        self.tool = Zipf(pick, [f"server-{at}" for at in range(60)])
        self.mail = Zipf(pick, [f"[print:{at:012x}]@mail{at % 300}.example" for at in range(8_000)])
        word = Zipf(pick, [pick.randbytes(6) for _ in range(200_000)])
        self.said = {
            count: Zipf(pick, [b"".join(sorted({word() for _ in range(count)})) for _ in range(100_000 // count)], 0.5)
            for count in (1, 2, 3, 4, 8, 12, 40)
        }
        tokens = Zipf(pick, [pick.randbytes(8) for _ in range(400_000)], 0.8)
        self.printed = Zipf(pick, [b"".join(sorted({tokens() for _ in range(40)})) for _ in range(60_000)], 0.6)
        self.steps = Zipf(pick, [pick.randint(10, 60) if at else 4_000 for at in range(400)], 0.0)
        self.line = load(Home(Path("/nonexistent"))).shelf.line("developer")
        self.chain = tuple(charter.digest for charter in self.line)
        super().__init__(events, seed)

    @property
    def size(self) -> int:
        """Number of events so far."""
        return self.ledger.size

    def keep(self, leaf: bytes, blob: bytes) -> None:
        """Have the ledger take an event; it is flushed now and then."""
        self.ledger.append(lambda _: (leaf, blob))
        if self.ledger.size % 4_096 == 0:
            self.ledger.flush()

    def prints(self, count: int, extra: tuple[bytes, ...] = ()) -> bytes:
        """Return prints that others have too; what lies beside a text is met again with the text."""
        some = self.printed()[: 8 * count]
        return b"".join(sorted([some[at : at + 8] for at in range(0, len(some), 8)] + list(extra))) if extra else some

    def values(self, count: int) -> bytes:
        """Return prints of values, some common and most rare."""
        return self.said[count]()

    def call(self, agent: str, session: str, tool: str, effect: Effect, entity: Entity, **more: Any) -> int:
        """Write a call and its result with the values that they name; return the call's index."""
        at = self.size
        verdict = more.get("verdict", "allow")
        n = self.put(
            CallDecided, session, Beside(entities=(entity, *more.get("things", ())),
            control=more.get("control") or self.prints(4), prints=self.prints(12), salt=self.random.randbytes(32),
            said={"whole": self.values(2), "part": self.values(2), "acts": self.values(3)}),
            agent=agent, call=f"toolu_{at:020d}", tool=tool, name=tool.title(), effects=(effect,),
            decision=Decision(verdict=verdict, enforced=verdict), chain=self.chain, content=NOTHING,
            labels=more.get("labels", ()), adds=more.get("adds", ()), us=150,
        )  # fmt: skip
        said = {"text": self.values(12), "field": self.values(8), "order": self.values(4)}
        beside = Beside(prints=more.get("prints") or self.prints(36), entities=more.get("named", ()), said=said,
                        salt=self.random.randbytes(32))  # fmt: skip
        self.put(CallResult, session, beside, agent=agent, call=f"toolu_{at:020d}", intent=n, ok=verdict == "allow",
                 content=NOTHING, ms=5)  # fmt: skip
        return n

    def session(self, number: int) -> None:
        """Write one session from birth to end, its sub-agents among it."""
        pick = self.random
        session = f"claude_code:{number:08d}-session"
        repo = self.repos[min(int(pick.expovariate(0.15)), 39)]
        for charter in self.line if not number else ():
            self.put(CharterLoaded, "daemon", name=charter.name, digest=charter.digest, signer="builtin",
                     source=charter.canonical().decode())  # fmt: skip
        agent = self.birth(session, repo)
        self.put(Prompted, session, Beside(prints=self.prints(20), said={"user": self.values(40)}), agent=agent,
                 content=NOTHING)  # fmt: skip
        labels: tuple[Label, ...] = ()
        for step in range(self.steps()):
            labels = self.step(agent, session, repo, labels)
            if step < 20 and pick.random() < 0.02:
                child = self.birth(session, repo, agent, labels)
                self.step(child, session, repo, ())
                self.put(AgentEnded, session, agent=child, how="completed")
        if number % 400 == 7:
            self.leak(agent, session)
        self.put(AgentEnded, session, agent=agent, how="completed")
        del self.sources[session]

    def birth(self, session: str, repo: str, parent: str = "", labels: tuple[Label, ...] = ()) -> str:
        """Let an agent be born; return its id."""
        number = len(self.agents)
        agent = f"01J{number:023d}"
        self.agents.append(agent)
        beside = Beside(
            entities=(Entity("is", "session", session), Entity("is", "pid", str(number % 4_000_000)),
                      Entity("is", "model", f"model-{number % 7}")),
            private={"sponsor": f"p{number % 50}", "human": "u", "home": repo.rpartition("/")[0], "repo": repo,
                     "cwd": repo},
        )  # fmt: skip
        self.put(
            AgentBorn, session, beside, agent=agent, charter="developer", digest=self.chain[0],
            chain=self.chain * (2 if parent else 1), parent=parent, root=parent or agent, depth=int(bool(parent)),
            sponsor=f"s{number % 50}",
            how="subagent" if parent else "session", door="claude_code", session=session, expires=2**52,
            host_agent=f"sub-{number}" if parent else "", labels=labels,
        )  # fmt: skip
        return agent

    def step(self, agent: str, session: str, repo: str, labels: tuple[Label, ...]) -> tuple[Label, ...]:
        """Write one call and its result; return the labels after it."""
        draw = self.random.random()
        path = f"{repo}/{self.path()}"
        shown = "~/" + path.split("/", 3)[3]
        if draw < 0.4:
            mails = (Entity("mentioned", "email", self.mail()),) if draw < 0.05 else ()
            self.call(agent, session, "read", Effect(verb="read", kind="path", value=shown),
                      Entity("read", "path", path), labels=labels, named=mails)  # fmt: skip
        elif draw < 0.41:
            key = repo.rpartition("/")[0] + "/.ssh/id_ed25519"
            self.call(agent, session, "read", Effect(verb="read", kind="path", value="~/.ssh/id_ed25519"),
                      Entity("read", "path", key), labels=labels, verdict="deny")  # fmt: skip
        elif draw < 0.6:
            self.call(agent, session, "edit", Effect(verb="write", kind="path", value=shown),
                      Entity("wrote", "path", path), labels=labels)  # fmt: skip
        elif draw < 0.7:
            host = self.host()
            n = self.call(agent, session, "fetch", Effect(verb="connect", kind="host", value=host),
                          Entity("sent", "host", host), labels=labels,
                          things=(Entity("sent", "url", hashlib.sha256(host.encode()).hexdigest()[:16]),))  # fmt: skip
            return (*labels, Label("untrusted", n))[-8:]
        elif draw < 0.73:
            commit = self.random.randbytes(20).hex()
            if len(self.commits) < 100_000:
                self.commits.append(commit)
            self.call(agent, session, "shell", Effect(verb="commit", kind="repo", value="~/repo"),
                      Entity("committed", "repo", repo), labels=labels,
                      named=(Entity("mentioned", "commit", commit[:7]),))  # fmt: skip
        elif draw < 0.75:
            name = self.package()
            self.call(agent, session, "shell", Effect(verb="install", kind="package", value=name),
                      Entity("installed", "package", name), labels=labels)  # fmt: skip
        elif draw < 0.8:
            self.call(agent, session, "mcp", Effect(verb="call", kind="tool", value=f"mcp:{self.tool()}/look"),
                      Entity("called", "tool", self.tool()), labels=labels)  # fmt: skip
        elif draw < 0.81:
            secret = f"{self.random.randrange(3_000):08x}"
            self.call(agent, session, "read", Effect(verb="read", kind="path", value="~/.env"),
                      Entity("read", "path", repo.rpartition("/")[0] + "/.env"), labels=labels,
                      named=(Entity("read", "secret", secret),), verdict="ask")  # fmt: skip
        else:
            self.call(agent, session, "shell", Effect(verb="exec", kind="command", value="pytest"),
                      Entity("ran", "tool", "pytest"), labels=labels)  # fmt: skip
        return labels


def made(directory: Path, events: int) -> dict[str, Any]:
    """Write the record and what the questions are to be about."""
    began = time.perf_counter()
    with Ledger.open(directory / "record", origin="bench", key=Ed25519PrivateKey.generate()) as ledger:
        fleet = Fleet(events, ledger)
        ledger.flush()
        about = {"events": ledger.size, "agents": len(fleet.agents), "leaks": fleet.leaks}
    pick = random.Random(3)
    for name in ("agents", "commits"):
        some = getattr(fleet, name)
        about[f"some_{name}"] = [pick.choice(some) for _ in range(200)]
    (directory / "about.json").write_text(json.dumps(about))
    return {"events": about["events"], "per_s": round(about["events"] / (time.perf_counter() - began))}


def viewed(directory: Path, _: int) -> dict[str, Any]:
    """Make the view from the record."""
    began = time.perf_counter()
    with View(directory / "view.sqlite") as view:
        count = rebuild(view, Pairs(Reader(directory / "record")))
    took = time.perf_counter() - began
    return {
        "events": count,
        "per_s": round(count / took),
        "bytes_per_event": (directory / "view.sqlite").stat().st_size / count,
    }


def asked(directory: Path, runs: int) -> dict[str, Any]:
    """Ask everything."""
    about = json.loads((directory / "about.json").read_text())
    rows: list[dict[str, Any]] = []
    with View(directory / "view.sqlite", write=False) as view:
        for name, budget, works in _questions(view, about, runs):
            rows.append({**percentiles(name, works), "budget_ms": budget, "rss_mb": round(_rss())})
            print(json.dumps(rows[-1]), file=sys.stderr)
    return {"asked": rows}


def _questions(view: View, about: dict[str, Any], runs: int) -> Iterator[tuple[str, float, list[Callable[[], object]]]]:
    pick = random.Random(5)
    size = about["events"]

    def events(kind: str) -> list[int]:
        found = []
        while len(found) < runs:
            row = view.one(
                "SELECT n FROM events WHERE n >= ? AND kind = ? ORDER BY n LIMIT 1", pick.randrange(size), kind
            )
            found += [int(row[0])] if row else []
        return found

    def each(ask: Callable[[View, Any], object], things: Sequence[Any]) -> list[Callable[[], object]]:
        return [lambda one=one: ask(view, one) for one in things]  # type: ignore[misc]

    calls, agents = events("call.decided"), about["some_agents"][:runs]
    busiest = [
        one for one, _ in view.rows("SELECT agent, count(*) FROM events GROUP BY agent ORDER BY 2 DESC LIMIT 20")
    ]
    few = max(3, runs // 10)
    rare = [f"/home/u3/repo3/src/module_{at % 211}/file_{at}.py" for at in range(1_900, 1_900 + runs)]
    for name, artefacts in (
        ("a leak's domain", ["drop.example"] * few),
        ("a rare domain", [f"host{at}.zone{at % 97}.example" for at in range(19_000, 19_000 + runs)]),
        ("the commonest domain", ["host0.zone0.example"] * few),
        ("a domain with many below it", [f"zone{at}.example" for at in range(few)]),
        ("a URL", [f"https://host{at}.zone{at % 97}.example/x" for at in range(5_000, 5_000 + runs)]),
        ("a commit", about["some_commits"][:runs]),
        ("a rare path", rare),
        (
            "the commonest path",
            [f"{repo}/src/module_0/file_0.py" for repo in ("/home/u0/repo0", "/home/u1/repo1")] * few,
        ),
        ("a file in any home", ["~/repo0/src/module_0/file_0.py", "~/.env"] * few),
        ("a rare package", [f"pypi:package-{at}" for at in range(4_000, 4_000 + runs)]),
        ("the commonest package", ["pypi:package-0"] * few),
        ("an MCP server", ["server-0", "server-59"] * few),
        ("an address", [f"u{at}@mail{at}.example" for at in range(few)]),
        ("a session", [f"claude_code:{pick.randrange(1_000):08d}-session" for _ in range(runs)]),
        ("an agent", agents),
        ("a process", [f"pid:{pick.randrange(about['agents'])}" for _ in range(runs)]),
        ("a sponsor", ["s1", "p2"] * 3),
        ("a charter", ["developer"] * 3),
        ("a model", ["model-3"] * few),
        ("a text", [f"text {at}" for at in range(runs)]),
        ("nobody", [f"nobody{at}.example" for at in range(runs)]),
    ):
        yield f"involved: {name}", POINT, each(lambda v, one: involved(v, one, key=KEY), artefacts)
    yield "involved: a whole repository", AGGREGATE, each(involved, ["/home/u0/repo0"] * few)
    yield "touched: an agent", POINT, each(touched, agents)
    yield "touched: the busiest agents", AGGREGATE, each(touched, busiest[:few])
    yield "cause", CAUSE, each(cause, calls)
    yield "cause of a leak", CAUSE, each(cause, about["leaks"][:runs])
    busy = [
        int(row[0])
        for one in busiest[:1]
        for row in view.rows("SELECT max(n) FROM events WHERE agent = ? AND kind = 'call.decided'", one)
    ]
    yield "cause, at the end of the busiest agent", CAUSE, each(cause, busy * few)
    yield "why", POINT, each(why, calls)
    yield "the whole answer", AGGREGATE, each(answer, ["drop.example"] * 3 + about["some_commits"][:few])
    yield "blast of a leak", AGGREGATE, each(blast, about["leaks"][:few])
    yield "blast of an event", AGGREGATE, each(blast, calls[:runs])
    yield "blast of an agent", AGGREGATE, each(blast, agents[:few])
    yield "blast of the busiest agent", AGGREGATE, each(blast, busiest[:2])
    yield "coverage", AGGREGATE, [lambda: coverage(view)] * few
    yield "coverage, by host, door and agent", AGGREGATE, [lambda: extent(view)] * 3
    yield "agents, the youngest", AGGREGATE, [lambda: reading.agents(view, limit=100)] * few
    yield "log, an agent's", POINT, each(lambda v, one: reading.log(v, agent_id=one), agents)
    yield "log, the last refusals", POINT, [lambda: reading.log(view, verdict="refused")] * few


def _rss() -> float:
    """Return the most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_STEPS: dict[str, Callable[[Path, int], dict[str, Any]]] = {"record": made, "view": viewed, "ask": asked}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--step", choices=_STEPS)
    args = parser.parse_args()
    if args.step:
        began = time.process_time()
        told = _STEPS[args.step](args.directory, args.runs if args.step == "ask" else args.events)
        print(
            json.dumps(
                {"step": args.step, **told, "cpu_s": round(time.process_time() - began), "peak_rss_mb": round(_rss())}
            )
        )
        return 0
    args.directory.mkdir(parents=True, exist_ok=True)
    for step, there in (("record", "about.json"), ("view", "view.done"), ("ask", "")):
        if there and (args.directory / there).exists():
            continue
        argv = [sys.executable, "-m", "bench.large", *sys.argv[1:], "--step", step]
        if subprocess.run(argv, check=False).returncode:
            return 1
        if there == "view.done":
            (args.directory / there).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
