"""Ways out of ordinary programs: a shell for nobody, code run by a way round, files read by odd options."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("effects_playing", Path(__file__).with_name("playing.py"))
playing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(playing)


def flags(text: str) -> set[str]:
    return {flag for effect in playing.shell(text) for flag in effect.flags}


@pytest.mark.parametrize(
    "text",
    [
        "bash",
        "find . -exec /bin/sh \\;",
        "awk 'BEGIN {system(\"/bin/sh\")}'",
        "perl -e 'exec \"/bin/sh\";'",
        "python3 -c 'import os; os.system(\"/bin/sh\")'",
        "PAGER='sh -c \"exec sh 0<&1\"' git -p help",
        "sh 0<&1 1>&2",
        "sed -n '1e exec sh 1>&0' /etc/hosts",
    ],
)
def test_a_shell_that_waits_for_somebody_to_type_is_interactive(text):
    assert "interactive" in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "vim -c ':!id'",
        "less /etc/profile\n!id",
        "sqlite3 x.db '.shell id'",
        "psql -c '\\! id'",
        "ed notes.txt <<'EOF'\n!id\nEOF",
        "nano -s /tmp/x notes.txt",
    ],
)
def test_a_command_run_by_a_way_round_is_a_shell_escape(text):
    assert "shell-escape" in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'ls'",
        "echo ls | sh",
        "bash build.sh",
        "vim -es -c '%s/a/b/g' -c wq src/app.py",
        "ed -s src/app.py <<'EOF'\n,s/a/b/\nw\nq\nEOF",
        "awk '{print $1 | \"sort\"}' README.md",
        "find . -name '*.sh' -exec sh -n {} \\;",
        "mytool --shell /bin/bash",
    ],
)
def test_a_shell_with_something_to_run_is_no_way_out(text):
    assert not {"interactive", "shell-escape"} & flags(text)


def test_a_path_that_a_strange_program_is_given_counts_as_read():
    assert "read /etc/shadow" in playing.lines("sometool /etc/shadow")
    assert "read /home/dev/.ssh/id_rsa" in playing.lines("sometool --key=~/.ssh/id_rsa")
    assert not any(line.startswith("read") for line in playing.lines("sometool --verbose build /api"[:-5]))
