"""What ``outrider run`` adds to a command: to its start, and to work that is like a build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from bench.measure import Row, spread
from bench.world import World, daemon, world

from outrider.confine.find import NATIVE, launcher

BUILD = """
i=0
while [ $i -lt 40 ]; do
    echo 'int f(int x) { return x + 1; }' > f$i.c
    cc -O1 -c f$i.c -o f$i.o || exit 1
    i=$((i + 1))
done
git status --short > listed
"""
"""Many short processes and small files."""

PROGRAMS = 500
STARTS = f"i=0; while [ $i -lt {PROGRAMS} ]; do /bin/true; i=$((i + 1)); done"
"""Nothing but programs that are started: the most that hearing of each can cost."""


def _took(here: World, argv: Sequence[str]) -> tuple[int, bool]:
    """Return nanoseconds from start to end of a command, and whether it ended well."""
    env = {**here.env(), "OUTRIDER_HOME": str(here.home.root)}
    began = time.perf_counter_ns()
    done = subprocess.run(argv, cwd=here.repo, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return time.perf_counter_ns() - began, done.returncode == 0


def _beside(
    here: World, name: str, bare: Sequence[str], turns: int, *, start: Sequence[str] = (), held: Sequence[str] = ()
) -> Row:
    """Measure a command bare and as an agent, alternately, in milliseconds."""
    held = held or [*(start or launcher()), "--charter", "coder", "--", *bare]
    _took(here, held)
    alone, run, wrong = [], [], 0
    for _ in range(turns):
        for argv, spent in ((bare, alone), (held, run)):
            took, well = _took(here, argv)
            spent.append(took)
            wrong += not well
    before = spread(alone, "ms")["p50"]
    beside = "the same, unseen" if "--unseen" in bare else "the bare command"
    row = Row(name, "ms", spread(run, "ms"), beside, before, wrong=wrong)
    row.above = (before, f"the p50 of {beside}")
    row.notes = f"{wrong} failed"
    return row


def _seen(here: World, name: str, command: Sequence[str], turns: int) -> Row:
    """Measure what hearing of every program and connection adds, beside the same launcher with ``--unseen``."""
    without = [*launcher(), "--charter", "coder", "--unseen", "--", *command]
    return _beside(here, name, without, turns, held=[*launcher(), "--charter", "coder", "--", *command])


def launching(turns: int) -> list[Row]:
    """Measure the start, and a build if there is a compiler."""
    if not os.access(NATIVE, os.X_OK):
        raise SystemExit("the launcher was not built: install a C compiler, then `make setup`")
    with world() as here, daemon(here):
        nothing = ["/bin/true"]
        rows = [_beside(here, "the launcher, a command that does nothing", nothing, turns)]
        rows[0].budgets = {"p50": 15.0}
        python = [sys.executable, "-m", "outrider", "run"]
        rows.append(_beside(here, "outrider run, through Python, the same", nothing, turns, start=python))
        if shutil.which("cc"):
            rows.append(_beside(here, "the launcher, 40 files compiled", ["/bin/sh", "-c", BUILD], max(3, turns // 20)))
            rows[-1].notes += f"; {rows[-1].ratio:.2f} times the bare command"
            build = ["/bin/sh", "-c", BUILD]
            rows.append(_seen(here, "what processes do heard of, 40 files compiled", build, max(3, turns // 20)))
        few = max(5, turns // 10)
        rows.append(_seen(here, "what processes do heard of, a command that does nothing", nothing, turns))
        rows.append(_seen(here, f"what processes do heard of, {PROGRAMS} programs", ["/bin/sh", "-c", STARTS], few))
        each = (rows[-1].main - rows[-1].beside) * 1000 / PROGRAMS
        rows[-1].notes += f"; {each:.0f} us a program"
    return rows
