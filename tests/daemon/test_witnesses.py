"""A daemon whose record others cosign: real processes on loopback, and a thief who has the log's key."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.daemon.house import PATIENCE, SRC, until
from tests.witness.serve import serving

from outrider.events.record import DaemonStopped
from outrider.ledger.keys import log_key
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader
from outrider.ledger.verify.notes import parse_note
from outrider.witness.home import WitnessHome
from outrider.witness.state import origin_hash


class Watched:
    """A house, its witnesses, and the policy that names them."""

    def __init__(self, house, stack):
        self.house, self.stack = house, stack
        self.policy = house.top / "policy"
        self.homes = [WitnessHome(house.top / f"w{number}") for number in range(2)]
        for number, home in enumerate(self.homes):
            home.make(f"witness.example/w{number}", lattice=number % 2 == 1)
        house.configure(f'[witnesses]\npolicy = "{self.policy}"\nevery = 1\n')

    def open_record(self):
        """Let the house have its log's key, and the witnesses know it."""
        self.house.start()
        self.house.stop()
        for home in self.homes:
            home.know((self.house.home.record / "log.vkey").read_text())

    def watch(self, *, quorum="all", urls=None):
        """Run the witnesses and name them in the policy."""
        running = [self.stack.enter_context(serving(home)) for home in self.homes]
        self.name(quorum, urls or [one.url for one in running])
        return running

    def name(self, quorum, urls):
        lines = [
            f"witness w{number} {home.own().vkey} {url}"
            for number, (home, url) in enumerate(zip(self.homes, urls, strict=True))
        ]
        self.policy.write_text("\n".join([*lines, f"group both {quorum} w0 w1", "quorum both", ""]))

    def told(self):
        return (self.house.status() or {}).get("witnesses") or {}

    def cosigned(self, least=1):
        """Wait until a quorum cosigned that many events."""
        return until(lambda: self.told().get("size", 0) >= least and self.told())

    def verify(self, *more):
        command = [sys.executable, "-m", "outrider", "verify", "--policy", str(self.policy), "--json", *more]
        env = {"HOME": str(self.house.user), "OUTRIDER_HOME": str(self.house.home.root), "PYTHONPATH": str(SRC)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)["data"]

    def outrider(self, *words):
        env = {"HOME": str(self.house.user), "OUTRIDER_HOME": str(self.house.home.root), "PYTHONPATH": str(SRC)}
        command = [sys.executable, "-m", "outrider", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False).stdout


@pytest.fixture
def watched(house):
    with ExitStack() as stack:
        one = Watched(house, stack)
        one.open_record()
        yield one


def test_a_record_that_a_quorum_cosigned_is_witnessed_and_says_so(watched):
    watched.watch()
    watched.house.start()
    told = watched.cosigned()
    assert (told["assurance"], told["problem"]) == ("witnessed", "")
    assert [(one["size"] > 0, one["problem"]) for one in told["asked"]] == [(True, "")] * 2
    note = parse_note((watched.house.home.record / "cosigned").read_bytes())
    assert len(note.signatures) == 3
    status, report = watched.verify("--ask")
    assert (status, report["assurance"], report["cosigned"]["by"]) == (0, "witnessed", ["w0", "w1"])
    assert "witnessed: a quorum of others cosigned it" in watched.outrider("status")
    assert "witness w1 cosigned" in watched.outrider("doctor")


def test_the_newest_checkpoint_is_cosigned_as_the_record_grows(watched):
    watched.watch()
    watched.house.start()
    before = watched.cosigned()["size"]
    watched.house.host().bash("ls")
    after = watched.cosigned(before + 1)
    assert [one["size"] for one in after["asked"]] == [after["size"]] * 2


def test_no_call_waits_for_a_witness_and_silence_shows(watched):
    class Deaf(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            until(lambda: done)  # It holds on to whoever asks it.

    asked, done = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Deaf)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        watched.name("all", [url, "http://127.0.0.1:9"])
        watched.house.start()
        until(lambda: asked)
        assert watched.house.host().bash("ls").verdict == "silent"
        told = until(lambda: watched.told()["asked"][1]["problem"] and watched.told())
        assert (told["assurance"], told["size"]) == ("local", 0)
        status = watched.outrider("status")
        assert "witness w1 does not cosign (never): http://127.0.0.1:9 does not answer" in status
        assert "the record is not witnessed: no quorum ever cosigned it" in status
    finally:
        done.append(True)
        server.shutdown()
        server.server_close()


def test_a_witness_that_comes_back_is_asked_again_and_hears_what_it_missed(watched):
    _one, two = watched.watch()
    two.process.kill()
    two.process.wait(PATIENCE)
    watched.house.start()
    watched.house.host().bash("ls")
    until(lambda: watched.told()["asked"][1]["problem"])
    assert watched.told()["size"] == 0
    watched.stack.enter_context(serving(two.home, two.port))
    assert watched.cosigned()["asked"][1]["problem"] == ""


def test_any_of_two_is_enough_where_the_policy_says_so(watched):
    _one, two = watched.watch(quorum="any")
    two.process.kill()
    two.process.wait(PATIENCE)
    watched.house.start()
    assert watched.cosigned()["assurance"] == "witnessed"
    assert watched.verify()[1]["cosigned"]["by"] == ["w0"]


def test_a_record_put_back_to_an_old_backup_ends_the_daemon_and_keeps_it_from_starting(watched):
    watched.watch()
    house, record, backup = watched.house, watched.house.home.record, watched.house.top / "backup"
    house.start()
    watched.cosigned()
    house.stop()
    shutil.copytree(record, backup)
    house.start()
    for number in range(3):
        house.host().bash("ls", call=f"c{number}")
    watched.cosigned(Reader(backup).size() + 3)
    house.stop()

    shutil.rmtree(record)
    shutil.copytree(backup, record)
    assert watched.verify()[0] == 0  # Whoever does not ask sees an older, honest state.
    status, report = watched.verify("--ask")
    assert (status, {one["check"] for one in report["problems"]}) == (6, {"truncated"})

    again = house.start(wait=False)
    assert again.wait(PATIENCE) == 0
    assert "holds a checkpoint" in house.events(DaemonStopped)[-1].reason
    refused = house.start(wait=False)
    assert refused.wait(PATIENCE) != 0
    assert "put back or rewritten" in refused.stderr.read().decode()


def test_a_record_rewritten_with_the_stolen_key_is_caught(watched):
    watched.watch()
    house, record = watched.house, watched.house.home.record
    house.start()
    house.host().bash("cat ~/.ssh/id_rsa")
    watched.cosigned(len(house.events()) - 1)
    house.stop()
    shutil.rmtree(record)
    again = house.start(wait=False)  # The same key and the same name, and nothing ever happened.
    assert again.wait(PATIENCE) == 0
    assert (record / "contested").exists()
    assert house.verify().ok  # By itself it is a perfect record.
    assert {one["check"] for one in watched.verify("--ask")[1]["problems"]} >= {"quorum"}
    assert house.start(wait=False).wait(PATIENCE) != 0


def test_a_rewritten_record_that_kept_what_was_cosigned_is_refused_at_once(watched):
    watched.watch()
    house, record = watched.house, watched.house.home.record
    house.start()
    watched.cosigned()
    house.stop()
    kept = (record / "cosigned").read_bytes()
    shutil.rmtree(record)
    record.mkdir(mode=0o700)
    (record / "cosigned").write_bytes(kept)
    refused = house.start(wait=False)
    assert refused.wait(PATIENCE) != 0
    assert "put back or rewritten" in refused.stderr.read().decode()


def test_two_histories_shown_to_two_witnesses_are_caught_whichever_the_daemon_has(watched):
    one, two = watched.watch()
    house, record = watched.house, watched.house.home.record
    other = house.top / "other"
    shutil.copytree(record, other)
    origin = (house.home.keys / "origin").read_text().strip()
    with Ledger.open(other, origin=origin, key=log_key(house.home.keys / "log.key")) as fork:
        fork.append(lambda n: (b'{"n":%d,"v":1}' % n, b""))
        size, text = fork.size, fork.seal().text
    assert two.ask("POST", "/add-checkpoint", f"old 0\n\n{text}".encode())[0] == 200
    again = house.start(wait=False)
    assert again.wait(PATIENCE) == 0
    assert f"over {size} events" in house.events(DaemonStopped)[-1].reason
    assert one.ask("GET", f"/{origin_hash(origin)}/checkpoint")[0] == 200  # It saw the other one.
    assert watched.verify("--ask")[0] == 6


def test_a_witness_that_only_says_that_it_saw_more_ends_nothing(watched):
    class Liar(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.say(409, "text/x.tlog.size", b"999999\n")

        def do_GET(self):
            self.say(200, "text/plain", b"outrider.local/x\n999999\nAAAA\n\n")

        def say(self, status, media, body):
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        watched.name("any", [f"http://127.0.0.1:{server.server_port}", "http://127.0.0.1:9"])
        watched.house.start()
        until(lambda: watched.told()["asked"][0]["problem"])
        assert watched.house.host().bash("ls").verdict == "silent"
        assert watched.told()["assurance"] == "local"
    finally:
        server.shutdown()
        server.server_close()


def test_a_witness_whose_state_was_wiped_is_told_and_not_asked_any_more(watched):
    _one, two = watched.watch()
    house = watched.house
    house.start()
    watched.cosigned()
    two.process.terminate()
    two.process.wait(PATIENCE)
    shutil.rmtree(two.home.state)
    shutil.rmtree(two.home.marks)
    watched.stack.enter_context(serving(two.home, two.port))
    house.host().bash("ls")
    until(lambda: "its state was put back" in watched.told()["asked"][1]["problem"])


def test_a_policy_that_cannot_be_read_is_told(watched):
    watched.policy.write_text("quorum nobody\n")
    watched.house.start()
    assert "policy:1" in watched.told()["problem"]
    assert "nobody is asked to cosign" in watched.outrider("doctor")
