"""What an agent of ``outrider run`` tries against its guard, by real processes under a real daemon."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from tests.confine.test_run import bash
from tests.daemon.house import SRC, gone, until

from outrider.events.record import CallDecided, Refusal

CUT_OFF = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("cut-off.part", "w").write(str(os.getpid()))
        os.rename("cut-off.part", "cut-off")
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""

ASK = """
import json, os, socket, struct, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(os.environ["OUTRIDER_SOCKET"])
body = sys.argv[1].encode()
sock.sendall(b"ORC1" + struct.pack(">I", len(body)) + body)
said = b""
while part := sock.recv(65536):
    said += part
print(said[8:].decode())
"""


def ask(cell, **request):
    """Ask on the control channel from inside, as the agent could."""
    return json.loads(cell.python(ASK, json.dumps(request)).out)


def test_a_quarantine_that_kills_ends_the_command_and_what_cut_itself_off(cell):
    process = cell.begin(sys.executable, "-S", "-c", CUT_OFF)
    pid = int(until(lambda: (cell.repo / "cut-off").exists() and (cell.repo / "cut-off").read_text()))
    told = cell.control(do="lever", lever="quarantine", kind="charter", value="coder", why="seen at work", kill=True)
    assert {process.pid, pid} <= set(told["killed"])
    process.wait(20)
    gone(pid)


def test_no_agent_of_a_quarantined_charter_is_born(cell):
    cell.control(do="lever", lever="quarantine", kind="charter", value="coder", why="a bad image")
    done = cell.sh("echo ran > ran")
    assert (done.code, (cell.repo / "ran").exists()) == (4, False)
    assert "a bad image" in done.err
    assert cell.births() == []


def test_an_agent_can_neither_release_itself_nor_quarantine_others(cell):
    for lever, value in (("release", "coder"), ("quarantine", "ops"), ("observe", "coder")):
        said = ask(cell, do="lever", lever=lever, kind="charter", value=value, why="x", us=1_000_000)
        assert said.get("error"), (lever, said)
    assert cell.status()["levers"] == []


def test_variables_that_are_unset_or_forged_change_nothing(cell):
    script = f"""
unset OUTRIDER_AGENT OUTRIDER_CHARTER OUTRIDER_HOME
cat {cell.user}/.ssh/id_ed25519
OUTRIDER_AGENT=another OUTRIDER_CHARTER=ops OUTRIDER_HOME=/tmp cat {cell.user}/.ssh/id_ed25519
true
"""
    assert "a key" not in cell.sh(script).out
    token = cell.python("import os; os.environ['OUTRIDER_AGENT'] = 'another'\n" + ASK, json.dumps({"do": "token"}))
    assert json.loads(token.out)["agent"] == cell.births()[-1].agent


def test_the_agents_own_charter_and_the_package_cannot_be_changed(cell):
    script = f"""
for place in {cell.home.root}/charters {cell.home.root}/config.toml {SRC}/outrider/errors.py; do
    (echo x >> $place/coder.toml || echo x >> $place) 2>/dev/null && echo changed $place
done
true
"""
    assert cell.sh(script).out == ""


def test_a_session_of_another_agent_is_not_taken_over_from_inside(cell):
    victim = cell.host(session="theirs")
    victim.bash("ls")
    cell.sh(bash(cell, "theirs", "ls") + "; true")
    assert len(cell.events(Refusal)) == 1
    assert {one.src.id for one in cell.events(CallDecided)} == {"claude_code:theirs"}
    assert len(cell.events(CallDecided)) == 1


def test_births_from_inside_end_with_the_charters_budget_of_children(cell):
    (cell.home.charters / "few.toml").write_text(
        '[charter]\nname = "few"\nextends = "base"\nbudget = { spawns = 2 }\n[may]\nspawn = ["few"]\n'
        'read = ["repo/**", "@system", "@tmp"]\nwrite = ["repo/**", "@tmp"]\nexec = ["*"]\n'
    )
    until(lambda: "few" in cell.status()["charters"])
    launcher = cell.repo / "outrider-run"
    launcher.write_bytes(Path(cell.launcher[0]).read_bytes())
    launcher.chmod(0o755)
    done = cell.sh(f"for i in 1 2 3 4; do {launcher} --charter few -- echo born; done; true", charter="few")
    assert done.out.split() == ["born", "born"], done
    assert "budget" in done.err
    assert len(cell.births()) == 3


def test_command_lines_of_other_processes_can_be_read_and_its_birth_says_so(cell):
    done = cell.sh(f"tr '\\0' ' ' < /proc/{cell.pid}/cmdline")
    assert "outrider.daemon" in done.out
    assert "processes" in cell.births()[0].held.lacks


@pytest.mark.parametrize("program", ["/usr/bin/env python3", "sh -c 'exec python3'", "setsid -w python3"])
def test_a_key_is_out_of_reach_however_the_program_is_started(cell, program):
    key = cell.user / ".ssh/id_ed25519"
    script = f"echo \"print(open('{key}').read())\" | {program}"
    assert "a key" not in cell.sh(f"{script}; cat {key}; true").out
