"""The sensor beside a daemon: what agents do that only hooks know of, and who may tell."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.confine.sensed import listen
from tests.daemon.house import SRC, House, children, gone, until

from outrider.confine import told
from outrider.events.record import AgentBorn, CallDecided, DeedsSeen, RecordGap
from outrider.events.sensor import SensorState


@pytest.fixture
def house():
    with tempfile.TemporaryDirectory(prefix="ors", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        one.start()
        yield one
        one.close()


@pytest.fixture
def listening(house, sensor):
    """A house whose daemon is told by a sensor."""
    running = listen(house.home, sensor)
    yield house
    running.terminate()
    running.wait(20)


def born(house, host):
    """Begin a session of a host, as a person would by hand, and wait until its tree is heard."""
    before = len(house.events(AgentBorn))
    host.hook("SessionStart", source="startup")
    until(lambda: house.status()["sensor"]["agents"] > before)
    return house.events(AgentBorn)[-1].agent


def does(host, called, done=None, *, call="c1"):
    """Tell of a call, and do that, or something else."""
    assert host.bash(called, call=call).verdict != "deny"
    host.run(["sh", "-c", done or called])
    host.hook(
        "PostToolUse", tool_name="Bash", tool_input={"command": called}, tool_use_id=call, tool_response={"stdout": ""}
    )


def findings(house):
    return [(event.agent, one.rule, one.message) for event in house.events(DeedsSeen) for one in event.findings]


def rows(house, agent=None):
    events = [event for event in house.events(DeedsSeen) if agent in (None, event.agent)]
    return {one.program.rpartition("/")[2]: one for event in events for one in event.deeds.ran}


def test_a_program_that_no_call_told_of_is_found_in_a_session_that_only_hooks_know(listening):
    host = listening.host()
    agent = born(listening, host)
    does(host, "ls", "ls; date >/dev/null")
    ((whose, rule, message),) = until(lambda: findings(listening))
    assert (whose, rule) == (agent, "undeclared-exec")
    assert "/date was started by sh" in message
    (call,) = listening.events(CallDecided)
    assert (rows(listening)["ls"].basis, rows(listening)["ls"].call) == ("call", call.n)
    assert {event.src.id for event in listening.events(DeedsSeen)} == {"sensor"}


def test_what_a_call_tells_is_explained_and_no_finding(listening):
    host = listening.host()
    born(listening, host)
    does(host, "ls; date >/dev/null")
    until(lambda: "date" in rows(listening))
    assert findings(listening) == []


def test_a_connection_that_no_call_told_of_is_found(listening):
    tool = listening.repo / "ls"
    dial = "import socket\ns = socket.socket()\ns.settimeout(0.1)\ns.connect_ex(('192.0.2.7', 443))\n"
    tool.write_text(f"#!{sys.executable} -S\n{dial}")
    tool.chmod(0o755)
    host = listening.host()
    agent = born(listening, host)
    does(host, "ls", f"cd {listening.repo}; ./ls")
    assert until(lambda: findings(listening)) == [
        (agent, "undeclared-connect", "A connection to 192.0.2.7:443 was asked for by ls, and no call told of it.")
    ]


def test_a_double_fork_leaves_nobody_unheard(listening):
    host = listening.host()
    agent = born(listening, host)
    left = "(setsid sh -c 'sleep 0.2; exec uname' >/dev/null 2>&1 &) ; sleep 0.4"
    does(host, "sleep 0.4", left)
    until(lambda: "uname" in rows(listening, agent))
    assert {rule for _, rule, _ in findings(listening)} == {"undeclared-exec"}
    assert rows(listening)["uname"].basis == "none"


def test_what_is_in_no_agents_tree_is_in_no_record(listening):
    host = listening.host()
    born(listening, host)
    subprocess.run(["uname"], check=True, stdout=subprocess.DEVNULL)
    does(host, "date >/dev/null")
    until(lambda: "date" in rows(listening))
    assert "uname" not in rows(listening)


def test_of_two_sessions_each_has_its_own_deeds(listening):
    one, other = listening.host(), listening.host()
    first, second = born(listening, one), born(listening, other)
    does(one, "date >/dev/null", call="a")
    does(other, "uname >/dev/null", call="b")
    until(lambda: "date" in rows(listening, first) and "uname" in rows(listening, second))
    assert "uname" not in rows(listening, first)
    assert "date" not in rows(listening, second)


def test_what_a_spawned_child_starts_counts_for_the_child(listening):
    host = listening.host()
    parent = born(listening, host)
    tool = f"OUTRIDER_HOME={listening.home.root} {sys.executable} -m outrider"
    spawn = f"{tool} spawn --charter reviewer -- sh -c 'sleep 0.3; uname >/dev/null; sleep 0.3'"
    does(host, "ls", spawn)  # How it was made is another question.
    child = until(lambda: listening.events(AgentBorn)[1:])[0].agent
    until(lambda: "uname" in rows(listening, child))
    assert "uname" not in rows(listening, parent)


def test_a_session_that_lived_before_the_sensor_is_heard_from_then_on(house, sensor):
    host = house.host()
    host.hook("SessionStart", source="startup")
    running = listen(house.home, sensor)
    try:
        until(lambda: house.status()["sensor"]["agents"] == 1)
        does(host, "ls", "ls; date >/dev/null")
        assert until(lambda: findings(house))[0][1] == "undeclared-exec"
    finally:
        running.terminate()
        running.wait(20)


def test_a_sensor_that_ends_leaves_a_gap_for_everybody_whom_it_heard(house, sensor):
    host = house.host()
    running = listen(house.home, sensor)
    agent = born(house, host)
    running.send_signal(signal.SIGTERM)
    assert running.wait(20) == 0
    (gap,) = until(lambda: [one for one in house.events(RecordGap) if one.what == "unseen-deeds"])
    assert gap.agent == agent
    assert "from now on is not heard" in gap.detail
    assert [one.state for one in until(lambda: house.events(SensorState)[1:])] == ["off"]
    assert not house.status()["sensor"]["since"]


def test_a_sensor_waits_for_the_next_daemon(house, sensor):
    running = listen(house.home, sensor)
    house.stop()
    house.start()
    until(lambda: house.status()["sensor"]["since"])
    running.terminate()
    assert running.wait(20) == 0
    until(lambda: len(house.events(SensorState)) == 4)
    assert [one.state for one in house.events(SensorState)] == ["on", "off", "on", "off"]
    assert not house.status()["sensor"]["since"]


def test_what_found_no_room_is_counted_and_a_gap(house, sensor):
    running = listen(house.home, sensor)
    host = house.host()
    agent = born(house, host)
    many = 5_000  # The kernel's buffer holds about 3,700 programs.
    assert host.bash("ls").verdict != "deny"
    (loader,) = children(running.pid)
    os.kill(loader, signal.SIGSTOP)
    try:
        host.run([sys.executable, "-S", "-c", SPAWN, str(many)])
    finally:
        os.kill(loader, signal.SIGCONT)

    def counted():
        seen = [one.count for event in house.events(DeedsSeen) for one in event.deeds.ran if "/true" in one.program]
        gaps = [gap.count for gap in house.events(RecordGap) if gap.what == "unseen-deeds" and gap.agent == agent]
        return sum(seen), sum(gaps)

    until(lambda: sum(counted()) >= many, seconds=60)
    assert counted()[1] > 0
    assert sum(counted()) == many
    running.terminate()
    running.wait(20)


SPAWN = """
import os, sys
for _ in range(int(sys.argv[1])):
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
"""


def hello(path):
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(20)
    link.connect(str(path))
    link.sendall(told.pack(told.ASKED, [("sensor", "1")]))
    return link


def test_an_agent_cannot_be_the_sensor(house):
    host = house.host()
    host.hook("SessionStart", source="startup")
    false = f"""
import socket, sys
sys.path.insert(0, {str(SRC)!r})
from outrider.confine import told
link = socket.socket(socket.AF_UNIX)
link.connect({str(house.home.socket)!r})
link.sendall(told.pack(told.ASKED, [("sensor", "1")]))
print(link.recv(4096).decode("latin-1"))
"""
    (said,) = host.run([sys.executable, "-c", false])
    assert "from inside an agent's process tree" in said.out
    (cut_off,) = host.run(["setsid", "--fork", "--wait", sys.executable, "-c", false])
    assert "error=" in cut_off.out
    assert house.events(SensorState) == []


def test_another_users_process_cannot_be_the_sensor(house):
    if os.geteuid():
        pytest.skip("only root can become another user")
    house.top.chmod(0o711)
    house.home.root.chmod(0o711)
    house.home.run.chmod(0o711)
    # outrider: allow code.python-world-writable -- another user of the test is to reach the socket
    house.home.socket.chmod(0o666)
    pid = os.fork()
    if not pid:
        os.setresuid(65534, 65534, 65534)
        with contextlib.suppress(OSError), hello(house.home.socket) as link:
            os._exit(1 if link.recv(4096) else 0)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert house.events(SensorState) == []


@pytest.mark.parametrize(
    "word", [b"ORS1\xff\xff\xff\xff", told.pack(told.SEEN, [("tree", "TREE"), ("exec", "nothing")]), b"ORS1\0\0\0\3abc"]
)
def test_a_sensor_whose_word_cannot_be_read_is_a_sensor_no_more(house, word):
    if os.geteuid():
        pytest.skip("only root may be the sensor")
    host = house.host()
    with hello(house.home.socket) as link:
        assert told.unpack(link.recv(4096)) == {"sensor": ["1"]}
        host.hook("SessionStart", source="startup")
        (root,) = told.unpack(link.recv(4096))["follow"]
        body = word[told.HEAD :].replace(b"TREE", root.encode())
        link.sendall(word[:4] + (len(body).to_bytes(4, "big") if b"TREE" in word else word[4:8]) + body)
        with contextlib.suppress(ConnectionError):
            assert link.recv(4096) == b""
    off = until(lambda: [one for one in house.events(SensorState) if one.state == "off"])
    assert "could not be read" in off[0].why
    assert [one.what for one in house.events(RecordGap)] == ["unseen-deeds"]


def test_there_is_one_sensor(listening):
    with hello(listening.home.socket) as link:
        assert b"a sensor tells this daemon already" in link.recv(4096)


def test_the_sensor_tells_of_nobody_elses_processes(sensor):
    """A daemon is not believed if it asks for other users' processes."""
    other = subprocess.Popen(["sleep", "600"], user=65534, group=65534, extra_groups=[])
    here, there = socket.socketpair()
    with here, subprocess.Popen([sensor, "--uid", "0"], stdin=there, stdout=there) as running:
        there.close()
        here.settimeout(20)
        start = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19]
        root = f"{other.pid}.{start}"
        here.recv(4096)
        here.sendall(told.pack(told.ANSWERED, [("follow", root)]))
        said = told.unpack(here.recv(4096))
        here.shutdown(socket.SHUT_RDWR)
        running.wait(20)
    other.kill()
    other.wait()
    gone(other.pid)
    assert said == {"tree": [root], "not": ["1"]}
