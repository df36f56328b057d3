"""What the two clients and the door say where nobody decides is the same, byte for byte."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.doors.claude_code import undecided
from outrider.doors.claude_code.events import EVENTS
from outrider.doors.wire import decode_answer, encode_answer
from outrider.errors import BadInputError
from outrider.events.message import Wire

HOOK = Path(__file__).parents[2] / "src" / "outrider" / "hook"
REASON = (
    "Outrider could not judge this: its daemon is not running and could not be started. "
    "Run `outrider doctor` in a terminal of your own to see what to do."
)


@pytest.mark.parametrize("fallback", ["deny", "ask", "allow"])
def test_every_event_is_answered_the_same_by_both_clients_and_by_the_door(native, run_dir, fallback):
    for event in (*EVENTS, "NeverHeardOf"):
        said = []
        for start in ([str(native)], [sys.executable, "-I", "-S", str(HOOK / "client.py")]):
            words = ["--door", "claude_code", "--event", event, "--socket", str(run_dir / "s")]
            words += ["--spool", str(run_dir / "spool"), "--undecided", fallback]
            done = subprocess.run([*start, *words], input=b"{}", capture_output=True, timeout=30, check=False)
            said.append((done.stdout, done.stderr, done.returncode))
        wire = undecided(event, fallback, REASON)
        assert said[0] == said[1] == (wire.stdout, wire.stderr, wire.code), event
    lines = [json.loads(line) for line in (run_dir / "spool").read_text().splitlines()]
    for one, two in zip(lines[::2], lines[1::2], strict=True):
        assert one | {"ts": 0} == two | {"ts": 0}


def damaged(answer: bytes, luck: random.Random) -> bytes:
    """An answer with a few bytes changed, lost, added behind or put between; sometimes none."""
    data = bytearray(answer)
    for _ in range(luck.choice((0, 1, 1, 1, 2, 4))):
        at = luck.randrange(len(data) + 1)
        how = luck.randrange(4)
        if how == 0 and at < len(data):
            data[at] = luck.randrange(256)
        elif how == 1:
            del data[at:]
        else:
            data[at if how == 2 else len(data) : at] = luck.randbytes(luck.randrange(1, 5))
    return bytes(data)


def test_the_clients_take_for_an_answer_what_the_codec_does_and_nothing_else(hook, daemon):
    luck = random.Random(20261123)
    sent: list[tuple[bytes, bytes]] = []

    def behave(connection, nonce, _):
        wire = Wire(
            stdout=luck.randbytes(luck.randrange(20)),
            stderr=luck.randbytes(luck.randrange(20)),
            code=luck.randrange(256),
        )
        sent.append((damaged(encode_answer(nonce, wire), luck), nonce))
        connection.sendall(sent[-1][0])

    daemon(behave)
    taken = 0
    for _ in range(150):
        ran = hook()
        try:
            wire = decode_answer(*sent[-1])
        except BadInputError:
            assert ran.code == 2
            assert b'"permissionDecision":"deny"' in ran.out
        else:
            taken += 1
            assert ran.said == (wire.code, wire.stdout, wire.stderr)
    assert 10 < taken < 140


def test_both_clients_know_the_same_reasons_and_limits():
    native = (HOOK / "client.c").read_text()
    python = (HOOK / "client.py").read_text()
    namespace: dict = {"__name__": "client"}
    exec(compile(python, "client.py", "exec"), namespace)
    for why, text in namespace["WHY"].items():
        assert text in native
        assert why == "fault" or f'{{"{why}", "{text}"}}' in native
    assert "PAYLOAD_MAX = 32 << 20" in native
    assert "OUTPUT_MAX = 1 << 20" in native


def test_a_fault_of_the_python_clients_own_is_a_deny_and_not_a_traceback(run_dir):
    """Whatever is raised inside, the answer is the undecided one."""
    broken = run_dir / "client.py"
    broken.write_text((HOOK / "client.py").read_text().replace("posix.urandom(16)", "1 // 0"))
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s")]
    words += ["--spool", str(run_dir / "spool"), "--undecided", "deny"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(broken), *words], input=b"{}", capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"no name" in done.stderr
    assert json.loads((run_dir / "spool").read_text())["why"] == "fault"
