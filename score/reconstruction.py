"""Recorded runs of attacked agents, imported as a host's transcripts would be, and asked about when they are over.

Every run goes through the product's own importer into a record of events; nothing of its text stays but prints, and
for the first figures not even the things that it names. Then the questions are asked of the view. The answers are read
here, for scoring. The ranking was tuned on the families in :data:`TUNED` and looked at on no other.
"""

from __future__ import annotations

import json
import lzma
import random
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from outrider.events.call import Label
from outrider.events.codec import beside_digest, decode, decode_beside, encode, encode_beside
from outrider.events.record import AnyEvent, CallDecided, CallResult, RecordOpened
from outrider.gate.ahead import Remembered
from outrider.gate.imports import Importer, Session
from outrider.investigate.answer import answer
from outrider.investigate.cause import cause
from outrider.investigate.involved import involved
from outrider.store.follow import catch_up
from outrider.store.view import View
from outrider.transcripts.step import Format, Step
from score.row import Row, Wrong, missing

SECTION = "reconstruction"
TUNED = ("llama", "qwen", "gpt-4o-mini")
"""Families of models whose runs were looked at while the ranking was made."""

AGENTS, NEEDLES, SECOND = 5_000, 8, 1.0
GAPS, LOST = 150, (1, 3)
_KEY = b"a key of the score's own, 32 long"
_HOST = re.compile(r"\b(?:www\.)?[a-z0-9_-]+\.(?:com|org|net|example)\b")


class Kept:
    """A record in memory."""

    def __init__(self, *, things: bool) -> None:
        self.entries_: list[tuple[bytes, bytes]] = []
        self._things = things
        opened = RecordOpened(v=1, n=0, ts=0, origin="score", vkey="none")
        self.entries_.append((encode(opened), b""))

    @property
    def size(self) -> int:
        """Number of events."""
        return len(self.entries_)

    def entries(self, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield what there is from ``start`` on."""
        return iter(self.entries_[start:])

    def append(self, build: Any, *, seal: bool = False) -> int:  # noqa: ARG002 - a ledger's signature
        """Append what ``build`` makes; without things, nothing that a text names is kept beside it."""
        leaf, blob = build(self.size)
        if blob and not self._things:
            blob = encode_beside(msgspec.structs.replace(decode_beside(blob), entities=()))
            leaf = encode(msgspec.structs.replace(decode(leaf), beside=beside_digest(blob)))
        self.entries_.append((leaf, blob))
        return self.size - 1

    async def durable(self, n: int) -> None:
        """Do nothing: what is in memory is as durable as it gets."""


def _no_file(_: Path) -> Iterator[Step]:
    return iter(())


_FORM = Format(name="score", door="score", title="recorded runs", where="", finds=(), read=_no_file, tried="")
_TOOLS = {"browse_webpage": "fetch", "read_file": "read", "write_file": "write"}


def steps(run: dict[str, Any], session: str) -> Iterator[Step]:
    """Yield a run as a transcript would tell it."""
    yield Step(what="began", session=session, line=1, ts=1)
    line = 1
    for message in run["messages"]:
        line += 1
        common: dict[str, Any] = {"session": session, "line": line, "ts": line}
        if message["role"] == "user":
            yield Step(what="prompt", text=message["text"] or "", **common)
        elif message["role"] == "assistant":
            for call in message.get("calls") or ():
                args = call["args"] if isinstance(call["args"], dict) else {"value": call["args"]}
                tool: Any = _TOOLS.get(call["tool"], "mcp")
                yield Step(what="call", id=f"{line}:{call['id']}", name=call["tool"], tool=tool, args=args, **common)
        elif message["role"] == "tool":
            yield Step(what="result", id="", text=message["text"] or "", ok=not message.get("error"), **common)


def _paired(run: dict[str, Any], session: str) -> Iterator[Step]:
    """Give each result the id of the call that it answers; some hosts gave none, then the order of the calls tells."""
    waiting: list[str] = []
    answers = iter([m["call_id"] for m in run["messages"] if m["role"] == "tool"])
    for step in steps(run, session):
        if step.what == "call":
            waiting.append(step.id)
        elif step.what == "result":
            wanted = next(answers)
            at = next((i for i, one in enumerate(waiting) if one.partition(":")[2] == str(wanted)), 0)
            one = waiting.pop(at) if waiting else "none"
            yield msgspec.structs.replace(step, id=one)
            continue
        yield step


_KNOWN = Remembered()
"""Runs repeat their pages, and benign ones are taken several times."""


def imported(record: Kept, runs: Iterable[tuple[dict[str, Any], str]]) -> None:
    """Import runs into a record, each as the session of its name."""
    with Importer(
        record, _KEY, home="/home/user", sources={}, born=lambda *_: "", intent=lambda *_: -1, now=lambda: 1,
        known=_KNOWN,
    ) as importer:  # fmt: skip
        path = Path("run")
        told = (Session(_FORM, ((path, step) for step in _paired(run, session)), {path: 0}, 1) for run, session in runs)
        for _ in importer.take(told):
            pass


class Placed(msgspec.Struct):
    """Where one run's agent, calls and results stand in a view."""

    agent: str
    calls: list[int]
    results: list[int]


def places(view: View) -> dict[str, Placed]:
    """Return where each session's agent, calls and results stand."""
    out: dict[str, Placed] = {}
    sessions = dict(view.rows("SELECT id, session FROM agents"))
    rows = view.rows("SELECT n, kind, agent FROM events WHERE kind IN ('call.decided', 'call.result') ORDER BY n")
    for n, kind, agent in rows:
        at = out.setdefault(str(sessions[agent]), Placed(str(agent), [], []))
        (at.calls if kind == "call.decided" else at.results).append(n)
    return out


def family(pipeline: str) -> str:
    """Return whether a run's model is of a family that the ranking was tuned on."""
    low = pipeline.lower()
    return "tuned on" if any(name in low for name in TUNED) else "held out"


def measure(corpora: Path) -> list[Row]:
    """Return the figures."""
    folder = corpora / "agent-runs"
    if not (folder / "attacked.jsonl.xz").is_file():
        return [missing(SECTION, "cause named first", f"there is no {folder}")]
    answers = {row["id"]: row for row in lines(folder / "answers.jsonl.xz")}
    runs = [run for run in lines(folder / "attacked.jsonl.xz") if run["id"] in answers]
    with tempfile.TemporaryDirectory() as name:
        return [
            *_causes(runs, answers, Path(name), things=True),
            *_causes(runs, answers, Path(name), things=False),
            *_gaps(runs, answers, Path(name)),
            *_needle(folder, runs, answers, Path(name)),
        ]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a packed file, one a line."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _causes(runs: list[dict[str, Any]], answers: dict[str, Any], place: Path, *, things: bool) -> list[Row]:
    record = Kept(things=things)
    imported(record, ((run, run["id"]) for run in runs))
    kept = "" if things else ", prints alone"
    hits: dict[str, list[int]] = {}
    wrong: list[Wrong] = []
    acts = [0, 0]
    with View(place / f"causes{things}.sqlite") as view:
        catch_up(view, record)
        where = places(view)
        for run in runs:
            truth, at = answers[run["id"]], where[run["id"]]
            bad = at.calls[truth["malicious_calls"][0]]
            right = {at.results[one] for one in truth["carrier_results"] if one < len(at.results)}
            if not {n for n in right if n < bad}:
                continue
            named = [source.event.n for source in cause(view, bad).ranked]
            count = hits.setdefault(family(run["pipeline"]), [0, 0, 0])
            count[0] += bool(named) and named[0] in right
            count[1] += bool(right & set(named[:3]))
            count[2] += 1
            if not named or named[0] not in right:
                said = str(named.index(next(iter(right & set(named)))) + 1) if right & set(named) else "not named"
                wrong.append(Wrong(id=run["id"], family=f"{run['suite']} {truth['injection_task']}",
                                   said=f"carrier at {said}", wanted="carrier first", why=run["pipeline"]))  # fmt: skip
            if things:
                found = _act(view, run, truth, at)
                acts[0] += found is True
                acts[1] += found is not None
    total = [sum(one[k] for one in hits.values()) for k in (0, 1, 2)]
    least = (0.95, 0.99) if things else (0.90, None)
    rows = [
        Row(section=SECTION, what=f"cause named first{kept}", hit=total[0], of=total[2], at_least=least[0],
            wrong=tuple(wrong), note="no content is kept; tuned on three families of models, see below"),
        Row(section=SECTION, what=f"cause among the first three{kept}", hit=total[1], of=total[2], at_least=least[1]),
    ]  # fmt: skip
    rows += [
        Row(section=SECTION, what=f"cause named first{kept}, families {which}", hit=one[0], of=one[2])
        for which, one in sorted(hits.items())
    ]
    if things:
        note = "asked for the value of the harm alone, in the record of that agent"
        what = "the call found from what was harmed"
        rows.append(Row(section=SECTION, what=what, hit=acts[0], of=acts[1], at_least=0.95, note=note))
    return rows


def _act(view: View, run: dict[str, Any], truth: dict[str, Any], at: Placed) -> bool | None:
    """Tell whether the harmed thing alone leads to a call that did harm; None where no value of it is told."""
    harmed = _harmed(run, truth)
    if not harmed:
        return None
    found = involved(view, harmed, key=_KEY)
    mine = next((one for one in found.agents if one.agent.id == at.agent), None)
    bad = {at.calls[one] for one in truth["malicious_calls"]}
    return mine is not None and mine.evidence[0].n in bad


def _harmed(run: dict[str, Any], truth: dict[str, Any]) -> str:
    """Return what was harmed: the value of the call that its attacker named, the longest; else its first value."""
    calls = [call for message in run["messages"] for call in message.get("calls") or ()]
    args = calls[truth["malicious_calls"][0]]["args"]
    values = [v for value in args.values() for v in (value if isinstance(value, list) else [value])]
    texts = [value for value in values if isinstance(value, str) and len(value) > 2]
    named = [value for value in texts if value.lower() in truth["goal"].lower()]
    return max(named, key=len) if named else next(iter(texts), "")


def _gaps(runs: list[dict[str, Any]], answers: dict[str, Any], place: Path) -> list[Row]:
    """Delete events and see whether every answer that changes says that it is incomplete."""
    rnd = random.Random(5)
    changed = honest = 0
    wrong: list[Wrong] = []
    for number, run in enumerate(rnd.sample(runs, min(GAPS, len(runs)))):
        record = Kept(things=True)
        imported(record, [(run, run["id"])])
        bad = answers[run["id"]]["malicious_calls"][0]
        whole = _asked(record, place / f"whole{number}", run["id"], bad)
        for lost in LOST:
            less = _without(record, rnd, lost)
            got = _asked(less, place / f"less{number}-{lost}", run["id"], bad)
            if got[0] != whole[0]:
                changed += 1
                honest += got[1]
                if not got[1]:
                    wrong.append(Wrong(id=run["id"], family="gap", said="complete", wanted="incomplete", why=str(lost)))
    return [
        Row(section=SECTION, what="answers changed by deleted events that say so", hit=honest, of=changed, at_least=1.0,
            wrong=tuple(wrong), note=f"{LOST[0]} or {LOST[1]} of a run's events deleted, {GAPS} runs")
    ]  # fmt: skip


def _asked(record: Kept, place: Path, session: str, bad: int) -> tuple[Any, bool]:
    """Return what is answered about a run, in words that survive renumbering, and whether it says it is incomplete."""
    with View(place.with_suffix(".sqlite")) as view:
        catch_up(view, record)
        at = places(view).get(session, Placed("", [], []))
        told = cause(view, at.calls[bad]) if bad < len(at.calls) else None
        named = [source.event.ts for source in told.ranked[:3]] if told else []
        about = involved(view, session, key=_KEY)
        complete = about.coverage.statement.find("Known to be missing") < 0
        count = [len(one.evidence) for one in about.agents]
        return (named, count, len(at.calls), len(at.results)), not complete


def _without(record: Kept, rnd: random.Random, lost: int) -> Kept:
    """Return the record with some events gone and those behind moved up, as if they had never been."""
    gone = set(rnd.sample(range(2, record.size), min(lost, record.size - 2)))
    moved = {old: new for new, old in enumerate(n for n in range(record.size) if n not in gone)}
    less = Kept(things=True)
    less.entries_.clear()
    for old, (leaf, blob) in enumerate(record.entries_):
        if old not in gone:
            less.entries_.append((encode(_moved(decode(leaf), moved)), blob))
    return less


def _moved(event: AnyEvent, moved: dict[int, int]) -> AnyEvent:
    changes: dict[str, Any] = {"n": moved[event.n]}
    if isinstance(event, CallResult):
        changes["intent"] = moved.get(event.intent, -1)
    if isinstance(event, CallDecided):
        changes["labels"] = tuple(Label(one.name, moved.get(one.origin, -1)) for one in event.labels)
    return msgspec.structs.replace(event, **changes)


def _needle(folder: Path, runs: list[dict[str, Any]], answers: dict[str, Any], place: Path) -> list[Row]:
    """One attacked run among thousands of benign agents, given only the domain that was reached.

    Some benign runs do what an attacker asks elsewhere, because their user asked: they are left out. Pages that the
    others read may well name the domain.
    """
    needles = list(_needles(runs, answers))
    domains = [domain for _, domain in needles]
    benign = [run for run in lines(folder / "benign.jsonl.xz") if not any(one in _called(run) for one in domains)]
    record = Kept(things=True)
    imported(record, ((benign[n % len(benign)], f"benign-{n}") for n in range(AGENTS)))
    found = quick = 0
    slowest = 0.0
    wrong: list[Wrong] = []
    with View(place / "needle.sqlite") as view:
        catch_up(view, record)
        for number, (run, domain) in enumerate(needles):
            session = f"needle-{number}"
            imported(record, [(run, session)])
            catch_up(view, record)
            began = time.perf_counter()
            told = answer(view, domain, key=_KEY)
            took = time.perf_counter() - began
            slowest = max(slowest, took)
            at = places(view)[session]
            right = {at.results[one] for one in answers[run["id"]]["carrier_results"] if one < len(at.results)}
            ok = bool(told.agents) and told.agents[0].agent == at.agent and told.agents[0].cause_event in right
            found += ok
            quick += took < SECOND
            if not ok:
                said = told.answer if not told.agents else f"event {told.agents[0].cause_event}"
                wrong.append(Wrong(id=run["id"], family=domain, said=said, wanted="the carrier", why=""))
    note = f"{len(needles)} runs, one at a time, among {AGENTS:,} benign agents; slowest {slowest * 1000:.0f} ms"
    return [
        Row(section=SECTION, what="needle: agent and cause found from the domain", hit=found, of=len(needles),
            at_least=1.0, wrong=tuple(wrong), note=note),
        Row(section=SECTION, what="needle: found in less than a second", hit=quick, of=len(needles), at_least=1.0),
    ]  # fmt: skip


def _called(run: dict[str, Any]) -> str:
    return json.dumps([message.get("calls") for message in run["messages"]]).lower()


def _needles(runs: list[dict[str, Any]], answers: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield a run for each domain that an attacker had an agent reach."""
    taken: set[str] = set()
    for run in runs:
        if len(taken) >= NEEDLES:
            return
        calls = [call for message in run["messages"] for call in message.get("calls") or ()]
        args = json.dumps(calls[answers[run["id"]]["malicious_calls"][0]]["args"]).lower()
        for domain in _HOST.findall(args):
            bare = domain.removeprefix("www.")
            if bare not in taken and f"@{bare}" not in args and bare in answers[run["id"]]["goal"].lower():
                taken.add(bare)
                yield run, bare
                break
