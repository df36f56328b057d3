"""Disks that are full, read-only or not ours: a real file system each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FULL = """
import os, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from outrider.errors import RecordError
from outrider.ledger.ledger import Ledger
from outrider.ledger.reader import Reader

disk = Path(sys.argv[1])
key = Ed25519PrivateKey.generate()
options = {"origin": "outrider.test/log", "key": key, "segment_bytes": 256 << 10}
ballast = disk / "ballast"
ballast.write_bytes(bytes(512 << 10))
ledger = Ledger.open(disk / "record", **options)
acknowledged = 0
build = lambda n: (b"event %d " % n + b"x" * 2000, b"")
try:
    while True:
        n = ledger.append(build)
        acknowledged = ledger.flush()
        assert acknowledged == n + 1
except RecordError as error:
    assert "No space left" in str(error), error
    assert "goes on by itself" in error.fix
assert acknowledged > 100
assert ledger.durable_size == acknowledged
try:
    ledger.append(build)
    raise SystemExit("appended to a full disk")
except RecordError:
    pass
ballast.unlink()
n = ledger.append(build)
assert ledger.flush() == n + 1
root = ledger.root()
ledger.close()
assert ledger.seal_problem == ""
with Ledger.open(disk / "record", **options) as ledger:
    assert (ledger.size, ledger.root(), ledger.recovered) == (n + 1, root, None)
    assert [e.n for e in Reader(disk / "record").entries()] == list(range(n + 1))
print("ok", acknowledged)
"""


def test_a_disk_that_fills_up_loses_nothing_acknowledged_and_goes_on_when_there_is_room(tmp_path: Path):
    unshare = shutil.which("unshare")
    if not unshare:
        pytest.skip("there is no unshare to mount a small disk with")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f'mount -t tmpfs -o size=2m tmpfs "{disk}" || exit 77; exec "{sys.executable}" -c "$1" "{disk}"'
    command = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", FULL]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if run.returncode == 77 or "unshare:" in run.stderr:
        pytest.skip("this host does not let a user mount a small disk")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("ok ")


def as_nobody(body) -> str:
    """Run ``body`` in a child that is not root; return what it says."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(write, body().encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize("what", ["a directory above", "the record itself", "its journal"])
def test_a_directory_that_cannot_be_written_is_named_with_what_helps(open_ledger, plain, key, what):
    from outrider.errors import OutriderError
    from outrider.ledger.ledger import Ledger

    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        record = Path(above) / "record"
        if what != "a directory above":
            ledger = open_ledger(record)
            ledger.append(plain())
            ledger.close()
            for path in [record, *record.rglob("*")]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        else:
            Path(above).chmod(0o555)
        if what == "its journal":
            # outrider: allow code.python-world-writable -- the file is the test's own, and is to be refused
            record.chmod(0o777)

        def body() -> str:
            try:
                Ledger.open(record, origin="outrider.test/log", key=key)
            except OutriderError as error:
                return f"{type(error).__name__}|{error}|{error.fix}"
            return "opened"

        said = as_nobody(body)
        for path in [Path(above), *Path(above).rglob("*")]:
            path.chmod(0o755)
    kind, message, fix = said.split("|")
    assert kind == "RecordError"
    assert "cannot be written: Permission denied" in message
    assert "writable for this user" in fix
