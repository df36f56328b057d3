"""The sensor for root: what it hears in the kernel, without a daemon. Real programs, a real kernel."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.daemon.house import SRC

from outrider.confine.sensor import build, probe, trusted
from outrider.errors import RefusedError, UnavailableError

DIAL = """
import socket, threading
def dial():
    with socket.socket() as sock:
        sock.settimeout(0.2)
        sock.connect_ex(("192.0.2.9", 80))
one = threading.Thread(target=dial)
one.start()
one.join()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for _ in range(5):
        sock.sendto(b"x", ("127.0.0.1", 9))
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect_ex("/nowhere.sock")
"""


def tried(sensor, *words):
    """What the sensor told of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "outrider", "sensor", "try", "--json", "--program", str(sensor), "--", *words],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "PYTHONPATH": str(SRC)},
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"outrider"')]
    return [(one["kind"].removeprefix("sensor-"), one["data"]) for one in told]


def names(told):
    return [(one["real"] or one["path"]).rpartition("/")[2] for kind, one in told if kind == "started"]


def test_programs_are_heard_with_their_arguments_and_what_started_them(sensor):
    told = tried(sensor, "env", "sh", "-c", "date -u >/dev/null; ls / >/dev/null")
    assert [one for one in names(told) if one in {"env", "date", "ls"}] == ["env", "date", "ls"]
    by_name = {(one["real"] or one["path"]).rpartition("/")[2]: one for kind, one in told if kind == "started"}
    assert by_name["date"]["words"] == ["-u"]
    assert by_name["date"]["above"] == [by_name["env"]["process"]]  # env became the shell, in the same process.


def test_a_process_that_cuts_itself_off_is_followed(sensor, tmp_path):
    done = tmp_path / "done"
    left = f"(setsid sh -c 'sleep 0.3; date > {done}' >/dev/null 2>&1 &); while [ ! -s {done} ]; do sleep 0.05; done"
    told = tried(sensor, "sh", "-c", left)
    assert "date" in names(told)
    (date,) = [one for kind, one in told if kind == "started" and one["path"].endswith("/date")]
    assert date["above"]


def test_peers_are_heard_from_threads_as_datagrams_and_within_the_machine(sensor):
    told = tried(sensor, sys.executable, "-S", "-c", DIAL)
    peers = [one["peer"] for kind, one in told if kind == "dialled"]
    assert peers == ["192.0.2.9:80", "127.0.0.1:9", "unix:/nowhere.sock"]  # Five datagrams are one deed.


def test_a_connection_is_one_deed_although_the_kernel_tells_of_it_twice(sensor):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = tried(
            sensor, sys.executable, "-S", "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        )
    assert [one["peer"] for kind, one in told if kind == "dialled"] == [f"127.0.0.1:{port}"]


def test_what_others_do_meanwhile_is_not_told(sensor):
    other = subprocess.Popen(["sh", "-c", "while :; do /bin/true elsewhere; done"])
    try:
        told = tried(sensor, "sh", "-c", "sleep 0.5; date >/dev/null")
    finally:
        other.kill()
        other.wait()
    assert "date" in names(told)
    assert "true" not in names(told)


def test_a_script_is_told_by_its_own_name_and_with_its_own_arguments(sensor, tmp_path):
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh -e\n:\n")
    script.chmod(0o755)
    told = tried(sensor, str(script), "one", "two words")
    (row,) = [one for kind, one in told if kind == "started" and one["path"] == str(script)]
    assert row["words"] == ["one", "two words"]


def test_once_it_listens_it_has_hardly_any_privileges(sensor):
    here, there = socket.socketpair()
    with here, subprocess.Popen([sensor, "--uid", "0"], stdin=there, stdout=there) as running:
        there.close()
        try:
            assert here.recv(4) == b"ORR1"
            lines = Path(f"/proc/{running.pid}/status").read_text().splitlines()
            status = dict(line.split(":", 1) for line in lines)
        finally:
            here.shutdown(socket.SHUT_RDWR)  # Its input ends, and so does it.
        assert running.wait(20) == 0
    assert status["Uid"].split() == ["65534"] * 4
    assert int(status["CapEff"], 16) == 1 << 2 | 1 << 19 | 1 << 39  # Look anywhere, read processes, change a map.
    assert status["NoNewPrivs"].strip() == "1"


def test_a_kernel_that_refuses_it_is_named(sensor):
    """Without its capability, as for any other user."""
    dropped = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--reuid", "65534", "--clear-groups"]
    done = subprocess.run([*dropped, sensor, "--probe"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip()
    assert probe(sensor) == ""


def test_without_a_compiler_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError) as caught:
        build(tmp_path / "sensor")
    assert "cannot be compiled here" in str(caught.value)
    assert "libbpf-dev" in caught.value.fix


def test_a_sensor_that_others_could_replace_is_not_started(tmp_path):
    program = tmp_path / "sensor"
    with pytest.raises(UnavailableError, match="no sensor"):
        trusted(program)
    program.write_text("")
    program.chmod(0o755)
    trusted(program)
    # outrider: allow code.python-world-writable -- the file is the test's own, and is to be refused
    program.chmod(0o777)
    with pytest.raises(RefusedError, match="could replace"):
        trusted(program)
