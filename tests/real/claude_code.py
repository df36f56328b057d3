"""The real Claude Code client, driven from outside: a fresh home and repository, a scripted model, loopback only."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.scripted_model import Json, Request, Script, ScriptedModel, Turn

HERE = Path(__file__).resolve().parent
TOOL_EVENTS = ("PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure")
OTHER_EVENTS = (
    "SessionStart", "UserPromptSubmit", "PostToolBatch", "SubagentStart", "SubagentStop", "Stop", "ConfigChange",
    "SessionEnd",
)  # fmt: skip
EVENTS = TOOL_EVENTS + OTHER_EVENTS


def find_client(cache: Path) -> Path | None:
    """Return the client's program: ``$OUTRIDER_CLAUDE``, else what ``install_claude.sh`` installed, else None."""
    named = os.environ.get("OUTRIDER_CLAUDE")
    if named:
        return Path(named)
    found = sorted(cache.glob("claude-code-*/node_modules/@anthropic-ai/claude-code-*/claude"))
    return found[-1] if found else None


def hook_settings(
    argv: Callable[[str], Sequence[str]],
    *,
    events: Sequence[str] = EVENTS,
    block_on_failure: bool = True,
    timeout: int = 10,
) -> Json:
    """Return the settings that make the client start ``argv(event)`` for each of ``events``, without a shell.

    ``timeout`` is in seconds; ``block_on_failure`` asks the client to refuse the call if the hook itself fails.
    """
    hooks: Json = {}
    for event in events:
        program, *arguments = argv(event)
        handler: Json = {"type": "command", "command": program, "args": arguments, "timeout": timeout}
        if block_on_failure:
            handler["onFailure"] = "block"
        hooks[event] = [{"matcher": "*", "hooks": [handler]} if event in TOOL_EVENTS else {"hooks": [handler]}]
    return {"hooks": hooks}


@dataclass(frozen=True)
class World:
    """A fresh place for agents to work in, outside every temporary folder (which charters may treat kindly).

    Attributes:
        root: Everything below is in it; removed at the end.
        home: The home folder of whoever starts the agents.
        repo: A git repository in that home with one commit of ``README.md``.
    """

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def repo(self) -> Path:
        return self.home / "repo"

    @property
    def bin(self) -> Path:
        """Where this user's own programs are; first on PATH."""
        return self.home / ".local" / "bin"

    @property
    def outrider_home(self) -> Path:
        """Where Outrider's home is for a process started with :meth:`environment`."""
        return self.home / ".outrider"

    @property
    def settings(self) -> Path:
        """The client's settings of this user."""
        return self.home / ".claude" / "settings.json"

    def environment(self) -> dict[str, str]:
        """Return the whole environment of a process here. A proxy that nobody runs keeps everything on loopback."""
        return {
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "OUTRIDER_HOME": str(self.outrider_home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
            "GIT_AUTHOR_NAME": "Ada Tester",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada Tester",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
        }

    def git(self, *arguments: str) -> str:
        """Run git in the repository and return what it prints."""
        done = subprocess.run(
            ["git", "-C", self.repo, *arguments], env=self.environment(), check=True, capture_output=True, text=True
        )
        return done.stdout


@contextmanager
def fresh_world(folder: Path) -> Iterator[World]:
    """Make a world in ``folder`` and remove it afterwards. Its path is short: a socket's path holds 107 bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(Path(tempfile.mkdtemp(dir=folder, prefix="")))
    try:
        world.repo.mkdir(parents=True)
        world.git("init", "--quiet", "--initial-branch=main")
        (world.repo / "README.md").write_text("# A repository to work in\n")
        world.git("add", "README.md")
        world.git("commit", "--quiet", "--message=Begin")
        yield world
    finally:
        shutil.rmtree(world.root, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """What one run of the client left behind.

    Attributes:
        code: Exit status.
        rows: What it printed: stream-json, one object a line.
        stderr: What it complained about.
        seconds: Wall-clock time.
        requests: What the model was asked, in order.
    """

    code: int
    rows: tuple[Json, ...]
    stderr: str
    seconds: float
    requests: tuple[Request, ...] = field(repr=False)

    @property
    def session(self) -> str:
        """The session's id."""
        return next(str(row["session_id"]) for row in self.rows if row.get("session_id"))

    @property
    def final(self) -> str:
        """The text that the agent ended with."""
        return next((str(row.get("result", "")) for row in reversed(self.rows) if row["type"] == "result"), "")

    @property
    def results(self) -> tuple[Json, ...]:
        """The ``tool_result`` blocks in the order in which the main agent and its sub-agents got them."""
        return tuple(
            block
            for row in self.rows
            if row["type"] == "user" and isinstance(row["message"]["content"], list)
            for block in row["message"]["content"]
            if block.get("type") == "tool_result"
        )

    def __str__(self) -> str:
        return f"exit {self.code} after {self.seconds:.1f} s\n{self.stderr}\n" + "\n".join(map(json.dumps, self.rows))


@dataclass(frozen=True)
class ClaudeCode:
    """The client, in one world.

    Attributes:
        program: The client's program.
        world: Where it works.
    """

    program: Path
    world: World

    def __call__(
        self,
        script: Script | Sequence[Turn | Callable[[Any], Turn]],
        *,
        settings: Mapping[str, Any] | None = None,
        project_settings: Mapping[str, Any] | None = None,
        allowed: Sequence[str] = ("Bash",),
        mode: str = "default",
        prompt: str = "Please do your part.",
        mcp: Mapping[str, Any] | None = None,
        arguments: Sequence[str] = (),
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Run:
        """Run one session to its end and return what it left.

        Args:
            script: What the model does; a plain sequence is the main agent's steps.
            settings: Written to the user's settings file first; None leaves the file as it is (``outrider init`` may
                have written it).
            project_settings: The same for the repository's own settings file.
            allowed: Tools that the client need not ask its user about.
            mode: The client's permission mode.
            prompt: What the user says.
            mcp: MCP servers by name, as in the client's ``mcpServers``.
            arguments: More arguments of the client.
            under: What the client is started by: words that its own command line follows.
            env: Added to the world's environment.
            timeout: Seconds after which the client is killed and the test fails.

        Raises:
            TimeoutError: It did not end in time.
        """
        for path, value in (
            (self.world.settings, settings),
            (self.world.repo / ".claude" / "settings.json", project_settings),
        ):
            if value is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(value))
        command = [
            *under, str(self.program), "-p", prompt, "--output-format", "stream-json", "--verbose",
            "--permission-mode", mode, "--strict-mcp-config",
            "--mcp-config", json.dumps({"mcpServers": dict(mcp or {})}),
            "--allowedTools", ",".join(allowed), *arguments,
        ]  # fmt: skip
        with ScriptedModel(script if isinstance(script, Script) else Script(script)) as model:
            run = self._run(command, model, env or {}, timeout)
        model.check()
        return run

    def _run(self, command: Sequence[str], model: ScriptedModel, env: Mapping[str, str], timeout: float) -> Run:
        environment = {
            **self.world.environment(),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "not-a-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            **env,
        }
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=self.world.repo,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise TimeoutError(f"the client did not end within {timeout} s\n{err}\n{out[-4000:]}") from None
        rows = tuple(json.loads(line) for line in out.splitlines() if line.startswith("{"))
        return Run(process.returncode, rows, err, time.monotonic() - began, tuple(model.requests))


@dataclass(frozen=True)
class Recorder:
    """A stub hook that records every event, and answers only what a test cans.

    Attributes:
        folder: Where it records.
    """

    folder: Path

    def argv(self, event: str) -> list[str]:
        """Return the command of the hook for ``event``."""
        return [sys.executable, "-I", "-S", str(HERE / "stub_hook.py"), str(self.folder), event]

    def can(self, event: str, answer: Json) -> None:
        """Answer every later ``event`` with ``answer``."""
        (self.folder / f"{event}.answer").write_text(json.dumps(answer))

    def seen(self, event: str = "") -> list[Json]:
        """Return what the host sent, oldest first: all of it, or one kind of event."""
        return [json.loads(path.read_bytes()) for path in sorted(self.folder.glob(f"*-{event or '*'}.json"))]
