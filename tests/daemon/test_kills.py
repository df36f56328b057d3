"""The real daemon, killed while twenty clients ask: every call that was answered is in the record, which verifies.

``OUTRIDER_KILLS`` counts the kills of the ledger's own test; this one takes a tenth of them, 10 by default.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest
from tests.daemon.house import SRC, until

from outrider.events.record import CallDecided

KILLS = int(os.environ.get("OUTRIDER_KILLS", "100")) // 10
CLIENTS = 20

# Twenty clients, each a session of its own, that ask over and over and print the calls that were answered.
LOAD = r"""
import json, os, socket, sys, threading, time
from outrider.doors.wire import Request, decode_answer, encode_request
from outrider.errors import OutriderError

path, cwd, clients = sys.argv[1], sys.argv[2], int(sys.argv[3])

def asked(session, call):
    payload = {"session_id": session, "cwd": cwd, "hook_event_name": "PreToolUse", "tool_name": "Bash",
               "tool_input": {"command": "ls"}, "tool_use_id": call}
    nonce, got = os.urandom(16), b""
    request = Request(nonce=nonce, door="claude_code", event="PreToolUse", payload=json.dumps(payload).encode())
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(encode_request(request))
        while piece := sock.recv(1 << 16):
            got += piece
    return decode_answer(got, nonce)

def client(session):
    at = 0
    while True:
        at += 1
        try:
            said = asked(session, f"{session}-{at}")
        except (OSError, OutriderError):
            time.sleep(0.02)  # Killed, or not there yet.
            continue
        if said.code == 0 and not said.stdout:
            os.write(1, f"{session}-{at}\n".encode())

for number in range(clients):
    threading.Thread(target=client, args=(f"load{number}",), daemon=True).start()
sys.stdin.read()
os._exit(0)
"""


@pytest.mark.slow
def test_a_daemon_killed_at_any_moment_has_every_call_that_was_answered_in_its_record(house, tmp_path):
    dice, out = random.Random(3), tmp_path / "answered"
    out.touch()
    with out.open("ab") as file:
        load = subprocess.Popen(
            [sys.executable, "-c", LOAD, str(house.home.socket), str(house.repo), str(CLIENTS)],
            stdin=subprocess.PIPE, stdout=file, env={"PYTHONPATH": str(SRC), "HOME": str(house.user)},
        )  # fmt: skip
    try:
        for _ in range(KILLS):
            daemon, before = house.start(), out.read_bytes().count(b"\n")
            goal = before + dice.randint(1, 60)
            until(lambda goal=goal: out.read_bytes().count(b"\n") >= goal)
            daemon.kill()
            daemon.wait()
            report = house.verify()
            assert report.ok, report.problems
    finally:
        load.communicate()
    answered = out.read_text().split()
    house.start()
    house.stop()
    recorded = {event.call for event in house.events(CallDecided)}
    assert set(answered) - recorded == set()
    assert house.verify().ok
