"""A home, a repository and a daemon to measure in: made anew, on disk, and gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from bench import calls

from outrider.config import Home, add_repository
from outrider.daemon.control import ask
from outrider.demo.play import start_daemon, stop_daemon
from outrider.doors.wire import Request as Frame
from outrider.doors.wire import encode_answer, encode_request, read_head
from outrider.errors import UnavailableError
from outrider.events.codec import decode
from outrider.events.message import Wire
from outrider.events.record import CallDecided
from outrider.ledger.reader import Reader

HERE = Path(__file__).parent


@dataclass(frozen=True)
class World:
    """Everything of one benchmark on disk.

    Attributes:
        root: Its directory.
    """

    root: Path

    @property
    def home(self) -> Home:
        """Outrider's home."""
        return Home(self.root / "o")

    @property
    def person(self) -> Path:
        """The home folder of the agents."""
        return self.root / "home"

    @property
    def repo(self) -> Path:
        """The repository that the agents work in."""
        return self.person / "repo"

    def directory(self, name: str) -> Path:
        """Return a directory of that name, made if it is not there."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        return path

    def env(self) -> dict[str, str]:
        """Return the environment of an agent."""
        return {"HOME": str(self.person), "PATH": os.environ.get("PATH", "/usr/bin:/bin")}

    def made(self, kind: str, count: int, seed: int) -> list[tuple[calls.Made, bool]]:
        """Return calls and whether each is to be refused: one in twenty, so that a wrong answer shows."""
        chosen = {"mixed": calls.mixed, "structured": calls.structured, "bash": calls.bash}[kind]
        some = chosen(str(self.repo), count, seed)
        refused = ("Read", {"file_path": str(self.person / ".ssh" / "id_ed25519")})
        return [(refused, True) if at % 20 == 19 else (one, False) for at, one in enumerate(some)]


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Give a world with a repository under the coder's charter; not in memory, or a flush would cost nothing."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outrider"
    base.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="b-", dir=base))
    here = World(root)
    try:
        here.repo.mkdir(parents=True)
        for name in ("objects", "refs/heads"):
            (here.repo / ".git" / name).mkdir(parents=True)
        (here.repo / ".git" / "HEAD").write_text("ref: refs/heads/work\n")
        (here.person / ".gitconfig").write_text("[user]\n\tname = Bench\n\temail = bench@example.org\n")
        for module in calls.MODULES:
            (here.repo / "src" / module).mkdir(parents=True)
            for name in calls.NAMES:
                (here.repo / "src" / module / f"{name}.py").write_text("LIMIT = 1\n")
        here.home.make()
        add_repository(here.home, str(here.repo), "coder", "enforce")
        yield here
    finally:
        shutil.rmtree(root, ignore_errors=True)
        with contextlib.suppress(OSError):
            base.rmdir()


@contextlib.contextmanager
def daemon(here: World) -> Iterator[None]:
    """Run the daemon, its view process included, and end it in good order."""
    running = start_daemon(here.home)
    try:
        yield
    finally:
        stop_daemon(here.home, running)


@contextlib.contextmanager
def echo(path: Path) -> Iterator[None]:
    """Run a daemon that neither judges nor records: the same loop and frames, silence as the answer to everything."""
    code = "import sys; from bench.world import answer_silence; answer_silence(sys.argv[1])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE.parent / "src")])}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=env) as running:
        try:
            assert running.stdout is not None
            if not running.stdout.readline():
                raise UnavailableError("the echo server of the benchmark did not start")
            yield
        finally:
            running.send_signal(signal.SIGKILL)


class _Silent(asyncio.Protocol):
    """Answers with silence as soon as the whole request is there."""

    def connection_made(self, transport: Any) -> None:
        """Start with nothing."""
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        """Collect, answer, hang up."""
        self.data += data
        head = read_head(self.data)
        if head is not None and len(self.data) >= head.end:
            self.transport.write(encode_answer(head.nonce, Wire()))
            self.transport.close()


def answer_silence(path: str) -> None:
    """Serve as :func:`echo` says, for ever."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_unix_server(_Silent, path, backlog=1024)
        print("ready", flush=True)
        await server.serve_forever()

    uvloop.run(run())


def compile_c(source: Path, out: Path, *, static: bool = False) -> Path:
    """Compile one of our programs; ``static`` as the native hook client is, where that can be had.

    Raises:
        UnavailableError: There is no C compiler.
    """
    for compiler in ("musl-gcc", "cc", "gcc", "clang") if static else ("cc", "gcc", "clang"):
        for flags in (["-static"], []) if static else ([],):
            command = [compiler, "-O2", *flags, str(source), "-o", str(out)]
            if shutil.which(compiler) and subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return out
    raise UnavailableError("there is no C compiler that works, so nothing can be measured from a C parent")


def inputs(where: Path, some: Sequence[tuple[calls.Made, bool]], here: World, session: str) -> list[str]:
    """Write the events that hook clients are to read; return the ids of their calls."""
    ids = []
    for at, (call, _) in enumerate(some):
        ids.append(f"toolu_{session}_{at:06d}")
        event = calls.event(call, session=session, cwd=str(here.repo), call_id=ids[-1])
        (where / f"{at}.in").write_text(json.dumps(event))
    return ids


def frames(path: Path, some: Sequence[tuple[calls.Made, bool]], here: World, session: str) -> list[str]:
    """Write the questions of one agent for ``load.c``, the first one a warm-up; return the ids of the rest."""
    ids = []
    with path.open("wb") as file:
        for at, (call, refused) in enumerate(((("Read", {"file_path": str(here.repo)}), False), *some)):
            call_id = f"toolu_{session}_{at:06d}"
            event = calls.event(call, session=session, cwd=str(here.repo), call_id=call_id)
            data = json.dumps(event).encode()
            frame = encode_request(Frame(nonce=os.urandom(16), door="claude_code", event="PreToolUse", payload=data))
            file.write(bytes((int(refused),)) + len(frame).to_bytes(4, "big") + frame)
            if at:
                ids.append(call_id)
    return ids


def decided(here: World) -> dict[str, str]:
    """Return the verdict that the record holds of every call, by the host's id of it."""
    ask(here.home.socket, {"do": "sync"}, timeout=60)
    found = {}
    for entry in Reader(here.home.record).entries():
        event = decode(entry.leaf)
        if isinstance(event, CallDecided):
            found[event.call] = event.decision.enforced
    return found
