"""What the two clients and the door say where nobody decides is the same, byte for byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.doors.claude_code import undecided
from outrider.doors.claude_code.events import EVENTS

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
