"""Outrider in one world, as a test sees it: the commands, the hook, the daemon's process, and the record itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from tests.real.claude_code import World

from outrider.config import Home
from outrider.daemon import control, lock
from outrider.doors.claude_code import settings
from outrider.errors import OutriderError
from outrider.events.codec import decode
from outrider.events.event import Event
from outrider.events.record import AgentBorn, CallDecided
from outrider.hook.find import client
from outrider.ledger.reader import Reader

SRC = Path(__file__).resolve().parents[2] / "src"
PATIENCE = 15.0
"""Seconds to wait for a daemon to come or go; a loaded machine takes its time."""


@dataclass(frozen=True)
class Rider:
    """Outrider, installed for whoever lives in ``world``.

    Attributes:
        world: The place.
        src: The code that runs there.
    """

    world: World
    src: Path = SRC

    @property
    def home(self) -> Home:
        """Outrider's home in this world."""
        return Home(self.world.outrider_home)

    def environment(self) -> dict[str, str]:
        """Return the world's environment, with our code first."""
        return {**self.world.environment(), "PYTHONPATH": str(self.src)}

    def command(self, *arguments: str, ok: int = 0, cwd: Path | None = None) -> str:
        """Run ``outrider ARGUMENTS`` in the repository, expect exit status ``ok``, and return its standard output."""
        done = subprocess.run(
            [sys.executable, "-m", "outrider", *arguments],
            cwd=cwd or self.world.repo,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == ok, f"outrider {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, ok: int = 0) -> Any:
        """Return what ``outrider ARGUMENTS --json`` says."""
        return msgspec.json.decode(self.command(*arguments, "--json", ok=ok))

    def init(self, *arguments: str) -> None:
        """Set the repository up as a user does: ``outrider init ARGUMENTS --yes``."""
        self.command("init", *arguments, "--yes")

    def client(self, *, undecided: str = "deny", start: bool = False) -> list[str]:
        """Return the hook client's command line as ``init`` would write it, up to ``--event``.

        ``start`` lets the client start a daemon where none runs.
        """
        home = self.home
        command = [
            *client(),
            "--door", "claude_code",
            "--socket", str(home.socket),
            "--spool", str(home.spool),
            "--undecided", undecided,
        ]  # fmt: skip
        return [*command, "--start", str(self._launcher())] if start else command

    def hook(self, event: str) -> list[str]:
        """Return the whole command of the hook for ``event``."""
        return [*self.client(), "--event", event]

    def install(self, *, undecided: str = "deny", start: bool = False) -> None:
        """Put our hooks into the client's user settings, as ``init`` does."""
        path = self.world.settings
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_text() if path.exists() else None
        path.write_text(settings.install(old, self.client(undecided=undecided, start=start), on_failure=True))

    def _launcher(self) -> Path:
        path = self.world.root / "start-daemon"
        path.write_text(f"#!/bin/sh\nPYTHONPATH={self.src} exec {sys.executable} -m outrider.daemon {self.home.root}\n")
        path.chmod(0o755)
        return path

    def start(self) -> int:
        """Start a daemon, wait until it answers, and return its process id."""
        self.home.make()
        with (self.world.root / "daemon.err").open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "outrider.daemon", str(self.home.root)],
                cwd=self.world.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if process.poll() is not None:
                break
            try:
                if not control.ask(self.home.socket, {"do": "status"}).get("starting"):
                    return process.pid
            except OutriderError:
                time.sleep(0.02)
        raise AssertionError(f"the daemon does not answer:\n{(self.world.root / 'daemon.err').read_text()}")

    @property
    def pid(self) -> int:
        """The process id of the daemon that serves this world, 0 if none does."""
        pid = lock.holder(self.home.run / "daemon.lock")
        return pid if pid and _runs(pid) else 0

    def kill(self) -> None:
        """Kill the daemon as a power cut would; wait until it and what it started are gone. Nothing if none runs."""
        pid = self.pid
        if not pid:
            return
        family = [pid, *_children(pid)]
        os.kill(pid, signal.SIGKILL)
        self.wait(lambda: not any(map(_runs, family)), f"the daemon or what it started does not die: {family}")

    def wait(self, until: Callable[[], bool], otherwise: str) -> None:
        """Wait until something is so; fail with ``otherwise`` if it is not in time."""
        deadline = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < deadline, otherwise
            time.sleep(0.01)

    def events(self, *kinds: type[Event]) -> list[Any]:
        """Return the events of these kinds (all, if none is named), read from the record's own bytes."""
        found = (decode(entry.leaf) for entry in Reader(self.home.record).entries())
        return [event for event in found if not kinds or isinstance(event, kinds)]

    def births(self) -> list[AgentBorn]:
        """Return every birth, in order."""
        return self.events(AgentBorn)

    def decisions(self) -> list[CallDecided]:
        """Return every decision about a call, in order; those about the host's own permission prompts left out."""
        return [event for event in self.events(CallDecided) if not event.permission]


def _runs(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):  # not our child, if a hook client started it
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []
