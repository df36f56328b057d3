from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.confine.cell import Cell
from tests.confine.sensed import built
from tests.daemon.house import SRC


@pytest.fixture(scope="session")
def launcher(tmp_path_factory):
    """The native launcher."""
    compiler = shutil.which("musl-gcc") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    out = tmp_path_factory.mktemp("native") / "outrider-run"
    sources = [str(SRC / "outrider" / "confine" / name) for name in ("launch.c", "apply.c", "pass.c", "watch.c")]
    subprocess.run([compiler, "-std=c99", "-Os", "-Wall", "-Wextra", "-Werror", *sources, "-o", str(out)], check=True)
    return [str(out)]


@pytest.fixture(scope="session")
def kernel(launcher):
    """What this kernel offers, as the launcher finds it."""
    said = subprocess.run([*launcher, "--probe"], capture_output=True, text=True, check=True).stdout
    return {key: int(value) for key, value in (word.split("=") for word in said.split())}


@pytest.fixture(params=["own", "shared"])
def view(request, kernel):
    """Both ways of being held: with a file system and a network of its own, and by rules alone."""
    if kernel["landlock"] < 6:
        pytest.skip(f"this kernel has Landlock {kernel['landlock']}, and these tests need 6")
    if not kernel["seccomp"]:
        pytest.skip("this kernel filters no system calls")
    if request.param == "own" and not kernel["namespaces"]:
        pytest.skip("this system gives users no namespaces")
    return request.param


@pytest.fixture
def cell(launcher, view):
    """A house with its daemon, in which commands are run as agents."""
    with tempfile.TemporaryDirectory(prefix="orc", dir=_short(), ignore_cleanup_errors=True) as name:
        one = Cell(Path(name), launcher, view)
        one.start()
        yield one
        one.close()


@pytest.fixture(scope="session")
def sensor(tmp_path_factory):
    """The sensor, compiled here; this kernel takes it."""
    return built(tmp_path_factory.mktemp("sensor"))


def _short() -> str:
    """A directory that charters know nothing of: what is in /tmp is an agent's where it has no view of its own."""
    top = Path(os.environ.get("OUTRIDER_TEST_CACHE") or Path.home() / ".cache") / "w"
    top.mkdir(parents=True, exist_ok=True)
    return str(top)
