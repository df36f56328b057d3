from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.daemon.house import PYTHON_CLIENT, SRC, House


@pytest.fixture(scope="session")
def native(tmp_path_factory):
    """The native hook client."""
    compiler = shutil.which("musl-gcc") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    out = tmp_path_factory.mktemp("native") / "outrider-hook"
    subprocess.run(
        [compiler, "-std=c99", "-Os", str(SRC / "outrider" / "hook" / "client.c"), "-o", str(out)], check=True
    )
    return [str(out)]


@pytest.fixture(params=["native", "python"])
def client(request):
    """Both hook clients."""
    return request.getfixturevalue("native") if request.param == "native" else PYTHON_CLIENT


@pytest.fixture
def house():
    """A house with nothing running. Its path is short: a UNIX socket's name holds about a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        yield one
        one.close()


@pytest.fixture
def running(house):
    """A house with its daemon."""
    house.start()
    return house
