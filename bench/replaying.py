"""Replay over decisions that are unlike: many agents, charters, places, labels and values, by Zipf's law.

    PYTHONPATH=src:. python -m bench.replaying --events 1000000 --directory DIR

The calls are those of :mod:`bench.calls`, planned by the product and ruled on by the charters of the agent that asks.
One in three names a file, a host or a package that nobody named before. With a directory, the record is written by the
real ledger and the view made from it as ``outrider rebuild`` makes it, each in a process of its own; a third one
replays as the command does, and says how much memory it took. What is already in DIR is used again.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from bench import calls
from bench.large import Zipf
from bench.measure import Row, say
from bench.questions import NOTHING, Record
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.charter.ruling import Context, rule
from outrider.config import Home
from outrider.daemon.shelf import load
from outrider.detect.catalogue import classes
from outrider.effects import Place, resolve
from outrider.events.call import Call, Effect, Finding, Label
from outrider.events.counters import Counters
from outrider.events.decision import Decision
from outrider.events.record import AgentBorn, Beside, CallDecided, CallResult, CharterLoaded
from outrider.gate import study
from outrider.gate.gather import gather
from outrider.gate.recorded import written
from outrider.investigate.reach import Pairs
from outrider.investigate.replay import placed, replay
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.store.follow import catch_up, rebuild
from outrider.store.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outrider.charter.model import Charter

KEY = b"k" * 32
PLACE = Place(home="/home/dev", repo="/home/dev/repo", cwd="/home/dev/repo")
NAMES = ("coder", "developer", "researcher", "reviewer", "ops", "ci", "unclaimed")
FOUND = (
    Finding(rule="code.python-fixed-salt", severity="high", confidence="high", where="args.content", message="A salt.",
            advice="Make one.", start=40, end=52),
    Finding(rule="code.python-sql-from-string", severity="high", confidence="medium", where="args.content",
            message="A query.", advice="Bind it.", start=310, end=340),
    Finding(rule="code.python-assert-in-code", severity="low", confidence="high", where="args.new_string",
            message="An assertion.", advice="Raise.", start=9, end=20),
)  # fmt: skip


def planned(count: int) -> list[tuple[str, str, tuple[Effect, ...], tuple[Finding, ...]]]:
    """Return tool, name, effects and findings of so many calls, as the record holds them."""
    out = []
    for name, args in calls.mixed(PLACE.repo, count):
        tool = {"Bash": "shell", "Read": "read", "Edit": "edit", "Grep": "search", "Write": "write"}[name]
        call = Call(door="", session="", call_id="c", tool=tool, name=name, args=args, cwd=PLACE.cwd)  # type: ignore[arg-type]
        seen = study.study(call, PLACE, KEY, kept=False)
        effects = resolve(seen.plan, gather(seen.plan.wants), PLACE)
        out.append((tool, name, tuple(written(one, PLACE.home, KEY) for one in effects), seen.findings))
    return out


class Mixed(Record):
    """The record, written as it is made up."""

    def __init__(self, events: int, ledger: Ledger | None = None, *, pool: int = 6_000, alike: bool = False) -> None:
        self.ledger = ledger
        self.alike = alike
        pick = self.random = random.Random(11)
        shelf = load(Home(Path("/nonexistent"))).shelf
        self.lines = {name: tuple(shelf.line(name)) for name in NAMES}
        self.planned = Zipf(pick, planned(pool), 0.6)
        self.charter = Zipf(pick, NAMES)
        self.born_as: list[tuple[str, tuple[Bound, ...], str, str]] = []
        self.labels: dict[int, tuple[Label, ...]] = {}
        self.asked: dict[int, int] = {}
        self.ruled: dict[object, Decision] = {}
        super().__init__(events, 11)

    @property
    def size(self) -> int:
        """Number of events so far."""
        return self.ledger.size if self.ledger is not None else len(self.kept)

    def keep(self, leaf: bytes, blob: bytes) -> None:
        """Take an event; a ledger is flushed now and then."""
        if self.ledger is None:
            super().keep(leaf, blob)
            return
        self.ledger.append(lambda _: (leaf, blob))
        if self.ledger.size % 4_096 == 0:
            self.ledger.flush()

    @cached_property
    def agent(self) -> Zipf:
        """Draws an agent, once all are born."""
        return Zipf(self.random, range(len(self.born_as)), 0.8)

    def session(self, number: int) -> None:
        """Let agents be born at first, then a thousand calls be made, whoever's turn it is."""
        del number
        if not self.born_as:
            for charter in {one.digest: one for line in self.lines.values() for one in line}.values():
                self.put(CharterLoaded, "daemon", name=charter.name, digest=charter.digest, signer="builtin",
                         source=charter.canonical().decode())  # fmt: skip
            for at in range(2_000):
                self.birth(at)
        for _ in range(1_000):
            self.step(self.agent())

    def birth(self, at: int) -> None:
        """Let an agent be born, one in eight as somebody's child."""
        person = self.random.randrange(50)
        home = f"/home/u{person}"
        bindings = Bindings(home=home, repo=f"{home}/repo")
        line, parent = self.lines[self.charter()], ""
        bounds = [floor(bindings), *(bind(one, bindings) for one in line)]
        digests = tuple(one.digest for one in line)
        root = agent = f"01J{at:023d}"
        if at > 50 and at % 8 == 0:
            parent, above, home, place = self.born_as[self.random.randrange(at // 2)]
            bindings = Bindings(home=home, repo=place)
            known = [one for one in above[1:] if one.charter is not None]
            bounds = [floor(bindings), *(bind(one, bindings) for one in line)]
            bounds += [bind(one.charter, bindings, ceiling=one is known[0]) for one in known if one.charter is not None]
            digests += tuple(one.digest for one in known)
            root = parent
        self.born_as.append((agent, tuple(bounds), home, bounds[0].scene.repo))
        private = {"sponsor": "u", "human": "u", "home": home, "repo": bounds[0].scene.repo, "cwd": home}
        self.put(
            AgentBorn, f"s{at}", Beside(private=private), agent=agent, charter=line[0].name, digest=line[0].digest,
            chain=digests, parent=parent, root=root, depth=int(bool(parent)), sponsor=f"s{person}",
            how="subagent" if parent else "session", door="claude_code", session=f"s{at}", expires=2**52,
        )  # fmt: skip

    def step(self, at: int) -> None:
        """Write one call, ruled on as its agent's charters do, and its result."""
        agent, bounds, home, _ = self.born_as[at]
        tool, name, effects, findings = self.planned()
        if self.random.random() < 1 / 3 and not self.alike:
            effects = self._unlike(effects)
        if tool in {"edit", "write"} and self.random.random() < 0.2:
            findings = (*findings, self.random.choice(FOUND))
        labels = self.labels.get(at, ())
        values = ("untrusted-value",) if labels and self.random.random() < 0.1 else ()
        self.asked[at] = counted = self.asked.get(at, 0) + 1
        n = self.put(
            CallDecided, f"s{at}", Beside(prints=self.prints(12), salt=self.random.randbytes(32)), agent=agent,
            call=f"toolu_{self.size:020d}", tool=tool, name=name, effects=effects, findings=findings, labels=labels,
            counters=Counters(calls=counted), values=values, chain=tuple(one.digest for one in bounds), us=150,
            decision=self._decided(bounds, effects, findings, labels, values, home, counted), content=NOTHING,
        )  # fmt: skip
        self.put(CallResult, f"s{at}", Beside(prints=self.prints(36)), agent=agent, call=f"toolu_{n:020d}", intent=n,
                 ok=True, content=NOTHING, ms=5)  # fmt: skip
        draw = self.random.random()
        if draw < 0.02:
            self.labels[at] = (*labels, Label("secret" if draw < 0.002 else "untrusted", n))[-8:]

    def _unlike(self, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        number = self.size
        for at, one in enumerate(effects):
            value = {"path": f"~/repo/src/part{number % 977}/only_{number}.py", "host": f"only{number}.example",
                     "package": f"pypi:only-{number}"}.get(one.kind)  # fmt: skip
            if value is not None:
                other = msgspec.structs.replace(one, value=value, resolved="")
                return (*effects[:at], other, *effects[at + 1 :])
        return (*effects, Effect(verb="read", kind="path", value=f"~/repo/docs/only_{number}.md"))

    def _decided(
        self, bounds: tuple[Bound, ...], effects: tuple[Effect, ...], findings: tuple[Finding, ...],
        labels: tuple[Label, ...], values: tuple[str, ...], home: str, counted: int,
    ) -> Decision:  # fmt: skip
        names = frozenset(label.name for label in labels)
        over = counted if counted > 500 else 0
        mark = (*map(id, bounds), effects, findings, names, values, over)
        found = self.ruled.get(mark)
        if found is None:
            brought = {bound.digest: dict.fromkeys(values, "a value") for bound in bounds}
            told = rule(bounds, placed(effects, home), Context(
                labels=labels, findings=findings, counters=Counters(calls=counted), values=brought if values else {},
                classes=classes(findings),
            ))  # fmt: skip
            hits = tuple(hit for hit in told.hits if hit.verdict != "allow")[:16]
            found = Decision(verdict=told.verdict, enforced=told.enforced, hits=hits, mode=told.mode)
            if len(self.ruled) < 200_000:
                self.ruled[mark] = found
        return found


def draft() -> Charter:
    """A stricter charter of the name that every other one extends: fewer hosts, and no pushes."""
    base = load(Home(Path("/nonexistent"))).shelf.line("base")[0]
    may = {**base.may, "connect": ("@loopback", "@registries", "*.github.com", "github.com"), "push": ()}
    return msgspec.structs.replace(base, may=may)


def rows(events: int) -> list[Row]:
    """Return the rows."""
    out = []
    for name, alike in (("replay, decisions unlike", False), ("replay, decisions alike", True)):
        record = Mixed(events, pool=200 if alike else 6_000, alike=alike)
        with tempfile.TemporaryDirectory() as place, View(Path(place) / "view.sqlite") as view:
            catch_up(view, record)
            said = replayed(view)
        row = Row(name, "/s", {"rate": said["per_s"]}, "their leaves read alone", said["reading_per_s"])
        row.budgets = {"rate": 50_000.0}
        row.wrong = 0 if said["judged"] > events // 3 else 1
        row.notes = f"{said['judged']:,} decisions of 2,000 agents; of one core, by processor time"
        say(f"  {name}: {said['per_s']:,.0f}/s")
        out.append(row)
    return out


def replayed(view: View) -> dict[str, Any]:
    """Replay over a view; return what it took, by processor time, and what reading the leaves alone takes."""
    began = time.process_time()
    sql = "SELECT e.n, l.leaf FROM events e JOIN leaves l ON l.n = e.n WHERE e.kind = 'call.decided' ORDER BY e.n"
    read = sum(1 for _ in view.db.execute(sql))
    between, clock = time.process_time(), time.perf_counter()
    told = replay(view, draft())
    took, elapsed = time.process_time() - between, time.perf_counter() - clock
    return {
        "judged": told.judged, "per_s": told.judged / took, "elapsed_s": round(elapsed, 2), "cpu_s": round(took, 2),
        "reading_per_s": read / (between - began), "statement": told.statement,
    }  # fmt: skip


def made(directory: Path, events: int) -> dict[str, Any]:
    """Write the record."""
    began = time.perf_counter()
    with Ledger.open(directory / "record", origin="bench", key=Ed25519PrivateKey.generate()) as ledger:
        Mixed(events, ledger)
        ledger.flush()
        return {"events": ledger.size, "per_s": round(ledger.size / (time.perf_counter() - began))}


def viewed(directory: Path, _: int) -> dict[str, Any]:
    """Make the view from the record."""
    with View(directory / "view.sqlite") as view:
        return {"events": rebuild(view, Pairs(Reader(directory / "record")))}


def asked(directory: Path, _: int) -> dict[str, Any]:
    """Replay."""
    with View(directory / "view.sqlite", write=False) as view:
        return replayed(view)


_STEPS: dict[str, Callable[[Path, int], dict[str, Any]]] = {"record": made, "view": viewed, "replay": asked}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps that are not done yet, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--step", choices=_STEPS)
    args = parser.parse_args(argv)
    if args.step:
        told = _STEPS[args.step](args.directory, args.events)
        peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        print(json.dumps({"step": args.step, **told, "peak_rss_mb": peak}))
        return 0
    args.directory.mkdir(parents=True, exist_ok=True)
    for step in _STEPS:
        done = args.directory / f"{step}.done"
        if done.exists():
            continue
        own = [sys.executable, "-m", "bench.replaying", *sys.argv[1:], "--step", step]
        if subprocess.run(own, check=False).returncode:
            return 1
        if step != "replay":
            done.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
