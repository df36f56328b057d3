"""A working day under the coder charter, end to end: read, looked up on disk, judged."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import msgspec
import pytest

from outrider.charter.bound import Bindings, bind
from outrider.charter.floor import floor
from outrider.charter.parse import parse
from outrider.charter.ruling import Context, Ruling, rule
from outrider.charter.shelf import Shelf
from outrider.effects import Place, plan, resolve
from outrider.events.call import Call, PathFact, Want
from outrider.gate.gather import gather

_HERE = Path(__file__)
_spec = importlib.util.spec_from_file_location("effects_everyday", _HERE.with_name("everyday.py"))
everyday = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(everyday)

HOME, REPO = "/home/dev", "/home/dev/proj"
SHELF = Shelf(
    parse(path.read_text(), source=path.name) for path in sorted((_HERE.parents[2] / "charters").glob("*.toml"))
)
BINDINGS = Bindings(
    home=HOME, repo=REPO, groups={"registries": ("packages.example.org",)}, protected=(f"{HOME}/.outrider",)
)
CHAIN = [floor(BINDINGS), *(bind(one, BINDINGS) for one in SHELF.line("coder"))]
PLACE = Place(home=HOME, repo=REPO, cwd=REPO)
WORKING = [*everyday.EVERYDAY.strip().splitlines(), *everyday.SCRIPTS]
DANGEROUS = everyday.DANGEROUS.strip().splitlines()

REFUSED = {
    "git worktree add ../proj-hotfix hotfix": "it writes beside the repository, not in it",
    "xargs -a files.txt -I{} cp {} out/": "which files it copies stands in a file that is not read",
}
"""Everyday lines that are not allowed in silence, and why that is right."""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A home with a repository on a branch of its own, which does not say that it stands below ``/tmp``."""
    root = tmp_path_factory.mktemp("world")
    repo = root / REPO[1:]
    (repo / "src").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "topic", str(repo)], check=True)
    for name in ("src/app.py", "README.md", "package.json", "Makefile"):
        (repo / name).write_text("x\n")
    return root


def facts_of(wants: tuple[Want, ...], root: Path) -> dict[str, PathFact]:
    """Look up what the wants ask for: below the home in the world, elsewhere on this machine."""
    facts: dict[str, PathFact] = {}
    for want in wants:
        if want.path != HOME and not want.path.startswith(f"{HOME}/"):
            facts.update(gather([want]))
            continue
        moved = msgspec.structs.replace(want, path=f"{root}{want.path}")
        fact = gather([moved])[moved.path]
        facts[want.path] = msgspec.structs.replace(fact, path=want.path, real=fact.real.removeprefix(str(root)))
    return facts


def judged(text: str, root: Path) -> Ruling:
    args = {"command": text}
    call = Call(door="claude_code", session="s", call_id="c", tool="shell", name="Bash", args=args, cwd=REPO)
    planned = plan(call, PLACE)
    return rule(CHAIN, resolve(planned, facts_of(planned.wants, root), PLACE), Context())


def test_everyday_lines_are_allowed_under_coder(world):
    assert len(WORKING) >= 120
    refused = {text: ruling for text in WORKING if (ruling := judged(text, world)).verdict != "allow"}
    assert {text: ruling.hits[0].reason for text, ruling in refused.items() if text not in REFUSED} == {}
    assert len(refused) <= 0.03 * len(WORKING)


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_dangerous_line_passes_in_silence_under_coder(text, world):
    assert judged(text, world).verdict in {"deny", "ask", "error"}


def test_there_are_enough_dangerous_lines():
    assert len(DANGEROUS) >= 60
