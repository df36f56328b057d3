"""A whole daemon without its socket: the real door, gate, record and state, asked by real processes with real homes."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.config import Home, Mode, add_repository
from outrider.daemon.wiring import assemble, open_contents, open_ledger
from outrider.doors import claude_code
from outrider.events.codec import decode
from outrider.events.message import Peer
from outrider.events.record import LeverPulled
from outrider.gate import snapshot
from outrider.gate.state import State

_HOST = """
import os, subprocess, sys
p = subprocess.Popen(['sleep', '600'])
print(p.pid, flush=True)
for line in sys.stdin:
    env = {**os.environ, 'HOME': line.strip()}
    q = subprocess.Popen([sys.executable, '-S', '-c', sys.argv[1], sys.argv[1]], env=env, stdin=subprocess.PIPE)
"""


class Host:
    """A process that stands for an agent's host, and a child of it that stands for the hook client."""

    def __init__(self, home: Path) -> None:
        self._host = subprocess.Popen(
            [sys.executable, "-S", "-c", _HOST, _HOST],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._host.stdout is not None
        self.clients = [int(self._host.stdout.readline())]
        self.client = self.clients[0]

    @property
    def peer(self) -> Peer:
        """The hook client as the kernel would name it."""
        return Peer(pid=self.client, uid=os.getuid())

    def start(self, home: Path) -> Host:
        """Start another host below this one, as a shell call of its agent would."""
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.write(f"{home}\n")
        self._host.stdin.flush()
        below = copy.copy(self)
        below.client = int(self._host.stdout.readline())
        self.clients.append(below.client)
        return below

    def close(self) -> None:
        for client in self.clients:
            with contextlib.suppress(ProcessLookupError):
                os.kill(client, 9)
        self._host.kill()
        self._host.communicate()


class Rig:
    """Outrider in one process: ask it as a host would, and read what it wrote."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.user = root, home
        self.repo = root / "repo"
        (self.repo / ".claude").mkdir(parents=True)
        (self.repo / ".claude" / "settings.json").write_text("{}")
        git = self.repo / ".git"
        (git / "hooks").mkdir(parents=True)
        (git / "HEAD").write_text("ref: refs/heads/main\n")
        self.outrider = Home(home / ".outrider")
        self.outrider.make()
        self._hosts: list[Host] = []
        self.loop = asyncio.new_event_loop()
        self.open()
        self.first = self.host()

    def open(self) -> None:
        """Start, as a daemon does after a crash: the state is folded from the record."""
        self.ledger = open_ledger(self.outrider)
        state, contents = State(), open_contents(self.outrider)
        for _ in snapshot.replay(state, self.ledger, 0, contents.keyring):
            pass
        self.parts = assemble(self.outrider, self.ledger, state, contents)

    def use(self, charter: str, mode: Mode = "enforce") -> None:
        """Set the repository up with a charter."""
        add_repository(self.outrider, str(self.repo), charter, mode)

    def host(self, home: Path | None = None) -> Host:
        self._hosts.append(Host(home or self.user))
        return self._hosts[-1]

    def child_of(self, host: Host, home: Path) -> Host:
        """A host that runs below another."""
        return host.start(home)

    def tell(self, event: str, host: Host | None = None, session: str = "s1", **fields: Any) -> Any:
        """Send one hook event; return the host's decision and the answer's text."""
        payload = {"session_id": session, "hook_event_name": event, "cwd": str(self.repo), **fields}
        message = claude_code.parse(json.dumps(payload).encode(), event)
        return self.loop.run_until_complete(self.parts.gate.handle(message, (host or self.first).peer))

    def ask(self, tool: str, args: dict[str, Any], host: Host | None = None, session: str = "s1", **fields: Any) -> str:
        """Ask for a call; return ``silent``, ``allow``, ``ask`` or ``deny``."""
        self.answer = self.tell(
            "PreToolUse", host, session, tool_name=tool, tool_input=args,
            **{"tool_use_id": f"t{self.ledger.size}", **fields},
        )  # fmt: skip
        return str(self.answer.verdict)

    def bash(self, command: str, host: Host | None = None, session: str = "s1", **fields: Any) -> str:
        return self.ask("Bash", {"command": command}, host, session, **fields)

    def write(self, path: str | Path, host: Host | None = None, session: str = "s1", **fields: Any) -> str:
        return self.ask("Write", {"file_path": str(path), "content": "{}"}, host, session, **fields)

    def pause(self) -> None:
        """What a person's ``outrider pause`` does."""
        until = self.parts.scribe.now() + 600_000_000
        self.parts.scribe.write(LeverPulled, lever="pause", by="p", why="test", until=until)

    def events(self, kind: type | None = None) -> list[Any]:
        found = [decode(leaf) for _, leaf, _ in self.ledger.entries(0, self.ledger.size)]
        return [event for event in found if kind is None or isinstance(event, kind)]

    def close(self) -> None:
        for host in self._hosts:
            host.close()
        self.parts.workers.stop()
        self.ledger.close()
        self.loop.close()


@pytest.fixture
def rig(tmp_path: Path, a_home_of_its_own: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, a_home_of_its_own)
    yield made
    made.close()
