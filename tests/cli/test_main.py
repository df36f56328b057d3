"""Which command lines become the launcher at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider import __main__ as start


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home in which a daemon has its socket, and a launcher."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "daemon.sock").touch()
    native = tmp_path / "outrider-run"
    native.write_text("")
    native.chmod(0o755)
    monkeypatch.setattr(start, "_LAUNCHER", str(native))
    return str(tmp_path)


def test_a_plain_run_becomes_the_launcher_with_its_own_words(ready: str) -> None:
    words = ["--charter", "coder", "--verbose", "--", "make", "--help", "A=b"]
    assert start.launch(["run", *words], ready)[1:] == words


@pytest.mark.parametrize(
    "text",
    [
        "run --charter coder --help -- make", "run --charter=coder -- make", "run --charter coder make", "run -- make",
        "status --charter coder -- x", "run", "", "--help",
    ],
)  # fmt: skip
def test_everything_else_is_read_by_the_whole_command_line(ready: str, text: str) -> None:
    assert start.launch(text.split(), ready) == []


def test_without_a_daemon_or_a_launcher_nothing_is_skipped(
    ready: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", "--charter", "coder", "--", "make"]
    assert start.launch(words, f"{ready}/elsewhere") == []
    monkeypatch.setattr(start, "_LAUNCHER", str(tmp_path / "none"))
    assert start.launch(words, ready) == []
