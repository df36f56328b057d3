"""Both hook clients behind one fixture, and daemons that behave and misbehave."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HOOK = Path(__file__).parents[2] / "src" / "outrider" / "hook"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror"]


@pytest.fixture(scope="session")
def native(tmp_path_factory) -> Path:
    """The native client, compiled with every warning an error."""
    compiler = shutil.which("musl-gcc") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    out = tmp_path_factory.mktemp("native") / "outrider-hook"
    subprocess.run([compiler, "-std=c99", "-Os", *STRICT, str(HOOK / "client.c"), "-o", str(out)], check=True)
    return out


@pytest.fixture(params=["native", "python"])
def client(request) -> list[str]:
    """The start of a client's command line."""
    if request.param == "native":
        return [str(request.getfixturevalue("native"))]
    return [sys.executable, "-I", "-S", str(HOOK / "client.py")]


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A short path: a UNIX socket's name holds about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="orh") as name:
        yield Path(name)


class Ran:
    """What a client did."""

    def __init__(self, process: subprocess.CompletedProcess[bytes], seconds: float) -> None:
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr
        self.seconds = seconds

    @property
    def said(self) -> tuple[int, bytes, bytes]:
        return self.code, self.out, self.err


@pytest.fixture
def hook(client, run_dir) -> Callable[..., Ran]:
    """Run a client once against ``run_dir/s``; keyword arguments are its options, None leaves one out."""

    def run(payload: bytes = b"{}", *, argv: list[str] | None = None, env=None, **options: str | None) -> Ran:
        given = {
            "door": "claude_code",
            "event": "PreToolUse",
            "socket": str(run_dir / "s"),
            "spool": str(run_dir / "spool.jsonl"),
            "undecided": "deny",
            **options,
        }
        words = argv if argv is not None else [w for k, v in given.items() if v is not None for w in (f"--{k}", v)]
        began = time.monotonic()
        process = subprocess.run(
            [*client, *words], input=payload, capture_output=True, timeout=30, check=False, env=env
        )
        ran = Ran(process, time.monotonic() - began)
        assert b"Traceback" not in ran.err
        return ran

    return run


class Daemon:
    """A fake daemon on a thread: reads whole requests, answers each as its ``behave`` says."""

    def __init__(self, path: Path, behave: Callable[[socket.socket, bytes, bytes], None], backlog: int = 64) -> None:
        self.requests: list[bytes] = []
        self.behave = behave
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(backlog)
        self.threads = [threading.Thread(target=self._serve, daemon=True)]
        self.threads[0].start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = read_request(connection)
            self.requests.append(request)
            self.behave(connection, request[4:20], request)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=10)
            assert not thread.is_alive()


def read_request(connection: socket.socket) -> bytes:
    """Read exactly one request, as its own lengths say."""
    data = b""

    def need(n: int) -> None:
        nonlocal data
        parts, have = [data], len(data)
        while have < n:
            part = connection.recv(min(1 << 20, n - have))
            if not part:
                raise OSError("the client hung up")
            parts.append(part)
            have += len(part)
        data = b"".join(parts)

    need(21)
    need(21 + data[20] + 1)
    at = 21 + data[20] + 1
    need(at + data[at - 1] + 4)
    at += data[at - 1] + 4
    need(at + int.from_bytes(data[at - 4 : at], "big"))
    return data


@pytest.fixture
def daemon(run_dir) -> Iterator[Callable[..., Daemon]]:
    """Start a fake daemon at ``run_dir/s`` that behaves as it is told."""
    running: list[Daemon] = []

    def start(behave: Callable[[socket.socket, bytes, bytes], None], **kwargs: int) -> Daemon:
        running.append(Daemon(run_dir / "s", behave, **kwargs))
        return running[-1]

    yield start
    for one in running:
        one.close()


@pytest.fixture
def spooled(run_dir) -> Callable[[], list[bytes]]:
    """The lines of the spool."""

    def lines() -> list[bytes]:
        path = run_dir / "spool.jsonl"
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []

    return lines


@pytest.fixture
def starter(run_dir) -> Callable[[str], str]:
    """Write an executable that acts as the daemon: a Python script with the given body. Kills what is left of it."""
    pids = run_dir / "pids"

    def write(body: str) -> str:
        path = run_dir / "start"
        path.write_text(
            f"#!{sys.executable} -IS\nimport os, socket, sys\n"
            f"here = {str(run_dir)!r}\n"
            "fd = os.open(here + '/pids', os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
            "os.write(fd, b'%d\\n' % os.getpid()); os.close(fd)\n" + body
        )
        path.chmod(0o700)
        return str(path)

    yield write
    for line in pids.read_text().split() if pids.exists() else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(line), 9)
