"""Checkpoints that an authority stamps: a real one, `openssl ts`, behind HTTP on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.daemon.house import SRC, House, until

from outrider.errors import BadInputError, UnavailableError
from outrider.ledger.stamping import stamp, stamped

pytest.importorskip("rfc3161_client", reason="rfc3161-client is not installed")
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[one]
serial = {top}/serial
signer_cert = {top}/tsa.pem
signer_key = {top}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ordering = yes
ess_cert_id_chain = no
"""


class Authority:
    """A timestamp authority with a root of its own."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.roots = top / "ca.pem"
        (top / "serial").write_text("01")
        (top / "conf").write_text(CONFIG.format(top=top))
        self._make("ca", "/CN=Test root", "-x509", "-extensions", "ca", "-days", "30")
        self._make("tsa", "/CN=Test authority", "-x509", "-extensions", "tsa", "-days", "30",
                   "-CA", str(self.roots), "-CAkey", str(top / "ca.key"))  # fmt: skip

    def _make(self, name: str, subject: str, *more: str) -> None:
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                     "-config", str(self.top / "conf"), "-keyout", str(self.top / f"{name}.key"),
                     "-out", str(self.top / f"{name}.pem"), *more)  # fmt: skip

    def openssl(self, *arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout

    def answer(self, query: bytes) -> bytes:
        (self.top / "query").write_bytes(query)
        return self.openssl("ts", "-reply", "-config", str(self.top / "conf"), "-section", "one",
                            "-queryfile", str(self.top / "query"))  # fmt: skip


@pytest.fixture
def authority(tmp_path):
    """An authority that listens; ``url`` says where."""
    one = Authority(tmp_path)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            body = one.answer(query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_port}/"
    yield one
    server.shutdown()
    thread.join()
    server.server_close()


def outrider(house, *words):
    env = {"HOME": str(house.user), "OUTRIDER_HOME": str(house.home.root), "PYTHONPATH": str(SRC)}
    command = [sys.executable, "-m", "outrider", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False).stdout


@pytest.fixture
def house():
    with TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        yield one
        one.close()


def test_a_stamp_holds_for_its_text_and_its_root_alone(authority, tmp_path):
    roots = authority.roots.read_bytes()
    made = stamp(authority.url, b"a checkpoint", roots)
    assert stamped(made.token, b"a checkpoint", roots) == made.seconds
    with pytest.raises(BadInputError, match="does not hold"):
        stamped(made.token, b"another checkpoint", roots)
    (tmp_path / "other").mkdir()
    with pytest.raises(BadInputError, match="does not hold"):
        stamped(made.token, b"a checkpoint", Authority(tmp_path / "other").roots.read_bytes())
    with pytest.raises(BadInputError, match="no timestamp"):
        stamped(made.token[:-9], b"a checkpoint", roots)
    with pytest.raises(BadInputError, match="no certificates"):
        stamped(made.token, b"a checkpoint", b"nothing")


def test_an_answer_to_another_question_is_not_taken(authority):
    roots = authority.roots.read_bytes()
    first = stamp(authority.url, b"a checkpoint", roots)
    authority.answer = lambda _query: first.token
    with pytest.raises(BadInputError, match="once"):
        stamp(authority.url, b"a checkpoint", roots)


def test_an_authority_that_is_not_there_is_said():
    with pytest.raises(UnavailableError, match="does not answer"):
        stamp("http://127.0.0.1:9/", b"a checkpoint", b"")
    with pytest.raises(UnavailableError, match="begins with"):
        stamp("file:///etc/hostname", b"a checkpoint", b"")


def test_a_records_checkpoints_are_stamped_checked_and_leave_with_a_bundle(house, authority, tmp_path):
    house.configure(f'[timestamps]\nurl = "{authority.url}"\nroots = "{authority.roots}"\nevery = 1\n')
    house.start()
    until((house.home.record / "timestamped.tsr").exists)
    said = outrider(house, "verify", "--tsa-roots", str(authority.roots))
    assert "timestamp" in said
    assert "an authority says" in said
    record = house.home.record
    authority.openssl("ts", "-verify", "-in", str(record / "timestamped.tsr"), "-data", str(record / "timestamped"),
                      "-CAfile", str(authority.roots))  # fmt: skip
    assert (house.status() or {})["timestamps"]["problem"] == ""
    bundle = tmp_path / "b.zip"
    outrider(house, "export", "--events", "0-2", "-o", str(bundle))
    with zipfile.ZipFile(bundle) as archive:
        for name in ("checkpoint", "checkpoint.tsr"):
            (tmp_path / name).write_bytes(archive.read(name))
    authority.openssl("ts", "-verify", "-in", str(tmp_path / "checkpoint.tsr"), "-data", str(tmp_path / "checkpoint"),
                      "-CAfile", str(authority.roots))  # fmt: skip
    assert json.loads(outrider(house, "verify", str(bundle), "--json"))["data"]["ok"] is True


def test_an_authority_that_fails_keeps_nothing_from_being_recorded_and_shows(house, authority):
    house.configure(f'[timestamps]\nurl = "http://127.0.0.1:9/"\nroots = "{authority.roots}"\nevery = 1\n')
    house.start()
    until(lambda: (house.status() or {}).get("timestamps", {}).get("problem"))
    assert "does not stamp checkpoints (the last: nothing yet)" in outrider(house, "status")
