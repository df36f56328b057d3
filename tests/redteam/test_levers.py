"""Ways in which an agent could switch its guard off, each proved once and closed."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator

import pytest
from tests.redteam.conftest import Rig

from outrider.daemon.controls import Controls
from outrider.daemon.sensing import Sensing
from outrider.daemon.watches import Watches
from outrider.events.message import Peer


def _pause(rig: Rig, pid: int) -> dict[str, object]:
    watches = Watches(rig.parts)
    controls = Controls(rig.parts, lambda _why: None, watches, Sensing(rig.parts, watches, frozenset()))
    request = {"do": "pause", "us": 60_000_000, "why": "test"}
    return rig.loop.run_until_complete(controls.handle(request, Peer(pid=pid, uid=os.getuid())))


@pytest.fixture
def orphan() -> Iterator[list[int]]:
    pids: list[int] = []
    yield pids
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)


def _start(command: str, pids: list[int]) -> int:
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=True, text=True)
    pids.append(int(done.stdout))
    return pids[-1]


@pytest.mark.parametrize(
    "command",
    [
        "setsid -f sh -c 'echo $$; exec sleep 60 >/dev/null'",
        "(sh -c 'echo $$; exec sleep 60 >/dev/null' &)",
    ],
    ids=["setsid", "double-fork"],
)
def test_a_process_cut_off_from_an_agent_can_not_pause(rig: Rig, orphan: list[int], command: str) -> None:
    assert rig.bash("true") == "silent"
    pid = _start(command, orphan)
    answer = _pause(rig, pid)
    assert "cut off" in str(answer.get("error"))
    assert not rig.parts.state.paused(rig.parts.scribe.now())


def test_a_person_beside_an_agent_can_pause(rig: Rig) -> None:
    assert rig.bash("true") == "silent"
    assert "until" in _pause(rig, os.getpid())


def test_a_process_below_an_agent_can_not_pause(rig: Rig) -> None:
    assert rig.bash("true") == "silent"
    assert "agents cannot" in str(_pause(rig, rig.first.client).get("error"))
    rig.tell("SessionEnd", reason="forged")
    assert "until" not in _pause(rig, rig.first.client)
