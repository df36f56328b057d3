"""Starting, pausing and ending the daemon: real processes, a home of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from tests.cli.conftest import Run

from outrider.cli import reach
from outrider.config import Home
from outrider.events.codec import decode
from outrider.events.record import AnyEvent, LeverPulled
from outrider.identity.process import read
from outrider.ledger.reader import Reader


@pytest.fixture
def up(outrider: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("OUTRIDER_HOME", str(home.root))
    assert outrider("up").code == 0
    yield outrider
    with contextlib.suppress(SystemExit):
        outrider("down")


def test_up_twice_is_one_daemon_and_down_leaves_no_process(up: Run, home: Home) -> None:
    pid = up("up", "--json").data["pid"]
    assert up("up", "--json").data["pid"] == pid
    ended = up("down", "--json").data
    assert ended == {"pid": pid, "ended": True}
    assert read(pid) is None
    assert not home.socket.exists()
    assert up("down", "--json").data["ended"] is False


def test_a_pause_is_recorded_with_its_reason_and_shown_until_it_is_resumed(up: Run, home: Home) -> None:
    paused = up("pause", "10m", "--why", "moving the build by hand", "--json").data
    status = reach.status(home)
    assert status is not None
    assert status["paused_until"] == paused["until"]
    assert "moving the build by hand" in up("status").out
    assert up("resume").code == 0
    status = reach.status(home)
    assert status is not None
    assert status["paused_until"] == 0
    up("down")
    events: list[AnyEvent] = [decode(entry.leaf) for entry in Reader(home.record).entries()]
    assert [(e.lever, e.why) for e in events if isinstance(e, LeverPulled)] == [
        ("pause", "moving the build by hand"),
        ("resume", ""),
    ]


@pytest.mark.parametrize("words", [("pause", "10m"), ("pause", "soon", "--why", "x"), ("pause", "2d", "--why", "x")])
def test_a_pause_without_reason_or_length_is_bad_usage(outrider: Run, words: tuple[str, ...]) -> None:
    assert outrider(*words).code == 2


def test_a_pause_needs_a_daemon_and_says_how_to_start_one(outrider: Run) -> None:
    done = outrider("pause", "1m", "--why", "x")
    assert done.code == 7
    assert "outrider up" in done.err
