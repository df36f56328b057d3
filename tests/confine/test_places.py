"""Places unlike a home with a repository in it: directories for temporary files, links, runs inside of runs."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from outrider.events.record import CallDecided, CallResult

TOP = Path("/tmp")


@pytest.fixture
def under_tmp(cell):
    """A repository below /tmp, of which agents with a view of their own see an empty one of their own."""
    with tempfile.TemporaryDirectory(prefix="orc-repo", dir=TOP) as name:
        repo = Path(name) / "deep" / "repo"
        repo.mkdir(parents=True)
        subprocess.run(["git", "init", "-q"], cwd=repo, check=True, env=cell.environment())
        (repo / ".env").write_text("PLANTED=1\n")
        (repo / "src.py").write_text("print(1)\n")
        (Path(name) / "beside.txt").write_text("beside")
        yield repo


def test_a_repository_below_the_directory_for_temporary_files_is_there_and_what_stands_beside_it_is_not(
    cell, under_tmp
):
    done = cell.sh("pwd; cat src.py; echo x > made; cat ../../beside.txt; echo x > /tmp/of-an-agent", cwd=under_tmp)
    assert done.out.startswith(f"{under_tmp}\nprint(1)\n"), done
    assert (under_tmp / "made").read_text() == "x\n"
    if cell.view == "own":
        assert "beside" not in done.out
        assert not (TOP / "of-an-agent").exists()
    else:
        (TOP / "of-an-agent").unlink()


def test_what_is_refused_in_a_repository_below_the_directory_for_temporary_files_stays_refused(cell, under_tmp):
    if cell.view == "shared":
        pytest.skip("without a view of its own nothing inside of the repository can be kept; the birth says so")
    done = cell.sh(
        "cat .env; echo x > .git/hooks/pre-commit; mv ../../deep ../../moved; cat ../../moved/repo/.env; true",
        cwd=under_tmp,
    )
    assert "PLANTED" not in done.out
    assert not (under_tmp / ".git/hooks/pre-commit").exists()
    assert under_tmp.exists()


def test_a_program_below_the_directory_for_temporary_files_can_be_run_as_an_agent(cell, tmp_path):
    with tempfile.TemporaryDirectory(prefix="orc-program", dir=TOP) as name:
        program = Path(name) / "tool"
        program.write_text("#!/bin/sh\necho ran\n")
        program.chmod(0o755)
        done = cell.run(str(program))
    assert done.out == "ran\n", done


@pytest.mark.parametrize("leads", ["to a file inside", "out of what is granted", "nowhere", "to itself"])
def test_a_settings_file_that_is_a_link_stays_as_it_is_and_the_command_starts(cell, leads):
    if cell.view == "shared":
        pytest.skip("without a view of its own nothing inside of the repository can be kept; the birth says so")
    link = cell.repo / ".claude/settings.json"
    to = {
        "to a file inside": cell.repo / "dotfiles.json", "out of what is granted": cell.user / "dotfiles.json",
        "nowhere": cell.repo / "missing.json", "to itself": link,
    }[leads]  # fmt: skip
    link.parent.mkdir()
    link.symlink_to(to)
    if leads in {"to a file inside", "out of what is granted"}:
        to.write_text("{}")
    done = cell.sh(
        "echo x > .claude/settings.json; rm -f .claude/settings.json; ln -sf /tmp/x .claude/settings.json;"
        " echo x >> dotfiles.json; echo on"
    )
    assert done.out == "on\n", done
    assert link.readlink() == to
    if leads != "nowhere":  # What a link that leads nowhere names can be made, as any such file: the birth says so.
        assert leads == "to itself" or to.read_text() == "{}"


INNER = """
import urllib.request
try:
    print("got", urllib.request.urlopen("http://203.0.113.7/", timeout=20).status)
except OSError as error:
    print("refused", getattr(error, "code", type(error.reason).__name__), getattr(error, "fp", None) and error.read())
"""


def test_a_run_inside_of_a_run_has_a_way_out_of_its_own_that_its_own_charter_bounds(cell):
    shutil.copy(cell.launcher[0], cell.repo / "outrider-run")
    cell.launcher = [*cell.launcher[:-1], str(cell.repo / "outrider-run")]
    (cell.repo / "get.py").write_text(INNER)
    inner = shlex.join(cell.argv(sys.executable, "-S", "get.py"))
    done = cell.sh(f"{inner}; echo outer")
    outer, born = cell.births()
    assert born.parent == outer.agent
    assert done.out.endswith("\nouter\n"), done
    (asked,) = [one.n for one in cell.events(CallDecided) if one.name == "outrider run"]
    assert [one.ok for one in cell.events(CallResult) if one.intent == asked] == [True]
    judged = [(one.agent, one.effects[0].value) for one in cell.events(CallDecided) if one.name == "egress"]
    if cell.view == "own":
        assert "the charter" in done.out or "403" in done.out, done
        assert judged == [(born.agent, "203.0.113.7")]
        assert not any(lack.startswith("hosts") for lack in born.held.lacks)
    else:  # The kernel holds the outer one to the port of its proxy, and whoever it starts with it.
        assert done.out.startswith("refused"), done
        assert judged == []
        assert any(lack.startswith("hosts") for lack in born.held.lacks)
