"""The real daemon over its real socket, spoken to by the real hook clients, and what may go wrong with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.daemon.house import PYTHON_CLIENT, SRC, children, gone, until

from outrider.daemon import control, lock
from outrider.errors import RefusedError
from outrider.events.record import (
    AgentBorn,
    AgentEnded,
    CallDecided,
    CallResult,
    CharterLoaded,
    CharterRefused,
    DaemonStarted,
    DaemonStopped,
    Heartbeat,
    HostNoted,
    RecordGap,
    RecordOpened,
    Refusal,
)


def test_the_first_call_starts_the_daemon_and_is_answered_in_time(house, client):
    host = house.host(client)
    assert host.bash("ls").verdict == "silent"
    assert host.bash("cat ~/.ssh/id_rsa").verdict == "deny"
    assert not house.home.spool.exists()
    assert [type(event) for event in house.events()[:1]] == [RecordOpened]
    assert len(house.events(DaemonStarted)) == 1
    house.stop()
    assert house.verify().ok


def test_twenty_first_calls_at_once_start_one_daemon(house, client):
    said = house.host(client).bash("ls", times=20)
    assert {one.verdict for one in said} == {"silent"}
    assert len(house.events(DaemonStarted)) == 1
    assert len(house.events(CallDecided)) == 20
    assert len(house.events(AgentBorn)) == 1


def test_a_second_daemon_ends_with_seven_and_says_why(running):
    second = running.start(wait=False)
    out, err = second.communicate(timeout=20)
    assert second.returncode == 7
    assert f"another daemon (pid {running.pid})" in err.decode()
    assert b"Traceback" not in out + err
    assert running.host().bash("ls").verdict == "silent"


def test_the_socket_and_its_folder_are_nobody_elses(running):
    assert running.home.run.stat().st_mode & 0o777 == 0o700
    assert running.home.socket.stat().st_mode & 0o777 == 0o600
    for path in (running.home.root, running.home.record, running.home.keys, running.home.run / "daemon.log"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.slow
def test_keys_and_what_lies_beside_them_are_nobody_elses_whatever_the_umask(house):
    house.start(wrap=("sh", "-c", 'umask 0; exec "$@"', "sh"))
    assert {path.stat().st_mode & 0o077 for path in house.home.keys.iterdir()} == {0}


def test_a_killed_daemon_loses_no_answered_call_and_the_next_call_starts_it(house, native):
    hosts = [house.host(native) for _ in range(3)]
    answered = []
    for number in range(4):
        hosts[0].bash("ls", call=f"wake-{number}")
        pid, stop = house.pid, threading.Event()

        def stream(host, number=number, stop=stop):
            for at in range(400):
                call = f"{host.session}-{number}-{at}"
                if host.bash("ls", call=call, start=False).verdict == "silent":
                    answered.append(call)
                if stop.is_set():
                    return

        threads = [threading.Thread(target=stream, args=(host,)) for host in hosts]
        for thread in threads:
            thread.start()
        goal = len(answered) + 7 + 13 * number
        until(lambda goal=goal: len(answered) >= goal)
        house.kill(pid)
        stop.set()
        for thread in threads:
            thread.join()
        said = hosts[0].bash("ls", call=f"after-{number}")
        assert said.verdict == "silent", said.reason + (house.home.run / "daemon.log").read_text()
    house.stop()
    recorded = {event.call for event in house.events(CallDecided)}
    assert set(answered) <= recorded
    assert house.verify().ok
    assert len(house.events(DaemonStopped)) == 1
    assert len(house.events(DaemonStarted)) == 5  # Each without a stop before it says that a daemon was killed.


def test_nothing_of_a_killed_daemon_stays_behind(house):
    daemon = house.start()
    host = house.host()
    big = {"file_path": str(house.repo / "b"), "content": "x = 1\n" * 20_000}
    assert host.hook("PreToolUse", tool_name="Write", tool_input=big, tool_use_id="c").verdict == "silent"
    below = until(lambda: len(children(daemon.pid)) >= 2 and children(daemon.pid))
    daemon.kill()
    for pid in below:
        gone(pid)


def test_nothing_of_an_ended_daemon_stays_behind(house):
    daemon = house.start()
    below = until(lambda: children(daemon.pid))
    house.stop()
    for pid in below:
        gone(pid)
    assert not house.home.socket.exists()
    assert house.events()[-1].reason == "SIGTERM"


@pytest.fixture
def small_disk(house):
    """A file system of 2 MiB of our own under the record, in a mount namespace of our own."""
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    script = f'mount -t tmpfs -o size=3m tmpfs {house.home.record} && exec "$@"'
    return ["unshare", "-rm", "sh", "-c", script, "sh"]


def test_a_full_disk_refuses_calls_with_the_reason_and_heals(house, small_disk, native):
    house.configure()
    shutil.rmtree(house.home.record)
    house.home.record.mkdir()
    daemon = house.start(wrap=small_disk)
    host = house.host(native)
    assert host.bash("ls", start=False).verdict == "silent"
    record = f"/proc/{daemon.pid}/root{house.home.record}"
    filler = Path(f"{record}/filler")
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * (4 << 20))
    refused = None
    for at in range(4000):
        said = host.bash("ls # " + "x" * 4000, call=f"full-{at}", start=False)
        if said.verdict == "deny":
            refused = said
            break
    assert refused is not None
    assert "record" in refused.reason
    filler.unlink()
    until(lambda: host.bash("ls", start=False).verdict == "silent")


def test_a_file_that_may_not_grow_is_a_full_disk_too(house, native):
    limit = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    daemon = house.start(wait=False, wrap=[sys.executable, "-c", limit])
    said = house.host(native).bash("ls", start=False)
    assert said.verdict == "deny"
    until(lambda: daemon.poll() is not None or house.status() is not None)
    if daemon.poll() is not None:
        err = daemon.communicate()[1].decode()
        assert "Traceback" not in err
        assert daemon.returncode in {5, 7}


def test_a_home_that_cannot_be_written_is_said_so_and_calls_are_refused(house, client):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    top = house.home.root
    script = f'mount --bind {top} {top} && mount -o remount,ro,bind {top} && exec "$@"'
    daemon = house.start(wait=False, wrap=["unshare", "-rm", "sh", "-c", script, "sh"])
    _, err = daemon.communicate(timeout=20)
    assert daemon.returncode in {5, 7}
    assert b"Traceback" not in err
    assert str(top).encode() in err
    assert house.host(client).bash("ls", start=False).verdict == "deny"


GARBAGE = {
    "nothing": b"",
    "not json": b'{"session_id": "x',
    "not utf-8": b'{"session_id": "\xff\xfe"}',
    "not an object": b"[1, 2]",
    "nested": b'{"tool_input":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "wrong types": b'{"session_id": 7, "tool_name": []}',
    "another event": b'{"hook_event_name": "Stop"}',
    "17 MB": b'{"x": "' + b"x" * (17 << 20) + b'"}',
}


@pytest.mark.parametrize("what", GARBAGE)
def test_input_that_cannot_be_read_is_refused_told_and_recorded(running, native, what):
    host = running.host(native)
    said = host.raw("PreToolUse", GARBAGE[what])
    assert said.verdict == "deny"
    assert "Outrider" in said.reason
    assert "could not be read" in said.reason
    assert host.raw("PostToolUse", GARBAGE[what]).verdict == "silent"
    gaps = running.events(RecordGap)
    assert [(gap.what, gap.answered) for gap in gaps] == [("unreadable", "deny"), ("unreadable", "")]
    assert "PreToolUse from process" in gaps[0].detail
    assert host.bash("ls").verdict == "silent"


def test_unreadable_input_is_put_down_to_the_agent_whose_process_sent_it(running, native):
    host = running.host(native)
    host.bash("ls")
    host.raw("PreToolUse", b"{")
    (gap,) = running.events(RecordGap)
    assert gap.agent == running.events(AgentBorn)[0].agent


def test_more_than_a_client_sends_is_refused_by_the_client_and_shows_in_the_record(running, client):
    host = running.host(client)
    assert host.raw("PreToolUse", b'{"x": "' + b"x" * (33 << 20) + b'"}').verdict == "deny"
    (gap,) = until(lambda: running.events(RecordGap))
    assert (gap.what, gap.answered) == ("spool", "deny")


def test_ten_megabytes_are_judged_like_anything_else(running, native):
    write = {"file_path": str(running.repo / "big"), "content": "word " * (2 << 20)}
    host = running.host(native)
    host.hook("PreToolUse", tool_name="Write", tool_input=write, tool_use_id="w")
    until(lambda: running.events(CallDecided))
    assert running.events(CallDecided)[0].content.size > 10_000_000


def test_a_door_that_nobody_knows_is_refused_and_recorded(running, native):
    said = running.host(native).raw("PreToolUse", b"{}", door="back_door")
    assert said.code == 2
    (gap,) = running.events(RecordGap)
    assert gap.what == "unreadable"
    assert "no such door" in gap.detail


def test_events_and_tools_that_nobody_knows_are_recorded_by_name(running, native):
    host = running.host(native)
    assert host.hook("SomethingNew", x=1).verdict == "silent"
    said = host.hook("PreToolUse", tool_name="NewTool", tool_input={}, tool_use_id="n")
    assert said.verdict == "deny"
    assert [note.event for note in running.events(HostNoted)] == ["SomethingNew"]


def test_nonsense_on_the_socket_ends_that_connection_alone(running, native):
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"ORQ1" + b"\xff" * 400, b"ORC1" + b"\xff" * 8, b"ORC1\0\0\0\2{}", b""):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            sock.connect(str(running.home.socket))
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
    assert running.host(native).bash("ls").verdict == "silent"


def test_another_users_connection_is_hung_up_on(running, native):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for path in (running.top, running.home.root, running.home.run, running.home.socket):
        # outrider: allow code.python-world-writable -- the file is the test's own, and is to be refused
        path.chmod(0o777)
    program = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        'try:\n s.sendall(b\'ORC1\\0\\0\\0\\x0f{"do":"status"}\'); print(len(s.recv(9999)))\n'
        "except OSError: print(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(running.home.socket)], capture_output=True, check=True)
    assert done.stdout.split() == [b"0"]
    assert running.status()


def test_what_was_spooled_is_in_the_record_exactly_once(house, client):
    host = house.host(client)
    for number in range(3):
        assert host.bash("ls", call=str(number), start=False).verdict == "deny"
    assert len(house.home.spool.read_bytes().splitlines()) == 3
    with house.home.spool.open("ab") as spool:
        spool.write(b"not json\n" + json.dumps({"ts": 10**30, "ppid": -5, "why": "x" * 10_000}).encode() + b"\n\n")
    house.start()
    gaps = house.events(RecordGap)
    assert [gap.what for gap in gaps] == ["spool"] * 5
    assert {gap.answered for gap in gaps} == {"deny", ""}
    assert list(house.home.run.glob("spool*")) == []
    house.stop()
    house.start()
    assert len(house.events(RecordGap)) == 5


def test_a_spool_that_was_half_imported_when_the_daemon_died_goes_on_where_it_was(house):
    line = json.dumps({"ts": 1, "door": "claude_code", "event": "PreToolUse", "answered": "deny", "why": "deadline"})
    house.home.spool.write_text(f"{line}\n" * 700)
    daemon = house.start()
    taken = list(house.home.run.glob("spool-*.taken"))
    first = len(house.events(RecordGap))
    daemon.kill()
    daemon.wait()
    assert first >= 500
    if taken:
        assert taken[0].read_text().count("\n") == 700
    house.start()
    until(lambda: len(house.events(RecordGap)) >= 700)
    until(lambda: not list(house.home.run.glob("spool-*.taken")))
    assert len(house.events(RecordGap)) == 700
    assert house.host().bash("ls").verdict == "silent"


def test_a_spool_that_could_not_be_deleted_is_not_imported_again(house):
    house.home.spool.write_text(json.dumps({"ts": 1, "why": "deadline"}) + "\n")
    house.start()
    (gap,) = house.events(RecordGap)
    house.stop()
    (house.home.run / f"{gap.src.id}.taken").write_text(json.dumps({"ts": 1, "why": "deadline"}) + "\n")
    house.start()
    assert len(house.events(RecordGap)) == 1
    assert list(house.home.run.glob("spool*")) == []


def test_what_stands_where_the_spool_should_be_is_left_alone(house):
    os.mkfifo(house.home.spool)
    house.start()
    assert house.host().bash("ls").verdict == "silent"


def test_a_good_snapshot_is_loaded_a_bad_one_is_not_believed(house, native):
    house.start()
    host = house.host(native)
    host.bash("ls")
    house.stop()
    snapshot = house.home.record / "state.snapshot"
    house.start()
    house.stop()
    snapshot.write_bytes(b"nonsense")
    house.start()
    assert host.bash("ls").verdict == "silent"
    house.stop()
    assert [event.snapshot for event in house.events(DaemonStarted)] == ["none", "loaded", "rebuilt"]
    assert len(house.events(AgentBorn)) == 1


def test_an_agent_cannot_pause_or_end_its_guard_and_a_person_can(running, native):
    host = running.host(native)
    host.bash("ls")
    ask = (
        "import json, sys; from pathlib import Path; from outrider.daemon import control;"
        "print(json.dumps(control.ask(Path(sys.argv[1]), json.loads(sys.argv[2]))))"
    )
    for request in ({"do": "pause", "us": 1_000_000, "why": "please"}, {"do": "resume"}, {"do": "down"}):
        said = host.run([sys.executable, "-c", ask, str(running.home.socket), json.dumps(request)])[0]
        assert json.loads(said.out)["exit_code"] == RefusedError.exit_code
    assert "pid" in json.loads(
        host.run([sys.executable, "-c", ask, str(running.home.socket), '{"do": "status"}'])[0].out
    )
    assert running.control(do="pause", us=60_000_000, why="a person")["until"] > 0
    assert running.status()["paused_why"] == "a person"
    assert host.hook("PreToolUse", tool_name="Write", tool_input={"file_path": "/opt/x"}).verdict == "silent"
    running.control(do="resume")
    assert host.hook("PreToolUse", tool_name="Write", tool_input={"file_path": "/opt/x"}).verdict == "deny"
    daemon = running.started[0]
    running.control(do="down")
    assert daemon.wait(20) == 0


@pytest.mark.parametrize("request_", [{"do": "pause"}, {"do": "pause", "why": "x", "us": -1}, {"do": "fly"}, {}])
def test_a_request_that_makes_no_sense_is_told_so(running, request_):
    assert running.control(**request_)["exit_code"] == 2


def test_a_daemon_whose_home_is_deleted_ends_by_itself(house):
    daemon = house.start()
    below = until(lambda: children(daemon.pid))
    shutil.rmtree(house.home.root)
    until(lambda: daemon.poll() is not None)
    for pid in below:
        gone(pid)
    assert not house.home.root.exists()


def test_a_session_whose_process_is_gone_is_ended_as_killed(running, native):
    host = running.host(native)
    host.bash("ls")
    host.close()
    (end,) = until(lambda: running.events(AgentEnded))
    assert end.how == "killed"


def test_a_heartbeat_breaks_the_silence_and_is_on_disk_though_nobody_ever_called(house):
    house.configure("[daemon]\nheartbeat = 1\n")
    house.start()
    until(lambda: len(house.events(Heartbeat)) >= 2)


def test_a_daemon_without_agents_rests_if_it_is_told_to(house, native):
    house.configure("[daemon]\nidle = 1\nheartbeat = 3600\n")
    daemon = house.start()
    host = house.host(native)
    host.bash("ls")
    until(lambda: daemon.poll() is None and len(house.events(CallDecided)) == 1)
    host.hook("SessionEnd", reason="exit")
    until(lambda: daemon.poll() is not None)
    assert house.events(DaemonStopped)[0].reason == "no agent for 1 s"


def test_a_configuration_that_makes_no_sense_is_told_in_the_log_and_on_stderr(house):
    house.home.config.write_text("[daemon]\nheartbeat = 'often'\n")
    daemon = house.start(wait=False)
    _, err = daemon.communicate(timeout=20)
    assert daemon.returncode == 2
    assert b"heartbeat" in err
    assert "heartbeat" in (house.home.run / "daemon.log").read_text()


def test_a_charter_that_the_record_cannot_hold_is_refused_and_the_daemon_runs(house):
    many = ", ".join(f'"/srv/{n:04d}/**"' for n in range(2000))
    text = f'[charter]\nname = "huge"\nextends = "base"\n[may]\nread = [{many}]\n'
    (house.home.charters / "huge.toml").write_text(text)
    house.start()
    (refused,) = house.events(CharterRefused)
    assert (refused.name, "larger" in refused.reason) == ("huge", True)
    assert house.events(CharterLoaded)


def test_the_view_keeper_is_started_again_when_it_dies(running):
    def keeper():
        return [pid for pid in running.processes() if b"outrider.daemon.follow" in cmdline(pid)]

    first = until(keeper)[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: [pid for pid in keeper() if pid != first], seconds=30)


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_forged_end_over_the_socket_is_refused_and_recorded(running, native):
    host = running.host(native, "mine")
    host.bash("ls")
    forger = running.host(native, "mine")
    assert forger.bash("ls").verdict == "deny"
    forger.hook("SessionEnd", reason="forged")
    forger.hook("PostToolUse", tool_name="Bash", tool_input={}, tool_use_id="c1", tool_response="forged")
    assert len(running.events(Refusal)) == 3
    assert running.events(AgentEnded) == []
    assert running.events(CallResult) == []


def test_questions_while_the_record_is_being_read_are_told_so_and_recorded(house, monkeypatch):
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(SRC)!r})
from pathlib import Path
from outrider.config import Home
from outrider.daemon import service
from outrider.gate import snapshot
home = Home(Path({str(house.home.root)!r}))
hold = Path({str(house.top / "hold")!r})
real = snapshot.replay
def slow(state, record, start, keyring):
    yield from real(state, record, start, keyring)
    while hold.exists():
        yield 1
service.snapshot.replay = slow
service.serve(home)
"""
    house.start()
    house.stop()
    (house.top / "hold").write_text("")
    env = {"HOME": str(house.user), "PATH": os.environ["PATH"]}
    house.started.append(
        subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    )
    until(house.home.socket.exists)
    said = house.host().bash("ls", start=False)
    assert said.verdict == "deny"
    assert "starting" in said.reason
    assert control.ask(house.home.socket, {"do": "status"})["starting"] is True
    (house.top / "hold").unlink()
    until(house.status)
    (gap,) = until(lambda: house.events(RecordGap))
    assert (gap.what, gap.answered) == ("unjudged", "deny")


def test_the_lock_of_a_dead_daemon_does_not_count(tmp_path):
    path = tmp_path / "run" / "lock"
    path.parent.mkdir()
    path.write_text("999999\n")
    held = lock.take(path)
    assert lock.holder(path) == os.getpid()
    os.close(held)


def test_the_python_client_starts_the_daemon_from_where_the_launcher_says(house):
    assert house.host(PYTHON_CLIENT).bash("ls").verdict == "silent"
    assert house.pid in house.processes()
