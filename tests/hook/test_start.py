"""Starting the daemon: once, by whoever comes first, and never with the agent's environment."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

SERVE = """
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try: os.unlink(here + '/s')
except FileNotFoundError: pass
listener.bind(here + '/s'); listener.listen(128)
while True:
    c, _ = listener.accept()
    data = c.recv(65536)
    c.sendall(b'ORA1' + data[4:20] + b'\\0' + b'\\0\\0\\0\\2ok' + b'\\0\\0\\0\\0'); c.close()
"""


def started(run_dir) -> list[int]:
    path = run_dir / "pids"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def test_the_first_call_starts_the_daemon_and_is_answered(hook, run_dir, starter, spooled):
    ran = hook(start=starter(SERVE))
    assert ran.said == (0, b"ok", b"")
    assert ran.seconds < 2
    assert len(started(run_dir)) == 1
    assert spooled() == []
    assert hook(start=str(run_dir / "start")).said == (0, b"ok", b"")
    assert len(started(run_dir)) == 1


def test_twenty_clients_at_once_start_one_daemon_and_all_are_answered(client, run_dir, starter):
    start = starter("import time; time.sleep(0.3)" + SERVE)
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s"), "--start", start]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    (run_dir / "in").write_bytes(b"{}")
    running = []
    for _ in range(20):
        with (run_dir / "in").open("rb") as stdin:
            running.append(subprocess.Popen([*client, *words], stdin=stdin, stdout=subprocess.PIPE))
    answers = [one.communicate(timeout=30)[0] for one in running]
    assert answers == [b"ok"] * 20
    assert len(started(run_dir)) == 1


def test_a_socket_left_behind_does_not_keep_the_daemon_from_being_started(hook, run_dir, starter):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(run_dir / "s"))
    dead.close()
    assert hook(start=starter(SERVE)).said == (0, b"ok", b"")


def test_the_directory_of_the_socket_is_made_private_if_it_is_missing(hook, run_dir, starter):
    start = starter("os.mkdir(here + '/made') if not os.path.exists(here + '/made') else None\n" + SERVE)
    ran = hook(socket=str(run_dir / "run" / "s"), start=start, event="SessionEnd")
    assert ran.code == 0  # It listens elsewhere, and nobody waits for it.
    assert (run_dir / "run").stat().st_mode & 0o777 == 0o700


FACTS = """
import json
fds = {}
for n in os.listdir('/proc/self/fd'):
    try: fds[n] = os.readlink('/proc/self/fd/' + n)
    except FileNotFoundError: pass
facts = {'env': dict(os.environ), 'cwd': os.getcwd(), 'argv': sys.argv, 'sid': os.getsid(0), 'pid': os.getpid(),
         'fds': fds, 'umask': os.umask(0o77)}
open(here + '/facts', 'w').write(json.dumps(facts))
"""


def test_the_daemon_inherits_nothing_of_the_agents(client, run_dir, starter):
    start = starter(FACTS + SERVE)
    leak = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(leak, True)
    words = ["--door", "claude_code", "--event", "PreToolUse", "--socket", str(run_dir / "s"), "--start", start]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]
    done = subprocess.run(
        [*client, *words],
        input=b"{}",
        capture_output=True,
        timeout=30,
        check=True,
        cwd=run_dir,
        close_fds=False,
        env={"EVIL": "1", "PYTHONPATH": "/evil", "OUTRIDER_HOME": "/evil"},
    )
    os.close(leak)
    assert done.stdout == b"ok"
    facts = json.loads((run_dir / "facts").read_text())
    assert facts["env"].keys() - {"LC_CTYPE"} == {"PATH", "LANG"}
    assert facts["env"]["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert facts["cwd"] == "/"
    assert facts["argv"] == [start]
    assert facts["sid"] not in (os.getsid(0), facts["pid"])  # A session of its own, which it does not lead.
    assert [facts["fds"].get(n) for n in "012"] == ["/dev/null"] * 3
    assert "/etc/hostname" not in facts["fds"].values()
    assert facts["umask"] == 0o077


LIBRARYS_OWN = 0b11 << 31
"""Signals 32 and 33: C libraries keep them and let nobody reset them; GNU make's children inherit them ignored."""


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)])
def test_the_daemon_starts_with_the_signals_of_a_fresh_process(client, run_dir, ignored):
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc on this system")
    start = run_dir / "start"
    part = run_dir / "part"
    start.write_text(f"#!/bin/sh\ncat /proc/self/status > {part}\nmv {part} {run_dir}/status\n")
    start.chmod(0o700)
    words = ["--door", "claude_code", "--event", "SessionEnd", "--socket", str(run_dir / "s"), "--start", str(start)]
    words += ["--spool", str(run_dir / "spool.jsonl"), "--undecided", "deny"]

    def ignore() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

    subprocess.run([*client, *words], input=b"{}", capture_output=True, timeout=30, check=True, preexec_fn=ignore)
    until = time.monotonic() + 10
    while not (run_dir / "status").exists() and time.monotonic() < until:
        time.sleep(0.01)  # The client does not wait for it at the end of a session.
    status = dict(line.split(":\t", 1) for line in (run_dir / "status").read_text().splitlines() if ":\t" in line)
    assert int(status["SigIgn"], 16) & ~LIBRARYS_OWN == 0
    assert int(status["SigBlk"], 16) == 0


def test_a_program_that_can_not_be_executed_is_told_at_once(hook, run_dir, spooled):
    for start in (str(run_dir / "nothing"), "/etc/hostname", str(run_dir)):
        ran = hook(start=start)
        assert ran.code == 2
        assert b"could not be started" in ran.err
        assert ran.seconds < 1.5
    assert [json.loads(line)["why"] for line in spooled()] == ["no-daemon"] * 3


def test_a_daemon_that_does_not_come_up_in_time_is_undecided(hook, run_dir, starter, spooled):
    start = starter("import time; time.sleep(20)")
    ran = hook(start=start)
    assert ran.code == 2
    assert b"could not be started" in ran.err
    assert 3.9 < ran.seconds < 5  # The host itself gives up after five.
    assert json.loads(spooled()[0])["why"] == "no-daemon"
    assert len(started(run_dir)) == 1


def test_the_end_of_a_session_does_not_wait_long_for_a_daemon(hook, starter):
    ran = hook(event="SessionEnd", start=starter("import time; time.sleep(20)"))
    assert ran.said == (0, b"", b"")
    assert ran.seconds < 1.5


def test_a_lock_that_somebody_holds_is_waited_for_no_longer_than_the_deadline(hook, run_dir, starter):
    with (run_dir / "s.start").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = hook(start=starter(SERVE), event="SessionEnd")
    assert ran.code == 0
    assert started(run_dir) == []
    assert 0.4 < ran.seconds < 2


def test_a_lock_file_that_is_a_link_is_not_followed(hook, run_dir, starter):
    (run_dir / "s.start").symlink_to(run_dir / "elsewhere")
    ran = hook(start=starter(SERVE))
    assert ran.code == 2
    assert not (run_dir / "elsewhere").exists()
    assert started(run_dir) == []


def test_the_daemon_is_no_child_of_ours(hook, run_dir, starter):
    """The double fork leaves no zombie and no helper behind: whoever ran the hook waits for nobody."""
    hook(start=starter(SERVE))
    (pid,) = started(run_dir)
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("no /proc on this system")
    assert int(status.read_text().split("PPid:")[1].split()[0]) != os.getpid()
