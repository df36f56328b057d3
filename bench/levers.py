"""How soon a quarantine holds for 500 living agents, what a token costs, and whether valid ones are ever refused."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

from bench.measure import Row, spread, timed
from bench.world import HERE, World, daemon, world

from outrider.config import add_repository
from outrider.daemon.control import ask
from outrider.doors.wire import NONCE, Request, decode_answer, encode_request
from outrider.errors import RefusedError
from outrider.identity.tokens import Handed, Subject, Tokens, narrow_with

LIVING = 500
ASKING = 100
WIDE = 50
HOUR = 3_600_000_000
HERD = """
[charter]
name = "herd"
extends = "base"
budget = { calls = 50000, spawns = 1000, spawn_depth = 3 }
[may]
read = ["*"]
write = ["*"]
exec = ["*"]
connect = ["*"]
spawn = ["*"]
opaque = "allow"
"""


def _frame(here: World, event: str, sub: str, call: str) -> tuple[bytes, bytes]:
    nonce = os.urandom(NONCE)
    body = {"session_id": "levers", "hook_event_name": event, "cwd": str(here.repo)}
    if sub:
        body |= {"agent_id": sub, "agent_type": "general-purpose"}
    if event == "PreToolUse":
        body |= {"tool_name": "Bash", "tool_input": {"command": "git status"}, "tool_use_id": call}
    payload = json.dumps(body).encode()
    return nonce, encode_request(Request(nonce=nonce, door="claude_code", event=event, payload=payload))


async def _say(here: World, event: str, sub: str = "", call: str = "c") -> bool:
    """Send one event; tell whether it was refused."""
    nonce, frame = _frame(here, event, sub, call)
    reader, writer = await asyncio.open_unix_connection(str(here.home.socket))
    writer.write(frame)
    data = await reader.read()
    writer.close()
    answer = decode_answer(data, nonce)
    return b'"deny"' in answer.stdout or answer.code == 2


async def everybody(here: World, turn: str, began: int) -> tuple[list[int], int]:
    """Let every fifth agent ask, so many at once; return when each heard, and how many were refused."""
    lanes = asyncio.Semaphore(WIDE)
    spent: list[int] = []

    async def one(at: int) -> bool:
        async with lanes:
            refused = await _say(here, "PreToolUse", f"sub-{at}" if at else "", f"{turn}-{at}")
            spent.append(time.perf_counter_ns() - began)
            return refused

    refused = sum(await asyncio.gather(*(one(at) for at in range(0, LIVING, LIVING // ASKING))))
    return spent, refused


ASKER = """
import asyncio, json, sys
from pathlib import Path
from bench import levers
from bench.world import World
here = World(Path(sys.argv[1]))
asyncio.run(levers.born(here))
print("born", flush=True)
for line in sys.stdin:
    turn, began = line.split()
    print(json.dumps(asyncio.run(levers.everybody(here, turn, int(began)))), flush=True)
"""


async def born(here: World) -> None:
    """Let all agents be born: a session and its sub-agents."""
    await _say(here, "PreToolUse")
    for at in range(1, LIVING):
        await _say(here, "SubagentStart", f"sub-{at}")


class _Asker:
    """The agents, in a process tree of their own: who pulls a lever must not stand in it."""

    def __init__(self, here: World) -> None:
        env = {**os.environ, **here.env(), "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE.parent / "src")])}
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", '"$@"; :', "sh", sys.executable, "-c", ASKER, str(here.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def ask(self, turn: str, began: int) -> tuple[list[int], int]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{turn} {began}\n")
        self._process.stdin.flush()
        spent, refused = json.loads(self._line())
        return spent, refused

    def close(self) -> None:
        self._process.communicate()


def _measured(here: World, rounds: int) -> tuple[list[int], list[int], list[int], int]:
    """Return the time to each refusal, of each pull and of each answer in freedom, and how many answers were wrong."""
    spent: list[int] = []
    pulls: list[int] = []
    plain: list[int] = []
    wrong = 0
    order = {"do": "lever", "lever": "quarantine", "kind": "charter", "value": "herd", "why": "measuring"}
    with daemon(here):
        agents = _Asker(here)
        for turn in range(rounds):
            heard, refused = agents.ask(f"free-{turn}", time.perf_counter_ns())
            plain += heard
            wrong += refused
            began = time.perf_counter_ns()
            told = ask(here.home.socket, order)
            pulls.append(time.perf_counter_ns() - began)
            if "error" in told:  # Such as: started in the background, where nobody can say who asks.
                raise SystemExit(f"the quarantine was refused: {told['error']}. {told['fix']}")
            wrong += told["living"] != LIVING
            heard, refused = agents.ask(f"held-{turn}", began)
            spent += heard
            wrong += ASKING - refused
            ask(here.home.socket, {**order, "lever": "release"})
        agents.close()
    return spent, pulls, plain, wrong


def quarantine(rounds: int) -> list[Row]:
    """Measure the time from pulling a quarantine to agents of the class being refused their next call."""
    with world() as here:
        (here.home.charters / "herd.toml").write_text(HERD)
        add_repository(here.home, str(here.repo), "herd", "enforce")
        spent, pulls, plain, wrong = _measured(here, rounds)
    row = Row(f"quarantine to effect, {LIVING} living agents", "ms", spread(spent, "ms"))
    row.baseline, row.beside = "the same agents asking, in no quarantine", spread(plain, "ms")["p50"]
    row.budgets, row.wrong = {"p99": 1000.0}, wrong
    pulled = spread(pulls, "ms")
    durable = f"the pull itself, durable, p50 {pulled['p50']:.1f} p99 {pulled['p99']:.1f} ms"
    row.notes = f"{ASKING} of them ask at once, {WIDE} wide; {durable}; {wrong} wrong"
    return [row]


def _spawned(here: World) -> int:
    """Return the nanoseconds until a child is born, 0 if it is refused. Whoever asks becomes the child: a fork does."""
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        began = time.perf_counter_ns()
        told = ask(here.home.socket, {"do": "spawn", "charter": "herd"})
        os.write(writes, b"0" if "error" in told else str(time.perf_counter_ns() - began).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    with os.fdopen(reads) as said:
        os.close(writes)
        return int(said.read())


def births(count: int) -> list[Row]:
    """Measure what it takes until a sub-agent, and a child by delegation, is born, over the socket, its birth durable.

    A call of an agent that is known stands beside, taken alternately.
    """
    sub_agents: list[int] = []
    calls: list[int] = []
    wrong = 0

    async def story() -> int:
        await _say(here, "PreToolUse")
        refused = 0
        for at in range(count):
            for spent, event, sub in ((sub_agents, "SubagentStart", f"sub-{at}"), (calls, "PreToolUse", "")):
                began = time.perf_counter_ns()
                refused += await _say(here, event, sub, f"c-{at}")
                spent.append(time.perf_counter_ns() - began)
        return refused

    with world() as here:
        (here.home.charters / "herd.toml").write_text(HERD)
        add_repository(here.home, str(here.repo), "herd", "enforce")
        with daemon(here):
            wrong += asyncio.run(story())
            children = [_spawned(here) for _ in range(count)]
    beside, alone = "a call of an agent that is known", spread(calls, "ms")["p50"]
    return [
        Row("birth of a sub-agent, durable", "ms", spread(sub_agents, "ms"), beside, alone, wrong=wrong),
        Row(
            "birth of a child by delegation, durable, with its token",
            "ms",
            spread(children, "ms"),
            beside,
            alone,
            wrong=children.count(0),
        ),
    ]


def tokens(count: int) -> list[Row]:
    """Measure delegation tokens, and ask for many valid authorisations while others take the processor."""
    minting = Tokens(os.urandom(32))
    now = time.time_ns() // 1000
    known = {"agent": "ag_root", "charter": "coder", "charters": ("base", "coder"), "above": (), "sponsor": "p_0"}
    subject = Subject(**known, born=1, expires=now + HOUR)
    root = minting.mint(subject)
    handed = [Handed(agent=f"ag_{at}", charter="reviewer", expires=now + HOUR, may={"connect": ()}) for at in range(2)]
    text = narrow_with(narrow_with(root, handed[0]), handed[1])
    some = max(200, count // 25)
    minted = [timed(lambda: minting.mint(subject)) for _ in range(some)]
    narrowed = [timed(lambda: narrow_with(root, handed[0])) for _ in range(some)]
    verified = [timed(lambda: minting.verify(text, now=now, verb="read")) for _ in range(some)]
    busy = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(os.cpu_count() or 2)]
    denied, loaded = 0, []
    try:
        for _ in range(count):
            began = time.perf_counter_ns()
            try:
                minting.verify(text, now=now, verb="read")
            except RefusedError:
                denied += 1
            loaded.append(time.perf_counter_ns() - began)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    rows = [
        Row("token, narrowed offline by one block", "us", spread(narrowed), "minted", spread(minted)["p50"]),
        Row("token of three blocks, verified", "us", spread(verified), "minted", spread(minted)["p50"]),
        Row(f"token, {count:,} valid ones under load", "us", spread(loaded), "verified alone", spread(verified)["p50"]),
    ]
    rows[2].wrong = denied
    rows[2].notes = f"{denied} denied"
    return rows
