"""The sensor as tests have it: compiled here, and telling a daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.daemon.house import SRC, until

from outrider.confine.sensor import build, cannot, lacking, probe
from outrider.daemon import control
from outrider.errors import OutriderError


def built(directory: Path) -> Path:
    """Compile the sensor into a directory; skip, saying why, where that or the kernel cannot have it."""
    if os.geteuid():
        pytest.skip("only root puts programs into the kernel")
    if why := cannot() or lacking():
        pytest.skip(f"no sensor here: {why}")
    out = directory / "outrider-sensor"
    build(out)
    if why := probe(out):
        pytest.skip(f"this kernel takes no sensor: {why}")
    return out


def heard(home):
    """What a daemon says of its sensor; nothing while it says nothing."""
    try:
        return control.ask(home.socket, {"do": "status"}).get("sensor", {})
    except OutriderError:
        return {}


def listen(home, sensor, *words, start=(), program=("-m", "outrider"), env=None):
    """Let the sensor tell the daemon of a home, and wait until it does."""
    running = subprocess.Popen(
        [*start, sys.executable, "-P", *program, "sensor", "run", "--program", str(sensor), *words],
        env={**os.environ, "PYTHONPATH": str(SRC), **(env or {}), "OUTRIDER_HOME": str(home.root)}, cwd="/",
    )  # fmt: skip
    until(lambda: heard(home).get("since") or running.poll() is not None)
    assert running.poll() is None
    return running
