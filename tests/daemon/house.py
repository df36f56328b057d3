"""A real daemon in a home of its own, and host processes that run the real hook clients against it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from outrider.config import Home
from outrider.daemon import control
from outrider.errors import OutriderError
from outrider.events.codec import decode
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify

SRC = Path(__file__).parents[2] / "src"
PYTHON_CLIENT = [sys.executable, "-I", "-S", str(SRC / "outrider" / "hook" / "client.py")]
PATIENCE = 20.0

# Runs one command a line and says what came of it; ends when its stdin does.
_HOST = r"""
import base64, json, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
for line in sys.stdin:
    asked = json.loads(line)
    done = [subprocess.Popen(asked["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=asked["env"]) for _ in range(asked["times"])]
    def fed(one):
        out, err = one.communicate(base64.b64decode(asked["stdin"]))
        return one.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    with ThreadPoolExecutor(len(done)) as every:  # A host feeds each of its hooks at once; their deadlines run.
        print(json.dumps(list(every.map(fed, done))), flush=True)
"""


def until(what, *, seconds=PATIENCE):
    """Wait until ``what()`` is true and return it; fail after a deadline."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.005)


class Said:
    """What a hook client printed and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def verdict(self):
        """The decision in the host's words; ``silent`` for none."""
        if not self.out.strip():
            return "deny" if self.code == 2 else "silent"
        body = json.loads(self.out)
        specific = body.get("hookSpecificOutput", {})
        behavior = specific.get("decision", {}).get("behavior", "")
        blocked = "deny" if body.get("decision") == "block" else "silent"
        return specific.get("permissionDecision") or behavior or blocked

    @property
    def reason(self):
        return self.out + self.err


class HostProcess:
    """A process that owns a session and runs its hooks."""

    def __init__(self, house, client, session="s-1"):
        self.house, self.client, self.session = house, client, session
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"HOME": str(house.user), "PATH": os.environ["PATH"]},
        )  # fmt: skip

    def run(self, argv, stdin=b"", *, times=1):
        env = {"HOME": str(self.house.user), "PATH": os.environ["PATH"], "PYTHONPATH": str(SRC)}
        asked = {"argv": argv, "stdin": base64.b64encode(stdin).decode(), "times": times, "env": env}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return [Said(*one) for one in json.loads(self.process.stdout.readline())]

    def argv(self, event, *, undecided="deny", start=True, door="claude_code"):
        home = self.house.home
        words = ["--door", door, "--event", event, "--socket", str(home.socket), "--spool", str(home.spool)]
        words += ["--undecided", undecided]
        return [*self.client, *words, *(["--start", str(self.house.starter)] if start else [])]

    def raw(self, event, payload: bytes, **options):
        return self.run(self.argv(event, **options), payload)[0]

    def payload(self, event, **fields):
        common = {"session_id": self.session, "cwd": str(self.house.repo), "hook_event_name": event}
        return json.dumps({**common, **fields}).encode()

    def hook(self, event, *, times=1, start=True, **fields):
        said = self.run(self.argv(event, start=start), self.payload(event, **fields), times=times)
        return said if times > 1 else said[0]

    def bash(self, command, *, call="c1", start=True, times=1):
        fields = {"tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": call}
        return self.hook("PreToolUse", start=start, times=times, **fields)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class House:
    """A home, a repository in it that is set up, and whatever runs there."""

    def __init__(self, top: Path):
        self.top = top
        self.user = top / "user"
        self.repo = self.user / "repo"
        self.repo.mkdir(parents=True)
        self.home = Home(top / "o")
        self.home.make()
        self.starter = top / "start"
        self.starter.write_text(
            "#!/bin/sh\n"
            f"exec env -i HOME={self.user} PATH=/usr/bin:/bin PYTHONPATH={SRC} {sys.executable} -P -m outrider.daemon "
            f"{self.home.root} 2>> {top}/stderr\n"
        )
        self.starter.chmod(0o700)
        self.configure()
        self.hosts: list[HostProcess] = []
        self.started: list[subprocess.Popen] = []

    def configure(self, more=""):
        self.home.config.write_text(f'{more}\n[[repositories]]\npath = "{self.repo}"\ncharter = "coder"\n')

    def start(self, *, wait=True, wrap=(), env=None):
        """Start a daemon in the foreground and wait until it answers."""
        process = subprocess.Popen(
            [*wrap, sys.executable, "-m", "outrider.daemon", str(self.home.root)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"HOME": str(self.user), "PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), **(env or {})},
        )  # fmt: skip
        self.started.append(process)
        if wait:
            until(lambda: process.poll() is not None or self.status())
            assert process.poll() is None, process.communicate()[1].decode()
        return process

    def control(self, **request):
        return control.ask(self.home.socket, request)

    def status(self):
        try:
            found = self.control(do="status")
        except OutriderError:
            return None
        return found if "pid" in found else None

    @property
    def pid(self):
        return until(self.status)["pid"]

    def host(self, client=None, session=""):
        self.hosts.append(HostProcess(self, client or PYTHON_CLIENT, session or f"s-{len(self.hosts)}"))
        return self.hosts[-1]

    def events(self, kind=None):
        reader = Reader(self.home.record)
        found = [decode(entry.leaf) for entry in reader.entries(0)]
        return found if kind is None else [event for event in found if isinstance(event, kind)]

    def verify(self):
        return verify(self.home.record, content=self.home.content)

    def kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        gone(pid)
        until(self.refuses)  # The kernel may still be closing the files of its last thread.

    def refuses(self):
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(str(self.home.socket)) != 0

    def stop(self):
        """End the daemon in good order and wait until its process is gone."""
        pid = self.pid
        for process in self.started:
            if process.pid == pid:
                process.terminate()
                assert process.wait(PATIENCE) == 0
                return
        os.kill(pid, signal.SIGTERM)
        gone(pid)

    def processes(self):
        """Pids of every process whose command line names this home."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if str(self.home.root).encode() in (entry / "cmdline").read_bytes():
                        found.append(int(entry.name))
        return [pid for pid in found if pid != os.getpid()]

    def close(self):
        for host in self.hosts:
            host.close()
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def gone(pid):
    """Wait until a process is gone, or only its zombie is left."""

    def ended():
        try:
            return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in b"ZX"
        except OSError:
            return True

    until(ended)


def children(pid):
    """Pids of every process below ``pid``."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found
