"""What every test stands on: a home of its own, no ambient identity, and property tests that do not race the clock."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from outrider.identity import process

REPO = Path(__file__).resolve().parents[1]

settings.register_profile("here", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Programs that tests start find this checkout, whether or not it is installed.
os.environ["PYTHONPATH"] = os.pathsep.join([str(REPO / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])

# Resolved while HOME is still the user's own; installed clients and compilers' caches live there between runs.
CACHE = Path(os.environ.get("OUTRIDER_TEST_CACHE") or Path.home() / ".cache" / "outrider-tests")
_GO = {"GOCACHE": CACHE / "go-build", "GOMODCACHE": CACHE / "go-mod", "GOENV": Path.home() / ".config" / "go" / "env"}
_KEPT = {"OUTRIDER_TEST_CACHE", "OUTRIDER_CLAUDE"}
_AMBIENT = ("OUTRIDER_", "CLAUDE", "ANTHROPIC_", "AI_AGENT", "GIT_", "AWS_", "XDG_", "SSH_")


@pytest.fixture(scope="session", autouse=True)
def a_standing_of_its_own() -> None:
    """A suite in the background may have outlived the shell that led its session; nobody believes such an orphan."""
    session, above = os.getsid(0), {one.pid for one in process.ancestors(os.getpid())}
    if session not in {0, os.getpid(), *above}:
        with contextlib.suppress(PermissionError):  # It leads a group of processes already, so a person started it.
            os.setsid()


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the real home folder, or acts as whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(_AMBIENT) and name not in _KEPT:
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("OUTRIDER_HOME", str(home / ".outrider"))
    monkeypatch.setenv("OUTRIDER_TEST_CACHE", str(CACHE))
    for name, path in _GO.items():  # Go would look for all three under HOME
        if name not in os.environ:
            monkeypatch.setenv(name, str(path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    return home


@pytest.fixture(scope="session")
def repo() -> Path:
    """The top of this repository."""
    return REPO


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where installed clients and compilers' caches may live between runs, outside the repository."""
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE
