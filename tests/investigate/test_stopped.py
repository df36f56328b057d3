"""Agents that were refused: what they had read, and who had started them."""

from __future__ import annotations

import msgspec
import pytest

from outrider.config import Home
from outrider.events.call import Label
from outrider.events.case import CaseNoted
from outrider.events.record import RecordGap
from outrider.investigate.answering import findings, left, standing
from outrider.investigate.blast import blast
from outrider.investigate.case import load
from outrider.investigate.casefile import CaseFile
from outrider.investigate.dossier import dossier
from outrider.investigate.glance import glance
from outrider.investigate.markdown import markdown
from outrider.investigate.report import page
from outrider.investigate.telling import banner, brief, summary
from outrider.investigate.words import tail

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
    return leaked(world, tmp_path)


def leaked(world, tmp_path):
    """A leak that went through, and a case about where it went."""
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
    step = next(one for one in found.todo if "only agents had read which were refused" in one.do)
    assert f"/kid/deploy.key (read at event {read}; kid was refused at event {attempt})" in step.do
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


@pytest.fixture
def spread(world, tmp_path):
    """A child read the page, its report tainted its parent, and a second child was born with that and was refused."""
    world.born("root", session="s0", charter="ops")
    first_spawn = world.spawn("root", "researcher")
    world.born("reader", "root", charter="researcher")
    earlier = world.fetch("reader", "docs.example", "other")[1]
    _, page_ = world.fetch("reader", "blog.example", *PAGE, named=[SITE])
    world.page = page_
    world.taint = Label("untrusted", earlier)  # Few origins are kept of a label: the page's own is not among them.
    world.key = world.read("reader", "/ops/deploy.key")[0]
    world.hidden = Label("secret", world.key)
    world.end("reader")
    world.joined = world.join("root", "reader", world.taint, world.hidden)
    world.result("root", first_spawn)
    world.second_birth = world.born("second", "root", charter="researcher", labels=(world.taint, world.hidden))
    world.docs = world.upload("second", "docs.example", labels=[world.taint], verdict="deny")
    world.docs_again = world.upload("second", "docs.example", labels=[world.taint], verdict="deny")
    world.attempt = world.upload("second", "evil.example", labels=[world.taint], verdict="deny")
    return leaked(world, tmp_path)


def test_a_taint_that_came_through_a_parent_from_another_child_is_followed_back_to_who_read_it(spread):
    found = seen(spread)
    (one,) = found.stopped
    assert (one.parent_read, one.parent_event, one.parent_label) == ("took it over", spread.joined, "untrusted")
    assert [(hop.agent, hop.by, hop.source) for hop in one.parent_way] == [
        ("root", "report", "reader"), ("reader", "content", ""),
    ]  # fmt: skip
    words = (
        f"not by itself, but its context carries a label of it (untrusted): it took it over from reader (event"
        f" {spread.joined}), which had met the same content (event {spread.page}); second was born with it (event"
        f" {spread.second_birth})"
    )
    assert one.parent_had == words
    assert {spread.joined, spread.page, spread.second_birth} <= set(found.events)
    assert "Had that one read the same? Not by itself, but its context carries a label of it" in markdown(found)
    urgent = {step.command: step.urgent for step in found.todo}
    assert urgent[f"outrider quarantine --lineage root --why {CASE}"]


def test_what_a_parent_took_over_from_the_refused_agent_itself_is_said_too(world, tmp_path):
    world.born("boss", session="s0", charter="ops")
    world.born("kid", "boss", charter="researcher")
    _, page_, _ = lured(world, "kid", "/kid/deploy.key", verdict="deny")
    joined = world.join("boss", "kid", Label("untrusted", page_))
    world.born("leaker", session="s3", charter="release")
    lured(world, "leaker", "/leaker/deploy.key", verdict="allow")
    world.home, files = Home(tmp_path / "home"), CaseFile(Home(tmp_path / "home"), CASE)
    note(world, files, "opened", "x")
    note(world, files, "added", "evil.example")
    (one,) = seen(world).stopped
    assert one.parent_read == "took it over"
    assert one.parent_had.endswith(
        f"it took it over from kid (event {joined}), which had met the same content (event {page_})"
    )


def test_a_label_that_nothing_ties_to_the_content_is_said_to_be_no_more_than_that(spread):
    spread.born("other", session="s9", charter="ops")
    key = Label("secret", spread.read("other", "/other/deploy.key")[0])
    spread.born("third", "other", charter="researcher", labels=(key,))
    spread.born("fourth", "third", charter="researcher", labels=(key,))
    spread.upload("fourth", "evil.example", labels=[key], verdict="deny")
    found = {one.agent.id: one for one in seen(spread).stopped}
    assert found["fourth"].parent_read == "carries its label"
    assert found["fourth"].parent_had.startswith(
        "it is not known to have read the same, but its context carries a label of it (secret): it was born with it"
    )
    commands = {step.command for step in seen(spread).todo}
    assert "outrider touched third" in commands
    assert f"outrider quarantine --lineage third --why {CASE}" not in commands


def test_every_refusal_of_an_agent_is_told_and_the_one_on_the_artefact_comes_first(spread):
    found = seen(spread)
    (one,) = found.stopped
    assert (one.attempt, one.what) == (spread.attempt, "send to evil.example")
    assert [try_.event for try_ in one.attempts] == [spread.docs, spread.docs_again, spread.attempt]
    for report in (page(found), markdown(found)):
        assert f"Send to evil.example was refused (event {spread.attempt}). Refused as well: " in report
        assert f"(events {spread.docs}, {spread.docs_again})" in report


def test_refused_agents_stand_in_what_happened_with_what_they_read_and_tried(spread):
    found = seen(spread)
    why = {moment.line.n: (moment.line.agent, moment.why) for moment in found.moments}
    for event in (spread.docs, spread.docs_again, spread.attempt):
        assert why[event] == ("second", "refused")
    assert why[spread.second_birth] == ("second", "birth")
    assert why[spread.key] == ("reader", "label")
    assert why[spread.joined] == ("root", "label")
    assert "researcher second" in markdown(found).partition("## What happened")[2].partition("## Why")[0]


def test_a_credential_counts_once_by_its_value_wherever_the_report_counts(told):
    """The leaker's key was read by a refused agent, too: it is one to change, and not a second one."""
    told.born("late", session="s5", charter="researcher")
    lured(told, "late", "/leaker/deploy.key", verdict="deny")
    told.born("later", session="s6", charter="researcher")
    lured(told, "later", "/kid/deploy.key", verdict="deny")
    found = seen(told)
    assert [(one.value, one.refused) for one in found.due] == [
        ("/leaker/deploy.key", False), ("/kid/deploy.key", True), ("/lone/deploy.key", True),
    ]  # fmt: skip
    counted = "3 (2 read only by agents that were refused, 1 by agents that came under it)"
    assert dict(glance(found))["credentials to change"].startswith(counted)
    assert findings(found)["Q0007"].text.startswith(counted)
    steps = [one.do for one in found.todo if one.do.startswith("Change the ")]
    assert [step[:60] for step in steps if "/leaker/deploy.key" in step] == [steps[0][:60]]
    assert "Change the 2 credentials that only agents had read which were refused: " in steps[1]
    assert steps[1].count("/kid/deploy.key") == 1
    for report in (page(found), markdown(found)):
        assert counted in report
        assert "credentials that those had read" not in report


def test_the_events_that_say_what_is_missing_are_among_those_that_leave(told):
    gap = told.put(RecordGap, heard="daemon", what="spool", count=1, answered="deny", detail="pid 7: no daemon")
    found = seen(told)
    assert f"event {gap}" in markdown(found)
    assert gap in found.events


def test_how_a_value_is_known_to_have_gone_out_is_said_to_whoever_holds_the_bundle_and_the_record(told):
    read, _, act = told.leaker
    found = msgspec.structs.replace(seen(told), carried={act: read + 1})
    text = " ".join(summary(found))
    assert "a bundle of the case alone does not show it" in text
    assert f"`outrider export --events {read + 1},{act} --besides` hands them over" in text


def test_a_record_that_says_it_was_played_has_a_banner_and_no_other_one(told):
    found = seen(told)
    assert banner(found) == ""
    played = msgspec.structs.replace(found, log="outrider.demo/ab12")
    for report in (page(played), markdown(played)):
        assert "A demonstration, and no incident" in report
    assert "no incident" not in page(found) + markdown(found)


def test_tables_name_agents_by_the_ends_of_their_ids_and_the_lineage_has_them_whole(told):
    name = "ag_01M8FWPZ89FEZAZR0CR0P595AZ"
    assert brief(seen(told), f"ops born of {name}") == f"ops born of {tail(name)}"
    assert brief(seen(told), f"x{name}y") == f"x{name}y"
