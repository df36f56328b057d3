"""Many agents at once on one daemon: how much it decides, and whether one of them can make the others wait."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench import calls
from bench.measure import Row, flushes, say, spread
from bench.world import HERE, World, compile_c, daemon, decided, echo, frames, world

BUDGET = {"mixed": 5_000.0, "structured": 10_000.0}


def load(here: World, socket: Path, where: Path, agents: int, seconds: float, pause: int = 0) -> list[str]:
    """Return the command that asks with so many agents."""
    return [str(here.root / "load"), str(socket), str(where), str(agents), str(seconds), str(pause)]


def told(text: str) -> tuple[list[tuple[int, float, bool]], float]:
    """Return ``(agent, nanoseconds, right)`` of every answer, and the seconds that all took together."""
    lines = text.splitlines()
    answers = []
    for line in lines[:-1]:
        agent, took, right = line.split()
        answers.append((int(agent), float(took) * 1000, right == "1"))
    return answers, float(lines[-1].split()[1]) / 1e6


def _asked(command: list[str], here: World) -> tuple[list[tuple[int, float, bool]], float]:
    return told(subprocess.run(command, capture_output=True, text=True, check=True, env=here.env()).stdout)


def sustained(seconds: float, agents: int = 64) -> list[Row]:
    """Measure how many durable decisions a second leave one daemon, its view process running."""
    rows = []
    for kind, each in (("mixed", 160), ("structured", 240)):
        with world() as here:
            compile_c(HERE / "load.c", here.root / "load")
            where, ids = here.directory(kind), []
            for agent in range(agents):
                some = here.made(kind, int(each * seconds), 100 + agent)
                ids.append(frames(where / f"{agent}.frames", some, here, f"{kind}-{agent}"))
            with echo(here.root / "echo"):
                silent, took = _asked(load(here, here.root / "echo", where, agents, seconds), here)
            bare = len(silent) / took
            with daemon(here):
                answers, took = _asked(load(here, here.home.socket, where, agents, seconds), here)
                record = decided(here)
            asked = _counted(answers, agents)
            lost = sum(1 for mine, many in zip(ids, asked, strict=True) for one in mine[:many] if one not in record)
            times = spread([one[1] for one in answers], "ms")
            row = Row(f"sustained, {agents} agents, {kind} calls", "/s", {"rate": len(answers) / took})
            row.baseline, row.beside = "a daemon that only answers", bare
            row.budgets = {"rate": BUDGET[kind]}
            row.wrong = lost + sum(1 for _, _, right in answers if not right)
            each_took = f"each p50 {times['p50']:.1f} p99 {times['p99']:.1f} ms"
            row.notes = f"{len(answers):,} answers, {row.wrong} wrong or lost; {each_took}"
            rows.append(row)
            say(f"  {kind}: {len(answers) / took:,.0f}/s")
    return rows


def _counted(answers: list[tuple[int, float, bool]], agents: int) -> list[int]:
    counts = [0] * agents
    for agent, _, _ in answers:
        counts[agent] += 1
    return counts


def flood(seconds: float, agents: int = 8, pause: int = 10_000) -> list[Row]:
    """Measure how long ordinary agents wait while another writes files of 5 MB without a break.

    They ask a hundred times a second each, more than a model can, rather than as fast as they are answered: what is
    wanted is how long one call waits, not what a queue of their own making does to it.
    """
    with world() as here:
        compile_c(HERE / "load.c", here.root / "load")
        quiet, busy, big = (here.directory(name) for name in ("quiet", "busy", "big"))
        for name, where in (("quiet", quiet), ("busy", busy)):
            for agent in range(agents):
                some = here.made("mixed", int(100 * seconds), 200 + agent)
                frames(where / f"{agent}.frames", some, here, f"{name}-{agent}")
        frames(big / "0.frames", [(call, False) for call in calls.flood(str(here.repo), 6)], here, "flood")
        with daemon(here):
            alone, _ = _asked(load(here, here.home.socket, quiet, agents, seconds, pause), here)
            # The flood begins first and lasts longer than what is measured.
            with subprocess.Popen(
                [*load(here, here.home.socket, big, 1, seconds + 1), "again"],
                stdout=subprocess.PIPE,
                text=True,
                env=here.env(),
            ) as flooding:
                answers, _ = _asked(load(here, here.home.socket, busy, agents, seconds, pause), here)
                assert flooding.stdout is not None
                floods, took = told(flooding.stdout.read())
        disk = spread(flushes(here.root), "ms")["p50"]
    row = Row("others, while one writes 5 MB files", "ms", spread([one[1] for one in answers], "ms"))
    row.baseline, row.beside = "the same agents without the flood", spread([one[1] for one in alone], "ms")["p50"]
    row.budgets = {"p99": 10.0}
    row.wrong = sum(1 for _, _, right in (*answers, *floods) if not right)
    p99 = spread([one[1] for one in alone], "ms")["p99"]
    row.notes = f"{len(floods)} floods of 5 MB in {took:.1f} s; without it p99 {p99:.1f} ms; fdatasync {disk:.2f} ms"
    large = Row("one write of 5 MB, cut and said so", "ms", spread([one[1] for one in floods], "ms"))
    large.budgets = {"p50": 150.0}
    large.notes = f"{len(floods)} one after another, while {agents} others ask a hundred times a second each"
    return [row, large]
