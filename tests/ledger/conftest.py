"""Records of real events, made by the real writer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from outrider.events.codec import beside_digest, encode, encode_beside
from outrider.events.decision import Decision
from outrider.events.event import VERSION, Event, Source
from outrider.events.record import Beside, CallDecided, Commitment, Entity, RecordOpened
from outrider.ledger.ledger import Ledger

ORIGIN = "outrider.test/log"
SOURCE = Path(__file__).with_name("go")


class Scribe:
    """Appends real events with sources, chains and besides, as the gate does."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.heads: dict[str, tuple[int, str]] = {}

    def write(self, kind: type[Event], *, source: str = "daemon", beside: Beside | None = None, **fields) -> int:
        blob = encode_beside(beside or Beside())
        seq, prev = self.heads.get(source, (-1, ""))

        def build(n: int) -> tuple[bytes, bytes]:
            src = Source(id=source, seq=seq + 1, prev=prev)
            event = kind(v=VERSION, n=n, ts=1_790_000_000_000_000 + n, src=src, beside=beside_digest(blob), **fields)
            return encode(event), blob

        n = self.ledger.append(build)
        self.heads[source] = (seq + 1, self.ledger.leaf_hash(n).hex())
        return n

    def open(self) -> int:
        return self.write(RecordOpened, origin=self.ledger.origin, vkey=self.ledger.vkey)

    def decide(self, n: int, verdict: str = "allow") -> int:
        return self.write(
            CallDecided,
            source=f"claude_code:s{n % 3}",
            # outrider: allow code.python-fixed-salt -- no secret is under it, and a test wants the same bytes each time
            beside=Beside(entities=(Entity("read", "path", f"/tmp/{n}"),), salt=b"s" * 32),
            agent=f"a{n % 3}",
            call=f"toolu_{n}",
            tool="read",
            name="Read",
            effects=(),
            decision=Decision(verdict=verdict, enforced=verdict),
            chain=("sha256:00",),
            content=Commitment(c="0" * 64, size=n),
        )


@pytest.fixture(scope="session")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def open_ledger(where: Path, key: Ed25519PrivateKey):
    """Open the record, small segments, closed at the end whatever happens."""
    opened: list[Ledger] = []

    def open_it(directory: Path = where, **options) -> Ledger:
        options = {"origin": ORIGIN, "key": key, "segment_bytes": 32 << 10} | options
        opened.append(Ledger.open(directory, **options))
        return opened[-1]

    yield open_it
    for ledger in opened:
        ledger.close()


@pytest.fixture
def scribe():
    """The class, for tests that write real events."""
    return Scribe


@pytest.fixture
def plain():
    """Build a leaf that is its index, padded to a size."""

    def plain(size: int = 40, beside: bytes = b"beside"):
        return lambda n: (f"event {n} ".encode().ljust(size, b"."), beside)

    return plain


def find_go() -> str | None:
    return shutil.which("go") or shutil.which("/usr/local/go/bin/go")


@pytest.fixture(scope="session")
def check(tmp_path_factory):
    """Build Go's verifier once; return a function that runs it."""
    go = find_go()
    if go is None:
        pytest.skip("Go is not installed")
    where = tmp_path_factory.mktemp("go")
    shutil.copytree(SOURCE, where / "source")
    program = where / "verifier"
    build = subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=where / "source",
        env=os.environ | {"GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if build.returncode:
        unreachable = any(sign in build.stderr for sign in ("dial tcp", "lookup ", "connection", "i/o timeout"))
        if unreachable or "requires go >=" in build.stderr:
            pytest.skip(f"the Go module cannot be had: {build.stderr.strip().splitlines()[-1]}")
        pytest.fail(build.stderr)

    def run(*args: object) -> tuple[int, str]:
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    return run
