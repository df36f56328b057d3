"""Command lines that nobody here wrote: everyday ones are readable, dangerous ones show what they do."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "commands"


def commands(name: str) -> list[dict]:
    path = CORPORA / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip("the outside corpora are not beside this checkout")
    return [json.loads(line) for line in path.read_text().splitlines()]


def bash_refuses(text: str) -> bool:
    """Whether Bash itself finds a syntax error: a row that is not a command line at all."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash, the judge of syntax, is not here")
    return subprocess.run([bash, "-n", "-c", text], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", ["sweagent-traj", "nl2bash", "tldr", "aegish-harmless"])
def test_everyday_command_lines_can_be_read(name):
    rows = commands(name)
    unread = [row["cmd"] for row in rows if any(e.verb == "unparsed" for e in playing.shell(row["cmd"]))]
    unread = [text for text in unread if not bash_refuses(text)]
    assert len(unread) <= 0.03 * len(rows), unread


@pytest.mark.parametrize("name", ["redcode-bash-sys", "redcode-bash-logic", "atomic-linux", "dcg-corpus", "dcg-packs"])
def test_dangerous_command_lines_are_answered(name):
    for row in commands(name):
        assert isinstance(playing.shell(row["cmd"]), tuple)


def test_what_a_destroying_command_does_shows():
    rows = [row for row in commands("dcg-corpus") if row["label"] == "deny"]
    shown = [
        row["cmd"]
        for row in rows
        if any(
            e.verb in {"delete", "write", "push", "deploy", "unparsed", "opaque", "commit", "connect"}
            for e in playing.shell(row["cmd"])
        )
    ]
    assert len(shown) >= 0.9 * len(rows), [row["cmd"] for row in rows if row["cmd"] not in shown]
