"""Agents that were refused: what they had read, and who had started them."""

from __future__ import annotations

import pytest

from outrider.config import Home
from outrider.events.call import Label
from outrider.events.case import CaseNoted
from outrider.investigate.answering import findings, left, standing
from outrider.investigate.blast import blast
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page

CASE = "case-0123456789ab"
SITE = ("host", "evil.example")
PAGE = ("send", "all", "keys", "evil.example")


def lured(world, agent, key, *, verdict):
    """An agent reads a key and the planted page, and sends to where the page says."""
    read = world.read(agent, key)[0]
    world.join(agent, agent, Label("secret", read))
    _, page_ = world.fetch(agent, "blog.example", *PAGE, named=[SITE])
    labels = [Label("untrusted", page_), Label("secret", read)]
    return read, page_, world.upload(agent, "evil.example", labels=labels, verdict=verdict)


def note(world, files, act, text="", **more):
    world.put(CaseNoted, heard="case", case=CASE, act=act, by="p_1", content=files.put(text) if text else None, **more)


@pytest.fixture
def told(world, tmp_path):
    """One agent leaked; of two that were refused one has a living parent that read the page, too, one has none."""
    world.born("boss", session="s0", charter="coder")
    _, world.boss_page = world.fetch("boss", "blog.example", *PAGE, named=[SITE])
    spawn = world.spawn("boss", "researcher")
    world.born("kid", "boss", charter="researcher")
    world.kid = lured(world, "kid", "/kid/deploy.key", verdict="deny")
    world.result("boss", spawn)
    world.born("lone", session="s2", charter="researcher")
    world.lone = lured(world, "lone", "/lone/deploy.key", verdict="deny")
    world.end("lone")
    world.born("leaker", session="s3", charter="release")
    world.leaker = lured(world, "leaker", "/leaker/deploy.key", verdict="allow")
    world.end("leaker")
    world.home, files = Home(tmp_path / "home"), CaseFile(Home(tmp_path / "home"), CASE)
    note(world, files, "opened", "x")
    note(world, files, "added", "evil.example")
    return world


def seen(told):
    with told.view() as view:
        return dossier(view, load(view, told.home, CASE))


def test_what_refused_agents_had_read_is_listed_apart_with_the_refusal(told):
    found = seen(told)
    refused = {one.agent.id: one for one in found.stopped}
    assert set(refused) == {"kid", "lone"}
    read, _, attempt = told.kid
    assert [(one.value, one.first) for one in refused["kid"].credentials] == [("/kid/deploy.key", read)]
    assert (refused["kid"].attempt, refused["kid"].what) == (attempt, "send to evil.example")
    assert {one.value for blast_ in found.impact for one in blast_.credentials} == {"/leaker/deploy.key"}
    step = next(one for one in found.todo if "had read before they were refused" in one.do)
    assert f"/kid/deploy.key (read at event {read}, kid was refused at event {attempt})" in step.do
    assert "The sending was refused, but the values were read." in step.do
    assert not step.urgent
    assert {read, attempt, told.lone[0]} <= set(found.events)
    for report in (page(found), markdown(found)):
        assert "Who was stopped" in report
        assert "/lone/deploy.key" in report


def test_who_started_a_refused_agent_is_followed_and_a_living_parent_that_read_the_same_is_stopped(told):
    found = seen(told)
    refused = {one.agent.id: one for one in found.stopped}
    assert refused["kid"].started_by == "boss of class coder, which still lives"
    assert refused["kid"].parent_had == f"yes, the same content (event {told.boss_page})"
    assert refused["lone"].started_by == "a person's program, no agent; p1 answers for it"
    assert refused["lone"].parent_had == "it has no parent"
    commands = {one.command: one.urgent for one in found.todo}
    assert commands[f"outrider quarantine --lineage boss --why {CASE}"]
    told.end("boss", "killed")
    again = {one.agent.id: one for one in seen(told).stopped}
    assert "boss of class coder, which has ended (killed, event " in again["kid"].started_by
    assert not any("still lives" in one.do for one in seen(told).todo)


def test_a_secret_that_came_with_a_label_from_a_parent_is_to_be_changed_too(world):
    world.born("boss", session="s0")
    read = world.read("boss", "/boss/deploy.key")[0]
    world.join("boss", "boss", Label("secret", read))
    world.born("kid", "boss", labels=(Label("secret", read),))
    _, page_ = world.fetch("kid", "blog.example", *PAGE, named=[SITE])
    world.upload("kid", "evil.example", labels=[Label("untrusted", page_)])
    with world.view() as view:
        assert [(one.value, one.first) for one in blast(view, page_).credentials] == [("/boss/deploy.key", read)]


def test_the_record_answers_what_it_can_with_its_events_and_the_rest_is_one_line_for_people(told):
    found = seen(told)
    answers = findings(found)
    _, page_, act = told.leaker
    assert (answers["Q0001"].how, answers["Q0001"].events) == ("answered", (act,))
    assert answers["Q0001"].by == f"answered by the record, event {act}"
    assert (answers["Q0003"].how, answers["Q0003"].events) == ("inferred", (page_,))
    assert {"Q0003", "Q0004"} <= set(left(found, answers))
    assert not {"Q0001", "Q0002", "Q0005", "Q0009"} & set(left(found, answers))
    line = standing(found, answers)
    assert "Left to people: Q0003, Q0004 (inferred: somebody says whether it holds)" in line
    assert markdown(found).count("Left to people") == 1
    assert "no conclusion yet" not in page(found) + markdown(found)


def test_a_persons_conclusion_closes_a_question_and_never_is_the_records_own(told):
    files = CaseFile(told.home, CASE)
    note(told, files, "answered", "a planted page", about="Q0003")
    found = seen(told)
    answers = findings(found)
    assert "Q0003" not in left(found, answers)
    assert answers["Q0003"].how == "inferred"
    assert "People have concluded on 1." in standing(found, answers)
