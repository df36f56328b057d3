"""From the spawn of a hook client to its answer, through a real daemon and its durable record."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Row, flushes, spread
from bench.world import HERE, World, compile_c, daemon, decided, echo, inputs, world

from outrider.cli import launchers
from outrider.config import Home
from outrider.daemon.control import ask
from outrider.errors import UnavailableError
from outrider.hook.find import NATIVE, PYTHON
from outrider.identity.process import alive, read

ABOVE = "an fdatasync"
WARM = 10
"""First runs of a session, which are not counted: its birth, and the first reads of everything."""

NODE = """
const { spawn } = require('child_process'), fs = require('fs');
const [n, dir] = process.argv.slice(2), program = fs.readFileSync(`${dir}/program`, 'utf8').split('\\n');
let at = 0;
function next() {
  if (at == n) return;
  const input = fs.readFileSync(`${dir}/${at}.in`), began = process.hrtime.bigint();
  const child = spawn(program[0], program.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (data) => { out += data; });
  child.on('close', (code) => {
    console.log(`${Number(process.hrtime.bigint() - began) / 1000} ${code}`);
    fs.writeFileSync(`${dir}/${at}.out`, out);
    at += 1;
    next();
  });
  child.stdin.on('error', () => {});  // A program that does not read.
  child.stdin.end(input);
}
next();
"""
CLIENTS = {"native": [str(NATIVE)], "Python": [sys.executable, "-I", "-S", str(PYTHON)]}


def words(socket: Path, spool: Path) -> list[str]:
    """Return the hook client's options."""
    places = ["--socket", str(socket), "--spool", str(spool)]
    return ["--door", "claude_code", "--event", "PreToolUse", *places, "--undecided", "deny"]


def spawned(here: World, count: int, wide: int, where: Path, program: Sequence[str]) -> tuple[list[float], int]:
    """Spawn a program from the C parent; return nanoseconds each, and how many ended badly."""
    (where / "program").write_text("\n".join(program))
    command = [str(here.root / "spawn"), str(count), str(wide), str(where)]
    return _read(subprocess.run(command, capture_output=True, text=True, check=True, env=here.env()).stdout)


def _counted(run: tuple[list[float], int]) -> tuple[list[float], int]:
    return run[0][WARM:], run[1]


def _read(text: str) -> tuple[list[float], int]:
    pairs = [line.split() for line in text.splitlines()]
    return [float(took) * 1000 for took, _ in pairs], sum(1 for _, code in pairs if code != "0")


def wrong(here: World, where: Path, expected: Sequence[bool], ids: Sequence[str]) -> tuple[int, int]:
    """Return how many answers were not what they had to be, and how many calls the record does not hold."""
    record = decided(here)
    bad = lost = 0
    for at, (refused, call) in enumerate(zip(expected, ids, strict=True)):
        said = '"deny"' in (where / f"{at}.out").read_text()
        bad += said != refused or (call in record and (record[call] == "deny") != refused)
        lost += call not in record
    return bad, lost


def hooks(count: int) -> list[Row]:
    """Measure both clients one at a time, the native one from Node too, and a burst of it."""
    rows: list[Row] = []
    with world() as here:
        compile_c(HERE / "spawn.c", here.root / "spawn")
        (here.root / "empty.c").write_text("int main(void) { return 0; }\n")
        empty = [str(compile_c(here.root / "empty.c", here.root / "empty", static=True))]
        with daemon(here), echo(here.root / "echo"):
            for name, client in CLIENTS.items():
                if Path(client[0]).exists():
                    rows.append(_one_at_a_time(here, name, client, empty, count))
            best = CLIENTS["native"] if NATIVE.exists() else CLIENTS["Python"]
            node = shutil.which("node")
            if node:
                rows.append(_from_node(here, node, best, empty, count))
            rows.append(_burst(here, best, empty))
    return rows


def _one_at_a_time(here: World, name: str, client: list[str], empty: list[str], count: int) -> Row:
    where = here.directory(f"hook-{name}")
    some = here.made("mixed", count + WARM, 3)
    ids = inputs(where, some, here, f"hook-{name}")
    bare, _ = spawned(here, count, 1, where, empty)
    silent, _ = spawned(here, count, 1, where, [*client, *words(here.root / "echo", here.home.spool)])
    flushed = flushes(here.root)
    program = [*client, *words(here.home.socket, here.home.spool)]
    spent, late = _counted(spawned(here, count + WARM, 1, where, program))
    disk = spread(flushed + flushes(here.root), "ms")["p50"]
    bad, lost = wrong(here, where, [refused for _, refused in some], ids)
    echoed, nothing = spread(silent, "ms")["p50"], spread(bare, "ms")["p50"]
    row = Row(f"hook, {name} client, from C", "ms", spread(spent, "ms"), "a daemon that only answers", echoed)
    row.wrong = bad + lost + late
    row.notes = f"empty program {nothing:.2f} ms, fdatasync {disk:.2f} ms; {row.wrong} wrong or lost of {count}"
    if name == "native":
        row.above = (disk, ABOVE)
        row.budgets = {"p50": 1.0, "p99": 4.0}
    return row


def _from_node(here: World, node: str, client: list[str], empty: list[str], count: int) -> Row:
    where = here.directory("hook-node")
    some = here.made("mixed", count + WARM, 4)
    ids = inputs(where, some, here, "hook-node")
    script = here.root / "parent.js"
    script.write_text(NODE)

    def run(program: list[str]) -> tuple[list[float], int]:
        (where / "program").write_text("\n".join(program))
        command = [node, str(script), str(count + WARM), str(where)]
        return _read(subprocess.run(command, capture_output=True, text=True, check=True, env=here.env()).stdout)

    bare, _ = _counted(run(empty))
    flushed = flushes(here.root)
    spent, late = _counted(run([*client, *words(here.home.socket, here.home.spool)]))
    disk = spread(flushed + flushes(here.root), "ms")["p50"]
    bad, lost = wrong(here, where, [refused for _, refused in some], ids)
    row = Row("hook, from Node", "ms", spread(spent, "ms"), "an empty program from Node", spread(bare, "ms")["p50"])
    row.above = (disk, ABOVE)
    row.budgets = {"p50": 2.5}
    row.wrong = bad + lost + late
    row.notes = f"{row.wrong} wrong or lost of {count}"
    return row


def _burst(here: World, client: list[str], empty: list[str], count: int = 500, wide: int = 50) -> Row:
    where = here.directory("burst")
    some = here.made("mixed", count, 5)
    ids = inputs(where, some, here, "burst")
    bare, _ = spawned(here, count, wide, where, empty)
    silent, _ = spawned(here, count, wide, where, [*client, *words(here.root / "echo", here.home.spool)])
    spent, late = spawned(here, count, wide, where, [*client, *words(here.home.socket, here.home.spool)])
    bad, lost = wrong(here, where, [refused for _, refused in some], ids)
    row = Row(f"burst of {count}, {wide} at once", "ms", spread(spent, "ms"))
    row.baseline, row.beside = "a daemon that only answers", spread(silent, "ms")["p50"]
    row.budgets = {"p50": 30.0, "p99": 90.0}
    row.wrong = bad + lost + late
    row.notes = f"{bad} wrong, {lost} lost; empty programs {spread(bare, 'ms')['p50']:.1f} ms"
    return row


def first_call(rounds: int) -> list[Row]:
    """Measure the first call after an installation: its hook starts the daemon."""
    spent: list[float] = []
    bad = 0
    with world() as here:
        compile_c(HERE / "spawn.c", here.root / "spawn")
        where = here.directory("first")
        inputs(where, here.made("structured", 1, 6), here, "first")
        python = [sys.executable, "-I", "-c", "pass"]
        bare, _ = spawned(here, 5, 1, _same(here, where, 5), python)
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(dir=here.root) as name:
                home = Home(Path(name) / "o")
                home.make()
                shutil.copy(here.home.config, home.config)
                launchers.write(home, shared=False)
                command = [*launchers.command(home, "deny"), "--event", "PreToolUse"]
                took, failed = spawned(here, 1, 1, where, command)
                bad += bool(failed or (where / "0.out").read_text())
                spent += took
                _end(home)
    row = Row("first call, which starts the daemon", "ms", spread(spent, "ms"))
    row.baseline, row.beside = "an empty interpreter", spread(bare, "ms")["p50"]
    row.budgets, row.wrong = {"p99": 1000.0}, bad
    row.notes = f"{rounds} rounds, each with a home that had no record and no keys"
    return [row]


def _same(here: World, where: Path, count: int) -> Path:
    out = here.directory("same")
    for at in range(count):
        shutil.copy(where / "0.in", out / f"{at}.in")
    return out


def _end(home: Home) -> None:
    """End the daemon that a hook has started, and wait for it: it is nobody's child here."""
    facts = None
    for _ in range(3000):
        if facts is None:
            said = ask(home.socket, {"do": "down"}, timeout=30)
            if "pid" not in said and "starting" not in said:
                raise UnavailableError(f"a daemon of the benchmark did not end: {said}")
            facts = read(int(said["pid"])) if "pid" in said else None
        elif not alive(facts.pid, facts.start):
            return
        time.sleep(0.01)
