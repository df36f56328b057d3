"""A witness as people run it: a process, its commands, and HTTP on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading

import pytest
from tests.witness.conftest import Log
from tests.witness.serve import serving

from outrider.ledger.verify.notes import cosigned_by, parse_note
from outrider.witness.home import WitnessHome
from outrider.witness.request import MOST, render
from outrider.witness.state import origin_hash


def outrider(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outrider", "witness", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_witness_is_made_told_of_a_log_and_shown(tmp_path, log):
    home = ("--home", str(tmp_path / "w"))
    vkey = outrider("keygen", "witness.example/w1", *home).stdout.strip()
    assert vkey.startswith("witness.example/w1+")
    assert outrider("keygen", "witness.example/w1", *home).returncode == 2
    assert outrider("know", log.vkey, *home).returncode == 0
    assert outrider("know", vkey, *home).returncode == 2
    with serving(WitnessHome(tmp_path / "w")) as running:
        assert running.ask("POST", "/add-checkpoint", log.grow(5).ask(0))[0] == 200
    shown = json.loads(outrider("show", "--json", *home).stdout)["data"]
    assert shown["vkey"] == vkey
    assert [(one["origin"], one["size"]) for one in shown["logs"]] == [(log.origin, 5)]


def test_every_status_crosses_http(home, log, other):
    with serving(home) as running:
        status, _, body = running.ask("POST", "/add-checkpoint", log.grow(5).ask(0))
        assert status == 200
        assert cosigned_by(parse_note((log.checkpoint() + body).encode()), home.own()) is not None
        assert running.ask("POST", "/add-checkpoint", log.grow(9).ask(3)) == (409, "text/x.tlog.size", "5\n")
        assert running.ask("POST", "/add-checkpoint", other.grow(9).ask(5))[0] == 422
        assert running.ask("POST", "/add-checkpoint", Log(log.origin).grow(9).ask(5))[0] == 403
        assert running.ask("POST", "/add-checkpoint", Log("log.example/b").grow(9).ask(5))[0] == 404
        assert running.ask("POST", "/add-checkpoint", b"old")[0] == 400
        assert running.ask("POST", "/add-checkpoint", bytes(MOST + 1))[0] == 413
        assert running.ask("GET", "/add-checkpoint")[0] == 405
        assert running.ask("GET", "/")[0] == 404
        status, _, body = running.ask("GET", f"/{origin_hash(log.origin)}/checkpoint")
        assert (status, body.startswith(log.checkpoint(5))) == (200, True)


def test_one_connection_carries_many_requests(home, log):
    with (
        serving(home) as running,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)) as connection,
    ):
        for old in range(5):
            connection.request("POST", "/add-checkpoint", log.grow(old + 1).ask(old))
            answer = connection.getresponse()
            assert (answer.status, answer.will_close) == (200, False)
            answer.read()


def test_what_is_not_http_is_told_so_and_the_others_are_served(home, log):
    with serving(home) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as noise:
            noise.sendall(b"\0\1\2\r\n\r\n")
            assert noise.recv(100).startswith(b"HTTP/1.1 400")
        with socket.create_connection(("127.0.0.1", running.port), timeout=20):  # It says nothing.
            assert running.ask("POST", "/add-checkpoint", log.grow(1).ask(0))[0] == 200


def test_what_was_cosigned_outlives_a_kill_at_any_moment(home, log, other):
    log.grow(60)
    other.grow(60)
    with serving(home) as running:
        assert running.ask("POST", "/add-checkpoint", log.ask(0, 1))[0] == 200
    cosigned = 1
    for round_ in range(3):
        with serving(home) as running:
            timer = threading.Timer(0.05 + 0.05 * round_, running.process.kill)
            timer.start()
            try:
                for size in range(cosigned + 1, 60):
                    status, _, body = running.ask("POST", "/add-checkpoint", log.ask(cosigned, size))
                    if status == 409:  # Remembered, and killed before it was answered.
                        assert int(body) in (cosigned + 1, size)
                        cosigned = int(body)
                    else:
                        assert status == 200
                        cosigned = size
            except (OSError, http.client.HTTPException):
                pass
            timer.join()
        with serving(home) as running:
            status, media, body = running.ask("POST", "/add-checkpoint", other.ask(0))
            assert (status, media) == (409, "text/x.tlog.size")
            assert int(body) >= cosigned
            cosigned = int(body)


@pytest.mark.parametrize("what", ["put back", "damaged", "gone"])
def test_a_witness_does_not_start_on_state_that_is(home, log, what):
    path = home.state / origin_hash(log.origin)
    with serving(home) as running:
        running.ask("POST", "/add-checkpoint", log.grow(5).ask(0))
        old = path.read_bytes()
        running.ask("POST", "/add-checkpoint", log.grow(9).ask(5))
    if what == "gone":
        path.unlink()
    else:
        whole = path.read_bytes()
        other = b"A" if whole[-99:-98] != b"A" else b"B"
        path.write_bytes(old if what == "put back" else whole[:-99] + other + whole[-98:])
    done = outrider("serve", "--port", "0", "--home", str(home.root))
    assert (done.returncode, done.stdout) == (6, "")
    assert "Do not go on with it" in done.stderr


def test_a_forked_log_finds_no_second_cosignature_on_either_of_two_witnesses(tmp_path, home, log, other):
    second = WitnessHome(tmp_path / "second")
    second.make("second.example/w2")
    second.know(log.vkey)
    log.grow(9)
    other.grow(9)
    with serving(home) as one, serving(second) as two:
        assert one.ask("POST", "/add-checkpoint", log.ask(0))[0] == 200
        assert two.ask("POST", "/add-checkpoint", other.ask(0))[0] == 200
        for running, fork in ((one, other), (two, log)):
            assert running.ask("POST", "/add-checkpoint", fork.ask(0))[0] == 409
            assert running.ask("POST", "/add-checkpoint", render(9, (), fork.checkpoint()))[0] == 422
