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


def test_a_quarantine_is_red_in_the_status_with_how_to_release_it(up: Run) -> None:
    rehearsed = up("quarantine", "--charter", "coder", "--dry-run")
    assert "It would stop 0 living agents of charter coder. Nothing was done." in rehearsed.out
    done = up("quarantine", "--charter", "coder", "--why", "the image is poisoned")
    assert done.code == 0
    assert "outrider release --charter coder" in done.err
    shown = up("status").out
    assert "QUARANTINE: charter coder since" in shown
    assert "the image is poisoned" in shown
    assert "outrider release --charter coder" in shown
    assert up("release", "--charter", "coder").code == 0
    assert "QUARANTINE" not in up("status").out


def test_every_lever_tells_programs_what_it_did(up: Run) -> None:
    observed = up("observe", "--charter", "coder", "--for", "10m", "--json").data
    assert observed["scope"] == "charter:coder"
    assert observed["until"] > 0
    revoked = up("revoke", "--charter", "reviewer", "--json").data
    assert (revoked["living"], revoked["ended"]) == (0, 0)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("quarantine",), 2, "one thing at a time"),
        (("quarantine", "--charter", "a", "--agent", "b"), 2, "one thing at a time"),
        (("quarantine", "--charter", "codre"), 2, "Did you mean coder?"),
        (("observe", "--charter", "coder", "--for", "2d"), 2, "such as 10m"),
        (("release", "--charter", "coder"), 2, "nothing is in force"),
    ],
)
def test_a_lever_that_cannot_be_pulled_says_why(up: Run, words: tuple[str, ...], code: int, said: str) -> None:
    done = up(*words)
    assert done.code == code
    assert said in done.err
