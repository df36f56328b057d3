"""What judging costs inside the daemon, without its I/O: parse, effects, detectors, labels, policy, rendering."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import calls
from bench.measure import Row, spread, timed

from outrider.charter.bound import Bindings, Bound, bind
from outrider.charter.floor import floor
from outrider.charter.parse import parse
from outrider.charter.shelf import Shelf
from outrider.doors.registry import DOORS
from outrider.effects import Place, resolve
from outrider.events.counters import Counters
from outrider.events.message import Answer, CallAsked
from outrider.gate import study
from outrider.gate.gather import gather
from outrider.gate.judge import Setting, decide

CHARTERS = Path(__file__).parents[1] / "charters"
HOME, REPO = "/home/dev", "/home/dev/proj"
KEY = b"a key of this benchmark, 32 bytes"
DOOR = DOORS["claude_code"]
WARM = 300


def chain() -> tuple[Bound, ...]:
    """The floor and the coder's line, bound to a repository that is not there."""
    shelf = Shelf(parse(path.read_text(), source=path.name) for path in sorted(CHARTERS.glob("*.toml")))
    bindings = Bindings(
        home=HOME, repo=REPO, groups={"registries": ("registry.example",)}, protected=(f"{HOME}/.outrider",)
    )
    return (floor(bindings), *(bind(charter, bindings) for charter in shelf.line("coder")))


def judge(payload: bytes, setting: Setting, place: Place) -> int:
    """Judge one event as the daemon does; return the nanoseconds it took, the looks at the file system left out."""
    began = time.perf_counter_ns()
    message = DOOR.parse(payload, "PreToolUse")
    assert isinstance(message, CallAsked)
    seen = study.study(message.call, place, KEY)
    looked = time.perf_counter_ns()
    facts = gather(seen.plan.wants)
    back = time.perf_counter_ns()
    effects = resolve(seen.plan, facts, place)
    judged = decide(effects, seen.findings, setting, ())
    DOOR.render("PreToolUse", Answer() if judged.decision.verdict == "allow" else Answer(verdict="deny", reason="no"))
    return time.perf_counter_ns() - began - (back - looked)


def judging(count: int) -> list[Row]:
    """Measure commands and a mix of calls, none of them seen before."""
    setting = Setting(chain=chain(), labels=(), counters=Counters(calls=1))
    place = Place(home=HOME, repo=REPO, cwd=REPO)
    rows = []
    for name, kind, budgets in (
        ("judge, Bash", calls.bash, {"p50": 250.0, "p99": 1000.0}),
        ("judge, mixed calls", calls.mixed, {"p50": 120.0}),
        ("judge, structured calls", calls.structured, {}),
    ):
        some = [
            json.dumps(calls.event(call, session="s", cwd=REPO, call_id=f"toolu_{at}")).encode()
            for at, call in enumerate([*kind(REPO, WARM, 9), *kind(REPO, count, 1)])
        ]
        spent = [judge(payload, setting, place) for payload in some][WARM:]
        bare = sorted(timed(lambda payload=payload: json.loads(payload)) for payload in some)[len(some) // 2] / 1000
        rows.append(Row(name, "us", spread(spent), "reading its JSON with Python's json", bare, budgets))
    return rows


def batch(count: int) -> list[Row]:
    """Measure rows of ``outrider judge --batch`` a second of one core, without the start."""
    made = calls.bash(REPO, 4 * count, 1)
    rows = [{"id": at, "tool": tool, "input": given} for at, (tool, given) in enumerate(made)]
    with tempfile.TemporaryDirectory() as name:
        spent = [_answered(Path(name), some) for some in (rows[:count], rows[count:])]
    rate = 2 * count / (spent[1] - spent[0])
    bare = len(rows) / timed(lambda: [json.dumps(json.loads(json.dumps(row))) for row in rows]) * 1e9
    row = Row("judge, rows of a batch", "/s", {"rate": rate}, "writing, reading and writing their JSON", bare)
    row.budgets = {"rate": 2000.0}
    return [row]


def _answered(where: Path, rows: list[dict[str, object]]) -> float:
    """Return the seconds of processor time that a batch takes, its start included."""
    file = where / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "outrider", "judge", "--batch", str(file), "--charter", "coder"]
    command += ["--home", HOME, "--repo", REPO, "--cwd", REPO]
    environment = {**os.environ, "OUTRIDER_HOME": str(where), "PYTHONPATH": str(CHARTERS.parent / "src")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
