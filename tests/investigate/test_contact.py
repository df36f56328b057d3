"""Whom to ask: as the nearest charter says, else the host; in the report, `involved` and `why`."""

from __future__ import annotations

import pytest

from outrider.charter.model import Charter
from outrider.config import Home
from outrider.events.case import CaseNoted
from outrider.events.record import CharterLoaded
from outrider.investigate.answer import answer
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.contact import contact_of
from outrider.investigate.dossier import dossier
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page
from outrider.investigate.why import why
from outrider.store import reading

CASE = "case-0123456789ab"
TEAM = "Release team <release@shipyard.example>"


def charter(world, name, **more):
    made = Charter(name=name, **more)
    world.put(
        CharterLoaded, heard="daemon", name=name, digest=made.digest, signer="", groups={},
        source=made.canonical().decode(),
    )  # fmt: skip
    return made.digest


@pytest.fixture
def asked(world):
    """An agent whose charter names nobody, under a base that does, and one of a charter that names its own."""
    base = charter(world, "base", contact="Base owners")
    bare = charter(world, "coder", extends="base")
    own = charter(world, "release", extends="base", contact=TEAM)
    world.born("child", digest=bare, chain=(bare, base))
    world.born("own", session="s2", digest=own, chain=(own, base), charter="release")
    world.born("none", session="s3")
    world.sent = world.upload("own", "evil.example")
    return world


def test_the_nearest_charter_that_names_somebody_counts_and_else_the_host(asked):
    with asked.view() as view:
        named = {name: contact_of(view, reading.agent(view, name), "Host owner") for name in ("child", "own", "none")}
        assert named == {"child": "Base owners", "own": TEAM, "none": "Host owner"}
        assert contact_of(view, None) == ""
        assert contact_of(view, reading.unknown("x")) == ""


def test_involved_why_and_a_report_name_whom_to_ask(asked, tmp_path):
    home, files = Home(tmp_path / "home"), CaseFile(Home(tmp_path / "home"), CASE)
    asked.put(CaseNoted, heard="case", case=CASE, act="opened", by="p_1", content=files.put("x"))
    asked.put(CaseNoted, heard="case", case=CASE, act="added", by="p_1", content=files.put("evil.example"))
    with asked.view() as view:
        assert answer(view, "evil.example", contact="Host owner").agents[0].contact == TEAM
        assert why(view, asked.sent).contact == TEAM
        told = dossier(view, load(view, home, CASE))
    assert told.contacts == {"own": TEAM}
    assert "Whom to ask about it: Release team &lt;release@shipyard.example&gt;." in page(told)
    assert "Whom to ask about it: Release team \\<release\\@shipyard.example\\>." in markdown(told)
    assert any(f"Whom to ask: {TEAM}." in step.do for step in told.todo)


def test_that_nobody_is_named_is_said_with_how_to_name_somebody(world, tmp_path):
    home, files = Home(tmp_path / "home"), CaseFile(Home(tmp_path / "home"), CASE)
    world.born("a")
    world.upload("a", "evil.example")
    world.put(CaseNoted, heard="case", case=CASE, act="opened", by="p_1", content=files.put("x"))
    world.put(CaseNoted, heard="case", case=CASE, act="added", by="p_1", content=files.put("evil.example"))
    with world.view() as view:
        told = dossier(view, load(view, home, CASE))
        assert any("Nobody is named whom to ask: a charter can (contact)" in step.do for step in told.todo)
        assert dossier(view, load(view, home, CASE), contact="Host owner").contacts == {"a": "Host owner"}
