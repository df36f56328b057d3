"""Commands run in process, in a repository of their own, with a host that only says its version."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outrider.cli import main
from outrider.config import Home

NEW = "2.1.330 (Claude Code)"
OLD = "2.1.100 (Claude Code)"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)["data"]


Run = Callable[..., Done]


@pytest.fixture
def world(a_home_of_its_own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a program in it, where the user stands."""
    repo = tmp_path / "repo"
    repo.mkdir()
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    (repo / "main.py").write_text("print(1)\n")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(repo)
    host(tmp_path, NEW)
    return repo


def host(tmp_path: Path, version: str) -> Path:
    """Put a ``claude`` on PATH that says its version."""
    program = tmp_path / "bin" / "claude"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def outrider(world: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def home(a_home_of_its_own: Path) -> Home:
    return Home(a_home_of_its_own / ".outrider")


@pytest.fixture
def settings(a_home_of_its_own: Path) -> Path:
    """The user's settings file; not made."""
    return a_home_of_its_own / ".claude" / "settings.json"
