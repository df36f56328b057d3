"""The places of the story: a home for every agent, a repository for every family, hooks as ``init`` installs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.demo.story import KEY
from outrider.errors import UnavailableError

if TYPE_CHECKING:
    from outrider.demo.story import Actor

_README = "# Importer\n\nReads rows in batches. version 4.2\n"
_KEY_FILE = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nstory\n-----END OPENSSH " + "PRIVATE KEY-----\n"


@dataclass(frozen=True)
class World:
    """Everything of the story that is on disk, under one temporary directory.

    Attributes:
        root: The directory.
    """

    root: Path

    @property
    def homes(self) -> Path:
        """Where the agents' homes stand until they are deleted."""
        return self.root / "homes"

    @property
    def scripts(self) -> Path:
        """The agents' scripts."""
        return self.root / "scripts"

    @property
    def steps(self) -> Path:
        """The demo's own list of steps."""
        return self.root / "steps.jsonl"

    @property
    def done(self) -> Path:
        """One byte for every agent that is done."""
        return self.root / "done"

    def home(self, actor: Actor) -> Path:
        """The home of an actor."""
        return self.homes / actor.name

    def repo(self, actor: Actor) -> Path:
        """The repository that an actor works in: its family's."""
        return self.home(actor.root) / "repo"

    def build(self, actors: list[Actor], settings: str, web: tuple[str, int]) -> None:
        """Make every home, repository and script.

        Args:
            actors: Everybody, parents first.
            settings: The ``settings.json`` that ``init`` would write.
            web: Where the story's internet is.

        Raises:
            UnavailableError: git is not there.
        """
        self.scripts.mkdir(parents=True)
        self.steps.touch()
        self.done.touch()
        template = self._template()
        for actor in actors:
            self._settle(actor, settings, template)
            self._write_script(actor, web)

    def _template(self) -> Path:
        git = shutil.which("git")
        if git is None:
            raise UnavailableError("git is not installed", fix="Install it, for example: apt-get install git")
        template = self.root / "template"
        template.mkdir()
        (template / "README.md").write_text(_README)
        (template / ".gitignore").write_text("deploy/\n")
        (template / "src").mkdir()
        (template / "src" / "__init__.py").write_text("")
        env = {"HOME": str(self.root), "PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1"}
        identity = ["-c", "user.name=Story", "-c", "user.email=story@shipyard.example"]
        for words in (
            ["init", "-q", "-b", "main", "--template="],
            ["add", "-A"],
            [*identity, "commit", "-q", "-m", "Start"],
        ):
            subprocess.run([git, *words], cwd=template, env=env, check=True, capture_output=True)
        return template

    def _settle(self, actor: Actor, settings: str, template: Path) -> None:
        home = self.home(actor)
        (home / ".claude").mkdir(parents=True)
        (home / ".claude" / "settings.json").write_text(settings)
        name, _, mail = actor.sponsor.partition(" <")
        (home / ".gitconfig").write_text(f"[user]\n\tname = {name}\n\temail = {mail.rstrip('>')}\n")
        (home / ".ssh").mkdir(mode=0o700)
        (home / ".ssh" / "id_ed25519").write_text(_KEY_FILE)
        if actor.parent is None:
            shutil.copytree(template, home / "repo")
            key = home / "repo" / KEY
            key.parent.mkdir()
            key.write_text(actor.key + "\n")

    def _write_script(self, actor: Actor, web: tuple[str, int]) -> None:
        children = iter(actor.children)
        script = {
            "session": actor.session,
            "home": str(self.home(actor)),
            "repo": str(self.repo(actor)),
            "prompt": actor.prompt,
            "path": os.environ.get("PATH", ""),
            "shell": shutil.which("bash") or "/bin/sh",
            "web": list(web),
            "list": str(self.steps),
            "done": str(self.done),
            "says": f"{actor.charter}: done",
            "steps": [self._placed(step, actor, children) for step in actor.steps],
        }
        self.script(actor).write_text(json.dumps(script))

    def script(self, actor: Actor) -> Path:
        """The script of an actor."""
        return self.scripts / f"{actor.name}.json"

    def _placed(self, step: dict[str, Any], actor: Actor, children: Any) -> dict[str, Any]:
        text = json.dumps(step).replace("{home}", str(self.home(actor))).replace("{repo}", str(self.repo(actor)))
        placed: dict[str, Any] = json.loads(text)
        if placed.get("child"):
            placed["script"] = str(self.script(next(children)))
        return placed
