"""The real daemon, killed while twenty agents ask: every call that was answered is in the record, which verifies.

``OUTRIDER_KILLS`` counts the kills of the ledger's own test; this one takes a tenth of them, 10 by default.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import pytest
from tests.daemon.house import SRC, until

from outrider.events.record import AgentBorn, CallDecided, CallResult

KILLS = int(os.environ.get("OUTRIDER_KILLS", "100")) // 10
AGENTS = 20

# Twenty agents, each a session of a host process of its own with a client below it, that ask over and over, tell what
# came of it, and print what was answered.
LOAD = r"""
import json, os, signal, socket, sys, time
from outrider.doors.wire import Request, decode_answer, encode_request
from outrider.errors import OutriderError

path, cwd, agents = sys.argv[1], sys.argv[2], int(sys.argv[3])

def told(session, event, call, **more):
    payload = {"session_id": session, "cwd": cwd, "hook_event_name": event, "tool_name": "Bash",
               "tool_input": {"command": "ls"}, "tool_use_id": call, **more}
    nonce, got = os.urandom(16), b""
    request = Request(nonce=nonce, door="claude_code", event=event, payload=json.dumps(payload).encode())
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(encode_request(request))
        while piece := sock.recv(1 << 16):
            got += piece
    said = decode_answer(got, nonce)
    return said.code == 0 and not said.stdout

def live(session):
    at = 0
    while True:
        at += 1
        call = f"{session}-{at}"
        try:
            if told(session, "PreToolUse", call):
                os.write(1, f"asked {call}\n".encode())
                if told(session, "PostToolUse", call, tool_response={"stdout": "README.md"}):
                    os.write(1, f"ended {call}\n".encode())
        except (OSError, OutriderError):
            time.sleep(0.02)  # Killed, or not there yet.

for number in range(agents):
    if os.fork() == 0:
        if os.fork() == 0:
            live(f"load{number}")
        os.wait()
        os._exit(0)
signal.pause()
"""


@pytest.mark.slow
def test_a_daemon_killed_at_any_moment_has_every_call_that_was_answered_in_its_record(
    house, tmp_path, record_testsuite_property
):
    dice, out = random.Random(3), tmp_path / "answered"
    out.touch()
    with out.open("ab") as file:
        load = subprocess.Popen(
            [sys.executable, "-c", LOAD, str(house.home.socket), str(house.repo), str(AGENTS)],
            stdout=file, env={"PYTHONPATH": str(SRC), "HOME": str(house.user)}, start_new_session=True,
        )  # fmt: skip
    try:
        for _ in range(KILLS):
            daemon, before = house.start(), out.read_bytes().count(b"\n")
            goal = before + dice.randint(1, 60)
            until(lambda goal=goal: out.read_bytes().count(b"\n") >= goal)
            daemon.kill()
            daemon.communicate()
            house.started.remove(daemon)
            report = house.verify()
            assert report.ok, report.problems
    finally:
        os.killpg(load.pid, signal.SIGKILL)
        load.wait()
    answered = [tuple(line.split()) for line in out.read_text().splitlines()]
    house.start()
    house.stop()
    assert house.verify().ok
    recorded = {("asked", event.call) for event in house.events(CallDecided)}
    recorded |= {("ended", event.call) for event in house.events(CallResult)}
    assert set(answered) - recorded == set()
    born = [event.session for event in house.events(AgentBorn)]
    assert len(born) == len(set(born)), "an agent is born once, however often its daemon dies"
    busy = {call.partition("-")[0] for _, call in answered}
    assert AGENTS // 2 <= len(busy) <= len(born), "the load is of agents that are let through"
    record_testsuite_property(
        "load", f"{KILLS} kills, {len(busy)} agents, {len(answered)} answers, {len(recorded)} of record"
    )
