"""A real daemon, and commands that are run as agents by the real launcher."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.daemon.house import House, until

from outrider.events.record import AgentBorn, AgentEnded


class Done:
    """What became of a command."""

    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def __repr__(self):
        return f"Done({self.code}, {self.out!r}, {self.err!r})"


class Cell(House):
    """A house with a repository, a home with secrets in it, and a launcher."""

    def __init__(self, top, launcher, view):
        super().__init__(top)
        self.launcher = launcher
        self.view = view
        (self.user / ".ssh").mkdir()
        (self.user / ".ssh" / "id_ed25519").write_text("a key")
        (self.user / "notes.txt").write_text("notes")
        for args in (["init", "-q"], ["config", "user.name", "Ada"], ["config", "user.email", "ada@example.com"]):
            subprocess.run(["git", *args], cwd=self.repo, check=True, env=self.environment())
        (self.repo / ".env").write_text("PLANTED=1\n")

    def environment(self, **more):
        return {"HOME": str(self.user), "PATH": os.environ["PATH"], "OUTRIDER_HOME": str(self.home.root), **more}

    def argv(self, *command, charter="coder", options=()):
        shared = ["--shared-view"] if self.view == "shared" else []
        return [*self.launcher, "--charter", charter, *shared, *options, "--", *command]

    def run(self, *command, charter="coder", options=(), cwd=None, **env):
        return Done(
            subprocess.run(
                self.argv(*command, charter=charter, options=options),
                cwd=cwd or self.repo, env=self.environment(**env), capture_output=True, text=True, timeout=60,
                check=False, stdin=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def sh(self, script, **options):
        return self.run("sh", "-c", script, **options)

    def python(self, script, *args, **options):
        return self.run(sys.executable, "-S", "-c", script, *args, **options)

    def begin(self, *command, charter="coder", **env):
        """Start a command and return its process."""
        process = subprocess.Popen(
            self.argv(*command, charter=charter), cwd=self.repo, env=self.environment(**env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def births(self):
        return self.events(AgentBorn)

    def ends(self, count=1):
        """The ends, once there are so many."""
        return until(lambda: len(found := self.events(AgentEnded)) >= count and found)
