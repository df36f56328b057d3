"""What processes do under `outrider run`, heard from the kernel, beside what the agent's calls told."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.daemon.house import SRC, gone, until

from outrider.events.record import CallDecided, DeedsSeen, RecordGap


@pytest.fixture(autouse=True)
def seen(kernel):
    if not kernel["seen"]:
        pytest.skip("this kernel tells of no system calls, or tells somebody above us")


def deeds(cell):
    """Every event of deeds, once the agent has ended."""
    cell.ends(len(cell.births()))
    return cell.events(DeedsSeen)


def ran(cell, *bases):
    """Base names of the programs that were started, of some bases or all."""
    rows = [one for event in deeds(cell) for one in event.deeds.ran if not bases or one.basis in bases]
    return {one.program.rpartition("/")[2] for one in rows}


def rows(cell, agent):
    """What an agent did, by base names of programs and by peers."""
    events = [event.deeds for event in deeds(cell) if event.agent == agent]
    programs = {one.program.rpartition("/")[2]: one for event in events for one in event.ran}
    return programs | {one.peer: one for event in events for one in event.reached}


def findings(cell):
    return [(one.rule, one.message) for event in deeds(cell) for one in event.findings]


SPAWN = f"{sys.executable} -P -m outrider spawn --charter reviewer"

# A host: it asks the hook, and where that lets it, runs the call's text in a shell, as agent hosts do.
HOST = r"""
import json, subprocess
client, words, repo, steps = json.load(open('host.json'))
def hook(event, **fields):
    body = json.dumps({"session_id": "s", "cwd": repo, "hook_event_name": event, **fields})
    return subprocess.run([*client, "--event", event, *words], input=body, text=True, capture_output=True)
for number, (told, done) in enumerate(steps):
    if told is not None:
        fields = dict(tool_name="Bash", tool_input={"command": told}, tool_use_id=f"c{number}")
        hook("PreToolUse", **fields)
    if done:
        subprocess.run(["sh", "-c", done], cwd=repo)
    if told is not None:
        hook("PostToolUse", **fields, tool_response={"stdout": "", "stderr": ""})
"""


def host(cell, *steps):
    """Run a host that tells of calls and does things: each step is what is told (or None) and what is done."""
    client = [sys.executable, "-I", "-S", f"{SRC}/outrider/hook/client.py", "--door", "claude_code"]
    words = ["--socket", str(cell.home.socket), "--spool", str(cell.home.spool), "--undecided", "deny"]
    (cell.repo / "host.json").write_text(json.dumps([client, words, str(cell.repo), steps]))
    done = cell.python(HOST)  # A host whose own command line held the hook's words would be taken for a wrapper of it.
    assert done.code == 0, done
    return done


def test_what_a_call_tells_is_done_and_explained(cell):
    host(cell, ("ls; date > today", "ls; date > today"))
    (call,) = [one for one in cell.events(CallDecided) if one.name == "Bash"]
    rows = {one.program.rpartition("/")[2]: one for event in deeds(cell) for one in event.deeds.ran}
    assert findings(cell) == []
    assert {(rows[name].basis, rows[name].call) for name in ("ls", "date")} == {("call", call.n)}
    assert "shell" in {one.basis for one in rows.values()}


def test_a_program_that_no_call_told_of_is_a_finding_that_names_it(cell):
    host(cell, ("ls", "ls; date > today"))
    ((rule, message),) = findings(cell)
    assert rule == "undeclared-exec"
    assert "/date was started by sh" in message
    assert "ls" in ran(cell, "call")


def test_what_an_opaque_program_starts_is_explained_by_it(cell):
    (cell.repo / "Makefile").write_text("all:\n\tdate > today\n\tsh -c 'uname > name'\n")
    host(cell, ("make", "make"))
    assert findings(cell) == []
    assert ran(cell, "call") >= {"make", "date", "uname"}


def test_what_a_denied_call_names_is_not_told(cell):
    host(cell, (f"cat {cell.user}/.ssh/id_ed25519", f"cat {cell.user}/.ssh/id_ed25519; true"))
    (call,) = [one for one in cell.events(CallDecided) if one.name == "Bash"]
    assert call.decision.enforced == "deny"
    assert [rule for rule, _ in findings(cell)] == ["undeclared-exec"]
    assert ran(cell, "none") == {"cat", Path("/bin/sh").resolve().name}


def test_outriders_own_tool_is_never_undeclared(cell):
    (cell.repo / "tool").write_text(f"#!/bin/sh\nexec {SPAWN} -- true\n")
    (cell.repo / "tool").chmod(0o755)
    host(cell, ("ls", "./tool"))  # What starts the tool is told of all the same.
    assert [born.how for born in cell.births()] == ["run", "spawn"]
    assert [message.partition(" was started")[0] for _, message in findings(cell)] == [str(cell.repo / "tool")]
    assert Path(sys.executable).resolve().name in ran(cell, "hook")


def test_what_a_spawned_child_does_counts_for_the_child(cell):
    dial = "import socket; s = socket.socket(); s.settimeout(0.2); s.connect_ex(('192.0.2.7', 443))"
    (cell.repo / "dial").write_text(f"#!{sys.executable} -S\n{dial}\n")
    (cell.repo / "dial").chmod(0o755)
    host(cell, ("ls; date > today", f"{SPAWN} -- sh -c 'uname > name; ./dial; sh -c \"id; true\"'; date > today"))
    parent, child = [born.agent for born in cell.births()]
    done = {agent: rows(cell, agent) for agent in (parent, child)}
    assert done[child].keys() >= {"uname", "dial", "id", "192.0.2.7:443"}
    assert done[parent].keys().isdisjoint({"uname", "dial", "id", "192.0.2.7:443"})
    assert done[parent].keys() >= {"date", Path(sys.executable).resolve().name}
    assert findings(cell) == []  # The child told no call to compare with, and its events say so.
    assert {event.deeds.told for event in deeds(cell) if event.agent == child} == {0}
    assert {event.src.id for event in deeds(cell)} == {f"launcher:{parent}"}


def test_what_a_child_asks_the_proxy_for_is_the_childs_deed(cell):
    if cell.view == "shared":
        pytest.skip("without a network of its own there is no proxy")
    get = (
        "import urllib.request as u, contextlib as c\n"
        "with c.suppress(OSError): u.urlopen('http://collect.example/', timeout=5)"
    )
    (cell.repo / "get").write_text(f"#!{sys.executable} -S\n{get}\n")
    (cell.repo / "get").chmod(0o755)
    host(cell, ("ls", f"{SPAWN} -- ./get"))
    parent, child = [born.agent for born in cell.births()]
    assert [name for name in rows(cell, child) if name.startswith("collect.example")]
    assert not [name for name in rows(cell, parent) if name.startswith("collect.example")]
    assert [rule for rule, _ in findings(cell) if rule == "undeclared-connect"] == []


def test_what_is_done_before_the_first_call_is_the_launchs(cell):
    host(cell, (None, "date > today"), ("ls", "ls"))
    assert findings(cell) == []
    assert "date" in ran(cell, "launch")


def test_where_nothing_is_told_there_is_no_finding_and_the_event_says_so(cell):
    assert cell.sh("date > today; (uname > name)").code == 0
    events = deeds(cell)
    assert findings(cell) == []
    assert ran(cell, "launch") >= {Path("/bin/sh").resolve().name, "date", "uname"}
    assert [event.deeds.told for event in events] == [0] * len(events)


def test_many_programs_are_few_events(cell):
    assert cell.sh("i=0; while [ $i -lt 300 ]; do date > today; i=$((i+1)); done").code == 0
    events = deeds(cell)
    counts = [one.count for event in events for one in event.deeds.ran if one.program.endswith("/date")]
    assert sum(counts) == 300
    assert len(events) < 10


def test_the_search_along_the_path_is_not_counted(cell):
    assert cell.sh("PATH=/nonexistent:/usr/local/nothing:$PATH; env true").code == 0
    programs = [one.program for event in deeds(cell) for one in event.deeds.ran]
    assert not [one for one in programs if "noth" in one or "nonex" in one]


def test_a_connection_that_no_call_told_of_is_a_finding(cell):
    dial = "import socket; s = socket.socket(); s.settimeout(0.2); s.connect_ex(('192.0.2.7', 443))"
    (cell.repo / "ls").write_text(f"#!{sys.executable} -S\n{dial}\n")
    (cell.repo / "ls").chmod(0o755)
    host(cell, ("ls", "./ls"))
    assert findings(cell) == [
        ("undeclared-connect", "A connection to 192.0.2.7:443 was asked for by ls, and no call told of it.")
    ]
    rows = [one for event in deeds(cell) for one in event.deeds.reached if one.basis == "none"]
    assert [(one.peer, one.program) for one in rows] == [("192.0.2.7:443", "ls")]


def test_a_process_that_cuts_itself_off_is_seen_all_the_same(cell):
    left = "(setsid sh -c 'sleep 0.3; date > today' >/dev/null 2>&1 &)"
    host(cell, ("ls", left), ("ls", None), (None, "while [ ! -s today ]; do sleep 0.05; done"))
    assert any("/setsid was started by " in message for _, message in findings(cell))
    assert "date" in ran(cell, "none")


@pytest.mark.parametrize("way", ["handle", "/proc/self/fd/{}"])
def test_a_program_that_is_no_file_is_seen(cell, way):
    script = """
import os, sys
handle = os.memfd_create("odd", 0)
os.write(handle, open("/bin/true", "rb").read())
os.execve(handle if sys.argv[1] == "handle" else sys.argv[1].format(handle), ["true"], {})
"""
    assert cell.python(script, way).code == 0
    programs = [one.program for event in deeds(cell) for one in event.deeds.ran]
    assert [one for one in programs if "memfd:odd" in one]


def test_a_connection_from_a_thread_is_its_programs(cell):
    script = """
import socket, threading
def dial():
    with socket.socket() as sock:
        sock.settimeout(0.2)
        sock.connect_ex(("192.0.2.9", 80))
one = threading.Thread(target=dial)
one.start()
one.join()
"""
    assert cell.python(script).code == 0
    rows = [one for event in deeds(cell) for one in event.deeds.reached if one.peer == "192.0.2.9:80"]
    assert [one.program.startswith("python") for one in rows] == [True]


def test_while_nobody_listens_no_program_is_started(cell):
    """A process that outlives the launcher, since it is no child of the command, can start nothing any more."""
    script = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("pid", "w").write(str(os.getpid()))
        while not os.path.exists("go"):
            time.sleep(0.01)
        try:
            os.execv("/bin/date", ["date"])
        except OSError as error:
            open("refused", "w").write(str(error.errno))
    os._exit(0)
time.sleep(600)
"""
    process = cell.begin(sys.executable, "-S", "-c", script)
    cut_off = int(until(lambda: (cell.repo / "pid").exists() and (cell.repo / "pid").read_text()))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (cell.repo / "go").touch()
    gone(cut_off)
    assert (cell.repo / "refused").read_text() == str(errno.ENOSYS)


def test_inside_of_another_agent_the_birth_says_that_nothing_is_seen(cell):
    launcher = cell.repo / "outrider-run"
    launcher.write_bytes(Path(cell.launcher[0]).read_bytes())
    launcher.chmod(0o755)
    assert cell.sh(f"{launcher} --charter reviewer -- date").code == 0
    outer, inner = cell.births()
    assert outer.held.seen
    assert not inner.held.seen
    assert any(lack.startswith("seen") for lack in inner.held.lacks)
    assert "date" in rows(cell, inner.agent)
    assert "date" not in rows(cell, outer.agent)


def test_a_host_that_the_proxy_is_asked_for_and_no_call_told_of_is_found(cell):
    if cell.view == "shared":
        pytest.skip("without a network of its own there is no proxy")
    get = """
import urllib.request
try:
    urllib.request.urlopen("http://collect.example/", timeout=5)
except OSError:
    pass
"""
    (cell.repo / "ls").write_text(f"#!{sys.executable} -S\n{get}")
    (cell.repo / "ls").chmod(0o755)
    host(cell, ("ls", "./ls"))
    ((rule, message),) = findings(cell)
    assert rule == "undeclared-connect"
    assert message.startswith("A connection to collect.example")
    assert "by ls" in message


def test_what_found_no_room_is_counted_and_recorded_as_a_gap(cell):
    many = 1500
    words = " ".join("x" * 230 for _ in range(6))
    for name in ("go", "end"):
        os.mkfifo(cell.repo / name)
    loop = f"i=0; while [ $i -lt {many} ]; do /bin/true {words}; i=$((i+1)); done"
    process = cell.begin("sh", "-c", f"echo up > up; read x < go; {loop}; echo done > done; read x < end")
    until((cell.repo / "up").exists)
    daemon = cell.pid
    os.kill(daemon, signal.SIGSTOP)
    try:
        (cell.repo / "go").write_text("\n")
        until((cell.repo / "done").exists)  # Nobody waits for a daemon that does not answer.
    finally:
        os.kill(daemon, signal.SIGCONT)
    (cell.repo / "end").write_text("\n")
    assert process.wait(30) == 0
    seen = [one.count for event in deeds(cell) for one in event.deeds.ran if one.program.endswith("/true")]
    gaps = [gap.count for gap in cell.events(RecordGap) if gap.what == "unseen-deeds"]
    assert gaps
    assert sum(seen) + sum(gaps) == many


def test_a_daemon_that_starts_anew_says_that_it_hears_nothing_of_whoever_lives_already(cell):
    process = cell.begin("sh", "-c", "echo up > up; exec sleep 600")
    until((cell.repo / "up").exists)
    cell.stop()
    cell.start()
    (gap,) = until(lambda: [one for one in cell.events(RecordGap) if one.what == "unseen-deeds"])
    assert gap.agent == cell.births()[0].agent
    process.terminate()
    assert process.wait(20) == 128 + signal.SIGTERM


def test_what_was_done_is_shown_by_the_commands(cell):
    host(cell, ("ls", "ls; date > today"))
    (born,), (event,) = cell.births(), [one for one in deeds(cell) if one.findings]

    def outrider(*words):
        done = subprocess.run(
            [sys.executable, "-m", "outrider", *words], cwd=cell.repo, capture_output=True, text=True, check=True,
            env=cell.environment(PYTHONPATH=str(SRC), COLUMNS="200"), timeout=60,
        )  # fmt: skip
        return done.stdout

    assert "no call told of" in outrider("log", "--kind", "deeds.seen")
    why = outrider("why", str(event.n))
    assert "NO CALL TOLD OF IT" in why
    assert "undeclared-exec" in why
    (call,) = [one for one in cell.events(CallDecided) if one.name == "Bash"]
    whys = outrider("why", str(call.n))
    assert "/ls" in whys
    assert "/date" not in whys.partition("Programs")[2].partition("Rules")[0]
    date = str(Path("/bin/date").resolve())
    assert born.agent in outrider("involved", date)


def test_a_host_that_the_proxy_refused_is_not_said_to_have_been_reached(cell):
    """Whoever asks a proxy has reached the proxy; what came of it is told by the proxy's own event."""
    if cell.view == "shared":
        pytest.skip("without a network of its own there is no proxy")
    fetch = (
        "import urllib.request as u, contextlib as c\nwith c.suppress(OSError): u.urlopen('http://refused.example/')"
    )
    assert cell.python(fetch).code == 0
    (row,) = [one for event in deeds(cell) for one in event.deeds.reached if "refused.example" in one.peer]
    assert row.judged
    said = subprocess.run(
        [sys.executable, "-m", "outrider", "involved", "refused.example"], cwd=cell.repo, capture_output=True,
        text=True, check=False, env=cell.environment(PYTHONPATH=str(SRC), COLUMNS="200"), timeout=60,
    ).stdout  # fmt: skip
    assert "tried to connect to host refused.example (refused)" in said
    assert ": connected to" not in said
