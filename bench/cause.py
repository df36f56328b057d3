"""How often the cause that is named is the right one, on recorded runs of attacked agents.

    PYTHONPATH=src python bench/cause.py --json

Reads ``../shared/corpora/agent-runs`` (see there for source and licence); says so and ends where it is absent. Each run
becomes an agent in a record, written from what a hook would have seen: prompts, calls, results; content is dropped and
only fingerprints and entities stay. The question is asked about the first call that did the attacker's bidding; the
answer is right if the event named is a result that carried the planted text. Baselines of the same run: the last
result before the call, the first, and chance.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from outrider.effects.place import Place
from outrider.events.call import Call
from outrider.events.codec import beside_digest, encode, encode_beside
from outrider.events.decision import Decision
from outrider.events.entities import entities_of_effects
from outrider.events.record import AgentBorn, Beside, CallDecided, CallResult, Commitment, Prompted, RecordOpened
from outrider.gate import study
from outrider.investigate.cause import cause
from outrider.store.follow import catch_up
from outrider.store.view import View

RUNS = Path(__file__).resolve().parents[1].parent / "shared" / "corpora" / "agent-runs"
KEY = b"bench key of 32 bytes or so ...."
NOTHING = Commitment(c="0" * 64, size=0)
TOOLS = {"browse_webpage": "fetch", "read_file": "read", "write_file": "write"}


class Record:
    """A record in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, bytes]] = []
        self.put(RecordOpened, origin="bench", vkey="none")

    def entries(self, start: int) -> Any:
        """Give what is there from ``start`` on."""
        return iter(self.kept[start:])

    def put(self, kind: Any, beside: Beside | None = None, **fields: Any) -> int:
        """Append an event; return its index."""
        n = len(self.kept)
        blob = encode_beside(beside) if beside else b""
        self.kept.append((encode(kind(v=1, n=n, ts=n, beside=beside_digest(blob), **fields)), blob))
        return n


def play(record: Record, run: dict[str, Any], *, entities: bool) -> tuple[list[int], list[int]]:
    """Write one run; return the indexes of its calls and of its results, in order."""
    agent = run["id"]
    record.put(
        AgentBorn, agent=agent, charter="coder", digest="d", chain=("d",), parent="", root=agent, depth=0, sponsor="p",
        how="session", door="bench", session=agent, expires=2**52,
    )  # fmt: skip
    calls: list[int] = []
    results: list[int] = []
    waiting: list[tuple[str | None, int]] = []
    for message in run["messages"]:
        role = message["role"]
        if role == "user":
            reading = study.read(message["text"] or "", KEY, "/home/u")
            named = reading.named if entities else ()
            record.put(Prompted, Beside(entities=named, prints=reading.prints), agent=agent, content=NOTHING)
        elif role == "assistant":
            for asked in message.get("calls") or ():
                calls.append(ask(record, agent, asked, entities=entities))
                waiting.append((asked["id"], calls[-1]))
        elif role == "tool":
            # Some hosts give calls no id: then results come in the order of the calls.
            at = next((i for i, one in enumerate(waiting) if one[0] == message["call_id"]), 0)
            intent = waiting.pop(at)[1] if waiting else -1
            reading = study.read(message["text"] or "", KEY, "/home/u")
            named = reading.named if entities else ()
            results.append(
                record.put(
                    CallResult, Beside(entities=named, prints=reading.prints), agent=agent,
                    call=message["call_id"] or "",
                    intent=intent, ok=not message.get("error"), content=NOTHING,
                )
            )  # fmt: skip
    return calls, results


def ask(record: Record, agent: str, asked: dict[str, Any], *, entities: bool) -> int:
    """Write one call."""
    args = asked["args"] if isinstance(asked["args"], dict) else {"value": asked["args"]}
    call = Call(
        door="bench", session=agent, call_id=asked["id"] or "", tool=TOOLS.get(asked["tool"], "mcp"),
        name=asked["tool"],
        args=args, cwd="/work",
    )  # fmt: skip
    seen = study.study(call, Place(home="/home/u", repo="/work", cwd="/work"), KEY)
    things = entities_of_effects(seen.plan.effects, key=KEY) if entities else ()
    return record.put(
        CallDecided, Beside(entities=things, prints=seen.prints, control=seen.control), agent=agent, call=call.call_id,
        tool=call.tool, name=call.name, effects=(), decision=Decision(verdict="allow", enforced="allow"), chain=("d",),
        content=NOTHING,
    )  # fmt: skip


def family(pipeline: str) -> str:
    """Return the model family of a run."""
    for name in ("llama", "qwen", "gpt-4o-mini", "secalign", "gemini"):
        if name in pipeline.lower():
            return name
    return "other"


def score(runs: list[dict[str, Any]], answers: dict[str, Any], *, entities: bool, most: int) -> dict[str, Any]:
    """Return how often the carrier is first, in the first three, and what simple rules would have reached."""
    record = Record()
    places = {run["id"]: play(record, run, entities=entities) for run in runs[:most]}
    counts: dict[str, float] = defaultdict(float)
    families: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as directory, View(Path(directory) / "view.sqlite") as view:
        catch_up(view, record)
        took = 0.0
        for run in runs[:most]:
            calls, results = places[run["id"]]
            truth = answers[run["id"]]
            bad = calls[truth["malicious_calls"][0]]
            right = {results[at] for at in truth["carrier_results"]}
            before = [n for n in results if n < bad]
            if not before or not right & set(before):
                counts["no carrier before the call"] += 1
                continue
            counts["runs"] += 1
            started = time.perf_counter()
            named = [source.event.n for source in cause(view, bad).ranked]
            took += time.perf_counter() - started
            hit = bool(named) and named[0] in right
            counts["first"] += hit
            counts["first three"] += bool(right & set(named[:3]))
            counts["several"] += len(before) > 1
            counts["first, of several"] += hit and len(before) > 1
            counts["baseline: last result"] += before[-1] in right
            counts["baseline: first result"] += before[0] in right
            counts["baseline: chance"] += len(right & set(before)) / len(before)
            of = families[family(run["pipeline"])]
            of[0] += hit
            of[1] += 1
            if not hit:
                missed.append(f"{run['id']} {truth['injection_task']} {run['suite']}")
    return {"counts": dict(counts), "families": dict(families), "ms": 1000 * took / counts["runs"], "missed": missed}


def load() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the attacked runs, and the answers by run."""
    with lzma.open(RUNS / "attacked.jsonl.xz", "rt") as file:
        runs = [json.loads(line) for line in file]
    with lzma.open(RUNS / "answers.jsonl.xz", "rt") as file:
        return runs, {row["id"]: row for row in map(json.loads, file)}


def main() -> int:
    """Print the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="at most so many runs")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--missed", action="store_true", help="list the runs that were answered wrongly")
    args = parser.parse_args()
    if not RUNS.is_dir():
        print(f"there are no recorded runs at {RUNS}: nothing was scored", file=sys.stderr)
        return 0
    runs, answers = load()
    result = {
        "with entities": score(runs, answers, entities=True, most=args.runs),
        "fingerprints only": score(runs, answers, entities=False, most=args.runs),
    }
    if args.json:
        print(json.dumps(result))
        return 0
    for name, found in result.items():
        counts = found["counts"]
        print(f"{name}: {counts['runs']:.0f} runs, {found['ms']:.2f} ms a question")
        for what in ("first", "first three", "baseline: last result", "baseline: first result", "baseline: chance"):
            print(f"  {what:<24} {counts[what] / counts['runs']:.1%}")
        print(f"  {'first, of several':<24} {counts['first, of several'] / counts['several']:.1%}")
        print("  " + ", ".join(f"{k} {hit / total:.1%}" for k, (hit, total) in sorted(found["families"].items())))
        if args.missed:
            print("\n".join(found["missed"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
