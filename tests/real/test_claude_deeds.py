"""What the real client's processes do under ``outrider run``, beside what its calls told."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.confine import sensed
from tests.confine.sensed import built, listen
from tests.daemon.house import until
from tests.real.claude_code import ClaudeCode
from tests.real.rider import Rider
from tests.real.scripted_model import Turn, bash, use

from outrider.confine.find import NATIVE
from outrider.daemon import control
from outrider.events.record import DeedsSeen

pytestmark = pytest.mark.real

RUN = [sys.executable, "-m", "outrider", "run", "--charter", "coder", "--"]


@pytest.fixture
def coder(rider: Rider, claude: ClaudeCode) -> Rider:
    """Outrider set up as a person does it, on a kernel that tells of system calls."""
    if not NATIVE.exists():
        pytest.skip("this installation has no launcher: no C compiler was there")
    offered = subprocess.run([NATIVE, "--probe"], capture_output=True, text=True, check=True).stdout
    if "seen=1" not in offered or "namespaces=1" not in offered:
        pytest.skip(f"this system tells of no system calls, or gives no namespaces: {offered}")
    rider.init("--charter", "coder", "--enforce")
    return rider


def ordinary(coder: Rider) -> list[Turn]:
    """What a session is told to do that does what it says."""
    repo = coder.world.repo
    (repo / "Makefile").write_text("all:\n\tdate > built\n\tsh -c 'uname >> built'\n")
    (repo / "notes.txt").write_text("one two\n")
    return [
        bash("ls -la && git status --short"),
        use("Read", file_path=str(repo / "notes.txt")),
        use("Grep", pattern="two", path=str(repo)),
        use("Glob", pattern="**/*.txt"),
        use("Write", file_path=str(repo / "new.py"), content="print('hello')\n"),
        bash("python3 -S new.py | head -1"),
        *([bash("make")] if shutil.which("make") else []),
        bash("git add -A -- new.py && git commit -qm new && git log --oneline | head -3"),
        bash("(sleep 0.3; date > later) & wc -l < notes.txt; wait"),
        Turn("finished"),
    ]


def test_an_ordinary_session_of_the_real_client_brings_no_finding(coder: Rider, claude: ClaudeCode) -> None:
    steps = ordinary(coder)
    run = claude(steps, under=RUN, env={"PYTHONPATH": str(coder.src)})
    assert (run.code, run.final) == (0, "finished"), run
    seen = coder.events(DeedsSeen)
    assert [finding.message for event in seen for finding in event.findings] == []
    told = {one.program.rpartition("/")[2] for event in seen for one in event.deeds.ran if one.basis == "call"}
    assert told >= {"ls", "git", "head", "wc", "sleep", "date"}
    assert seen[-1].deeds.told >= 5


def test_a_hook_of_somebody_else_that_starts_programs_is_found(coder: Rider, claude: ClaudeCode) -> None:
    other = {
        "hooks": {"PostToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "date > hooked"}]}]}
    }
    run = claude([bash("ls"), Turn("finished")], project_settings=other, under=RUN, env={"PYTHONPATH": str(coder.src)})
    assert run.final == "finished", run
    found = [finding for event in coder.events(DeedsSeen) for finding in event.findings]
    assert (coder.world.repo / "hooked").exists()
    assert {finding.rule for finding in found} == {"undeclared-exec"}
    ran = [one for event in coder.events(DeedsSeen) for one in event.deeds.ran if one.basis == "none"]
    assert "date" in {one.program.rpartition("/")[2] for one in ran}, ran


@pytest.fixture
def heard(rider: Rider, claude: ClaudeCode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rider]:
    """Outrider set up for a client that a person starts by hand, with the sensor beside the daemon."""
    sensor = built(tmp_path_factory.mktemp("sensor"))
    rider.init("--charter", "coder", "--enforce")
    rider.start()
    running = listen(rider.home, sensor)
    yield rider
    running.terminate()
    running.wait(20)


def test_an_ordinary_session_that_a_person_started_by_hand_brings_no_finding(heard: Rider, claude: ClaudeCode) -> None:
    run = claude(ordinary(heard))
    assert (run.code, run.final) == (0, "finished"), run
    until(lambda: not sensed.heard(heard.home)["agents"])  # Its end is heard, and so is all before.
    control.ask(heard.home.socket, {"do": "sync"})
    seen = heard.events(DeedsSeen)
    assert [finding.message for event in seen for finding in event.findings] == []
    told = {one.program.rpartition("/")[2] for event in seen for one in event.deeds.ran if one.basis == "call"}
    assert told >= {"ls", "git", "head", "wc", "sleep", "date"}
    assert seen[-1].deeds.told >= 5


def test_what_somebody_elses_hook_starts_is_found_by_the_sensor(heard: Rider, claude: ClaudeCode) -> None:
    other = {
        "hooks": {"PostToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "date > hooked"}]}]}
    }
    run = claude([bash("ls"), Turn("finished")], project_settings=other)
    assert run.final == "finished", run
    until(lambda: not sensed.heard(heard.home)["agents"])
    rows = [one for event in heard.events(DeedsSeen) for one in event.deeds.ran if one.basis == "none"]
    assert "date" in {one.program.rpartition("/")[2] for one in rows}
    assert {one.rule for event in heard.events(DeedsSeen) for one in event.findings} == {"undeclared-exec"}
