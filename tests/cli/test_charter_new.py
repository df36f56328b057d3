from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from outrider.charter.parse import parse
from outrider.cli import charter_needs
from outrider.cli.charter_needs import Needs
from outrider.config import Home


def test_a_repository_says_what_its_agents_need(outrider: Run, world: Path, home: Home) -> None:
    (world / "pyproject.toml").write_text("")
    subprocess.run(["git", "remote", "add", "origin", "git@code.example:team/site.git"], cwd=world, check=True)
    done = outrider("charter", "new", "site", "--from-repo", "--json")
    assert done.code == 0
    charter = parse((home.charters / "site.toml").read_text())
    assert done.data["digest"] == charter.digest
    assert charter.may["install"] == ("pypi:known",)
    assert "code.example" in charter.may["connect"]
    assert charter.may["commit"] == ("repo/**",)
    assert "push" not in charter.may
    checked = outrider("charter", "check", "site", "--json").data[0]
    assert checked["errors"] == []
    assert checked["examples"] == 4


def test_an_existing_charter_is_never_written_over(outrider: Run, home: Home) -> None:
    assert outrider("charter", "new", "coder", "--from-repo").code == 2
    assert outrider("charter", "new", "site", "--from-repo").code == 0
    before = (home.charters / "site.toml").read_text()
    assert outrider("charter", "new", "site", "--from-repo").code == 2
    assert (home.charters / "site.toml").read_text() == before


def test_where_nobody_can_answer_nothing_is_asked_and_nothing_written(outrider: Run, home: Home) -> None:
    done = outrider("charter", "new", "site")
    assert done.code == 2
    assert "--from-repo" in done.err
    assert not (home.charters / "site.toml").exists()


def test_a_name_that_is_none_is_refused_before_anything_is_written(outrider: Run, home: Home) -> None:
    for name in ("../site", "Site", "floor"):
        assert outrider("charter", "new", name, "--from-repo").code == 2
    assert not list(home.root.rglob("*ite.toml"))


@pytest.mark.parametrize(
    ("needs", "code"),
    [
        (Needs(what="Reads only.", writes=False, git="nothing"), 0),
        (Needs(what='Says "stop"\n[never]', hosts=("docs.example",), git="branches"), 0),
        (Needs(what="Goes anywhere.", hosts=("*",)), 0),
        (Needs(what="Lives for ever.", life="for ever"), 2),
        (Needs(what="Reaches nothing.", hosts=("a b",)), 2),
    ],
)
def test_what_is_answered_makes_a_charter_that_is_checked_first(
    outrider: Run, home: Home, monkeypatch: pytest.MonkeyPatch, needs: Needs, code: int
) -> None:
    monkeypatch.setattr(charter_needs, "asked", lambda _root: needs)
    assert outrider("charter", "new", "site").code == code
    assert (home.charters / "site.toml").exists() == (code == 0)
    if not code:
        charter = parse((home.charters / "site.toml").read_text())
        assert charter.description == needs.what
        assert ("repo/**" in charter.may["write"]) == needs.writes
        assert ("push" in charter.ask) == (needs.git == "branches")
