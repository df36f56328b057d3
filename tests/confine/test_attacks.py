"""What an agent of ``outrider run`` tries against its guard, by real processes under a real daemon."""

from __future__ import annotations

import json
import sys

from tests.daemon.house import SRC, gone, until

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
