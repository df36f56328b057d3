"""Other agent hosts under ``outrider run``, each driven by a fake model: they work, and the kernel holds them.

They need no hooks of ours. The harness that sets them up and speaks their models' protocols lies beside the repository.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.real.claude_code import World
from tests.real.rider import Rider

from outrider.confine.find import NATIVE
from outrider.events.record import AgentEnded

pytestmark = pytest.mark.real

HARNESS = Path(__file__).resolve().parents[3] / "shared" / "harness"
HOSTS = ("codex", "gemini", "qwen", "copilot", "opencode", "cline")
ASKED = "touch RAN; cat ~/.ssh/id_ed25519; touch ~/outside; echo x > .git/hooks/pre-commit; true"
INSIDE = "touch RAN; echo x > .git/hooks/pre-commit; true"
"""For a host that asks its own user about paths outside of the repository, and gets no answer."""


@pytest.fixture
def drive(cache: Path, free_port: int) -> Any:
    """The harness, on a free port."""
    if not (HARNESS / "drive.py").exists():
        pytest.skip("the harness is not there: ../shared/harness")
    spec = importlib.util.spec_from_file_location("drive", HARNESS / "drive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.AGENTS = str(cache / "agents")
    module.PORT = free_port
    return module


def command_of(drive: Any, world: World, host: str, env: dict[str, str], argv: list[str]) -> list[str]:
    """Return the host's own command line, after whatever it must have done once before it is started so."""
    project = world.root / "proj"
    if host == "cline":  # Its model is set up by a command of its own.
        url = f"http://127.0.0.1:{drive.PORT}/v1"
        words = [argv[3], "auth", "-p", "openai", "-k", "fake", "-m", "fake-model", "-b", url]
        subprocess.run(words, env=env, cwd=project, capture_output=True, timeout=60, check=True)
        return [argv[3], "--json", "hi please"]
    if host == "opencode":  # Its first start writes to its own settings, which nobody does under a charter.
        subprocess.run([argv[0], "models"], env=env, cwd=project, capture_output=True, timeout=60, check=True)
    return argv


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_works_under_run_and_is_held(host: str, drive: Any, world: World, rider: Rider) -> None:
    if not NATIVE.exists():
        pytest.skip("this installation has no launcher: no C compiler was there")
    if not Path(drive.binary(host)).exists():
        pytest.skip(f"{host} is not installed: npm i --prefix CACHE/agents {drive.PKGS[host]}")
    project, key = world.root / "proj", world.home / ".ssh" / "id_ed25519"
    project.mkdir()
    key.parent.mkdir()
    key.write_text("a-private-key\n")
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    name, arguments = drive.TOOL[host]
    asked = INSIDE if host == "opencode" else ASKED
    steps = [{"tools": [{"name": name, "input": arguments(asked)}]}, {"text": "done"}]
    (world.root / "script.json").write_text(json.dumps({"main": steps}))
    env, argv = drive.setup(host, str(world.root), None)
    env = {**rider.environment(), **env}
    lent = [f"127.0.0.1:{drive.PORT}", *(f"env:{one}" for one in env if one.endswith("_KEY"))]
    words = [word for one in lent for word in ("--lend", one)]
    fake = [sys.executable, str(HARNESS / "fake_model.py"), str(drive.PORT), str(world.root / "script.json")]
    rider.start()
    with subprocess.Popen([*fake, str(world.root / "asked.jsonl")], stderr=subprocess.DEVNULL) as model:
        try:
            argv = command_of(drive, world, host, env, argv)
            done = subprocess.run(
                [sys.executable, "-m", "outrider", "run", "--charter", "coder", *words, "--", *argv],
                cwd=project, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                check=False,
            )  # fmt: skip
        finally:
            model.terminate()
    assert (project / "RAN").exists(), done
    assert "a-private-key" not in (world.root / "asked.jsonl").read_text() + done.stdout
    assert not (world.home / "outside").exists()
    assert not (project / ".git" / "hooks" / "pre-commit").exists()
    [born], [ended] = rider.births(), rider.events(AgentEnded)
    assert (born.how, ended.agent, ended.detail) == ("run", born.agent, f"exit status {done.returncode}")
    assert born.held is not None
    assert born.held.whole
