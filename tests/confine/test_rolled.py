"""A charter that is rolled while an agent of ``outrider run`` lives: its rules follow at once, its sandbox does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from tests.confine.test_egress import WEB, server
from tests.daemon.house import SRC, until

STEPS = """
import os, sys, time, urllib.request
os.environ.update(no_proxy="", NO_PROXY="")
for step in ("one", "two", "three"):
    while not os.path.exists(f"go-{step}"):
        time.sleep(0.01)
    try:
        said = urllib.request.urlopen(sys.argv[1], timeout=20).read().decode()
    except OSError as error:
        said = f"refused {getattr(error, 'code', error)}"
    with open(f"{step}.part", "w") as file:
        file.write(said)
    os.rename(f"{step}.part", step)
"""


def outrider(cell, *words):
    done = subprocess.run(
        [sys.executable, "-m", "outrider", *words], cwd=cell.repo, env=cell.environment(PYTHONPATH=str(SRC)),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def step(cell, name):
    (cell.repo / f"go-{name}").touch()
    until((cell.repo / name).exists)
    return (cell.repo / name).read_text()


def test_a_roll_changes_the_rules_at_once_and_says_that_the_sandbox_stays(cell):
    if cell.view == "shared":
        pytest.skip("without a network of its own no host can be reached")
    charter = cell.home.charters / "web.toml"

    async def story():
        there, port = await server([])
        charter.write_text(WEB.replace("PORT", str(port)))
        await asyncio.to_thread(until, lambda: "web" in cell.status()["charters"])
        cell.begin(sys.executable, "-S", "-c", STEPS, f"http://127.0.0.1:{port}/", charter="web")
        found = [await asyncio.to_thread(step, cell, "one")]
        charter.write_text(WEB.replace("PORT", "1").replace('write = ["repo/**"', 'write = ["repo/docs/**"'))
        found.append(await asyncio.to_thread(step, cell, "two"))
        assert cell.status()["outgrown"] == []
        told = await asyncio.to_thread(outrider, cell, "charter", "roll", "web")
        found.append(await asyncio.to_thread(step, cell, "three"))
        there.close()
        return found, told

    found, told = asyncio.run(story())
    # Written by the third step to a place that the new version does not grant: the kernel goes by the old one.
    assert found == ["ok", "ok", "refused 403"]
    assert "restart to change that" in told


def test_status_and_agents_name_those_whose_sandbox_is_of_an_older_version(cell):
    charter = cell.home.charters / "web.toml"
    charter.write_text(WEB.replace("PORT", "1"))
    until(lambda: "web" in cell.status()["charters"])
    cell.begin("sh", "-c", "echo up > up; exec sleep 600", charter="web")
    until((cell.repo / "up").exists)
    charter.write_text(WEB.replace("PORT", "2"))
    assert "older sandbox" not in outrider(cell, "agents")
    outrider(cell, "charter", "roll", "web")
    assert cell.status()["outgrown"] == [cell.births()[0].agent]
    assert "alive, older sandbox" in outrider(cell, "agents")
    assert "1 living agents are held by the kernel to an older version" in " ".join(outrider(cell, "status").split())
    observed = outrider(cell, "observe", "--charter", "web", "--for", "1h", "--why", "to see")
    assert "what the kernel holds it holds on" in observed
    charter.write_text(WEB.replace("PORT", "1"))
    outrider(cell, "charter", "roll", "web")
    assert cell.status()["outgrown"] == []
