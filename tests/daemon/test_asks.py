"""Questions on a real daemon, asked through the real hook client and answered by a person: never by an agent."""

from __future__ import annotations

import grp
import json
import os
import pwd
import sys

import pytest
from tests.daemon.house import PYTHON_CLIENT, until

from outrider.events.record import AskAnswered, AskTimedOut, CallDecided

_ASK = """
import json, sys
from pathlib import Path
from outrider.daemon.control import ask
print(json.dumps(ask(Path(sys.argv[1]), json.loads(sys.argv[2]))))
"""
CHARTER = """
[charter]
name = "asker"
extends = "coder"

[may]
read = ["**"]
write = ["repo/**"]
exec = ["*"]
connect = ["*"]
push = ["origin/*"]
opaque = "ask"

[ask]
by = "outrider"
within = "{within}"
{more}
"""
PUSH = "git push origin main"


@pytest.fixture
def asking(house):
    """A house whose charter lets Outrider ask, and its daemon."""
    return asking_in(house)


def asking_in(house, within="30m", more=""):
    (house.home.charters / "asker.toml").write_text(CHARTER.format(within=within, more=more))
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "asker"\n')
    house.start()
    return house


def waiting(house, **more):
    return house.control(do="asks", **more)["asks"]


def answer(house, question, *, yes=True, **more):
    return house.control(do="answer", question=question, yes=yes, **more)


def from_agent(house, host, **request):
    said = host.run([sys.executable, "-c", _ASK, str(house.home.socket), json.dumps(request)])[0]
    return json.loads(said.out or said.err)


def test_a_call_waits_until_a_person_says_yes_and_then_passes_once(house, client):
    asking = asking_in(house)
    host = asking.host(client)
    asked = host.bash(PUSH)
    assert asked.verdict == "deny"
    [one] = waiting(asking)
    assert f"outrider answer {one['question']} yes" in asked.reason
    assert one["what"] == ["pushing to origin/main"]
    assert asking.status()["asks"] == 1
    assert answer(asking, one["question"], why="release day")["yes"] is True
    assert asking.status()["asks"] == 0
    passed = host.bash(PUSH, call="c2")
    assert passed.verdict == "silent"
    assert "answered question" in passed.reason
    assert host.bash(PUSH, call="c3").verdict == "deny"
    decided = asking.events(CallDecided)
    assert [(event.decision.verdict, event.decision.enforced) for event in decided] == [
        ("ask", "deny"), ("ask", "allow"), ("ask", "deny"),
    ]  # fmt: skip
    [given] = asking.events(AskAnswered)
    assert given.answer.by.startswith("p_")
    assert given.answer.why == "release day"
    assert decided[1].asked.answer == given.n
    assert waiting(asking)[0]["question"] == decided[2].n


def test_a_person_sees_what_they_answer_and_an_agent_does_not_see_anothers(asking):
    host, other = asking.host(), asking.host()
    host.bash(f"{PUSH} -o topic=launch")
    other.bash("git status")
    [one] = waiting(asking)
    assert one["call"] == f"{PUSH} -o topic=launch"
    assert from_agent(asking, other, do="asks")["asks"][0]["call"] == ""
    asking.kill(asking.pid)
    asking.start()
    assert waiting(asking)[0]["call"] == ""


def test_a_call_that_is_made_again_before_the_answer_asks_nothing_new(asking):
    host = asking.host()
    for call in ("c1", "c2", "c3"):
        assert host.bash(PUSH, call=call).verdict == "deny"
    assert len(waiting(asking)) == 1


def test_a_no_is_told_with_its_reason(asking):
    host = asking.host()
    host.bash(PUSH)
    answer(asking, waiting(asking)[0]["question"], yes=False, why="wait for the review")
    refused = host.bash(PUSH)
    assert refused.verdict == "deny"
    assert "wait for the review" in refused.reason
    assert asking.events(CallDecided)[-1].decision.verdict == "deny"


def test_a_yes_for_the_agent_lets_it_do_the_same_again_and_no_other_agent(asking):
    host, other = asking.host(), asking.host()
    host.bash(PUSH)
    other.bash(PUSH)
    mine = waiting(asking)[0]
    answer(asking, mine["question"], reach="agent")
    for command in (PUSH, "git -c color.ui=never push origin main", PUSH):
        assert host.bash(command).verdict == "silent"
    assert host.bash("git push origin master").verdict == "deny"
    assert host.bash("git push --force origin main").verdict == "deny"
    assert other.bash(PUSH).verdict == "deny"


def test_answers_and_questions_outlive_a_crash_of_the_daemon(asking):
    host = asking.host()
    host.bash(PUSH)
    asking.kill(asking.pid)
    asking.start()
    [one] = waiting(asking)
    answer(asking, one["question"])
    asking.kill(asking.pid)
    asking.start()
    assert host.bash(PUSH, call="c2").verdict == "silent"
    asking.kill(asking.pid)
    asking.start()
    assert host.bash(PUSH, call="c3").verdict == "deny"


def test_an_agent_cannot_answer_its_own_question_nor_anybody_elses(asking):
    host, other = asking.host(), asking.host()
    host.bash(PUSH)
    other.bash("git status")
    [one] = waiting(asking)
    for asks in (host, other):
        told = from_agent(asking, asks, do="answer", question=one["question"], yes=True)
        assert "agents cannot change their guard" in told["error"]
    assert asking.events(AskAnswered) == []
    assert host.bash(PUSH).verdict == "deny"


def test_a_proposed_change_of_the_charter_lets_nothing_through(asking):
    host = asking.host()
    host.bash(PUSH)
    [one] = waiting(asking)
    told = answer(asking, one["question"], reach="charter")
    assert told["instead"] == ['remove "origin/main" from [ask] push of charter coder']
    assert host.bash(PUSH).verdict == "deny"
    assert waiting(asking)[0]["question"] == one["question"]


def test_nothing_that_is_refused_becomes_a_question(asking):
    host = asking.host()
    assert host.bash("git push origin main && cat ~/.aws/credentials").verdict == "deny"
    assert waiting(asking) == []
    assert "no question" in answer(asking, asking.events(CallDecided)[-1].n)["error"]


def test_a_quarantine_stands_above_an_answer(asking):
    host = asking.host()
    host.bash(PUSH)
    answer(asking, waiting(asking)[0]["question"])
    asking.control(do="lever", lever="quarantine", kind="charter", value="asker")
    assert "quarantine" in host.bash(PUSH).reason
    asking.control(do="lever", lever="release", kind="charter", value="asker")
    assert host.bash(PUSH).verdict == "silent"


def test_the_host_asks_where_it_can_and_a_question_is_over_once_its_call_has_run(running):
    host = running.host()
    asked = host.bash(PUSH)
    assert asked.verdict == "ask"
    [one] = waiting(running)
    assert one["by"] == "host"
    fields = {"tool_name": "Bash", "tool_input": {"command": PUSH}, "tool_use_id": "c1", "tool_response": "done"}
    host.hook("PostToolUse", **fields)
    assert waiting(running) == []


def test_where_the_host_asks_nobody_the_call_waits_for_the_answer(running):
    host = running.host(PYTHON_CLIENT)
    fields = {"tool_name": "Bash", "tool_input": {"command": PUSH}, "permission_mode": "dontAsk"}
    assert host.hook("PreToolUse", tool_use_id="c1", **fields).verdict == "deny"
    [one] = waiting(running)
    assert one["by"] == "outrider"
    answer(running, one["question"])
    assert host.hook("PreToolUse", tool_use_id="c2", **fields).verdict == "silent"
    assert host.hook("PermissionRequest", tool_use_id="c2", **fields).verdict == "silent"


def test_the_permission_prompt_of_a_call_that_was_let_through_is_not_a_second_question(asking):
    host = asking.host()
    host.bash(PUSH)
    answer(asking, waiting(asking)[0]["question"])
    assert host.bash(PUSH, call="c2").verdict == "silent"
    fields = {"tool_name": "Bash", "tool_input": {"command": PUSH}}
    assert host.hook("PermissionRequest", tool_use_id="c2", **fields).verdict == "silent"
    assert host.hook("PermissionRequest", tool_use_id="c3", **fields).verdict == "deny"


def test_a_question_that_nobody_answers_in_time_is_an_event_and_a_no(house):
    asking = asking_in(house, "1s")
    host = asking.host()
    host.bash(PUSH)
    [asked] = asking.events(CallDecided)
    [over] = until(lambda: asking.events(AskTimedOut))
    assert (over.question, over.unused, over.agent) == (asked.n, -1, asked.agent)
    assert waiting(asking) == []
    assert "over" in answer(asking, asked.n)["error"]
    assert host.bash(PUSH, call="c2").verdict == "deny"
    assert asking.events(CallDecided)[-1].asked.question == -1


def test_a_yes_that_is_not_used_in_time_ends_as_an_event(house):
    asking = asking_in(house, "2s")
    host = asking.host()
    host.bash(PUSH)
    answer(asking, waiting(asking)[0]["question"])
    [over] = until(lambda: asking.events(AskTimedOut))
    assert over.unused == asking.events(AskAnswered)[0].n
    assert host.bash(PUSH, call="c2").verdict == "deny"


ME = pwd.getpwuid(os.getuid()).pw_name
MINE = grp.getgrgid(pwd.getpwuid(os.getuid()).pw_gid).gr_name


@pytest.mark.parametrize(("approvers", "may"), [(ME, True), (f"group:{MINE}", True), ("somebody-else", False)])
def test_who_may_answer_is_what_the_charter_says(house, approvers, may):
    asking = asking_in(house, more=f'approvers = ["the-lead", "{approvers}"]')
    host = asking.host()
    host.bash(PUSH)
    [one] = waiting(asking)
    assert one["for"] == f"the-lead or {approvers}"
    told = answer(asking, one["question"])
    if not may:
        assert f"for the-lead or {approvers} to answer, and you are {ME}" in told["error"]
        assert asking.events(AskAnswered) == []
    assert host.bash(PUSH, call="c2").verdict == ("silent" if may else "deny")


def test_who_answers_stands_in_the_list_of_every_charter_above(house):
    above = CHARTER.format(within="1h", more='approvers = ["somebody-else"]').replace('"asker"', '"above"')
    (house.home.charters / "above.toml").write_text(above)
    mine = CHARTER.format(within="1h", more=f'approvers = ["{ME}"]').replace('"coder"', '"above"')
    (house.home.charters / "asker.toml").write_text(mine)
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "asker"\n')
    house.start()
    host = house.host()
    host.bash(PUSH)
    [one] = waiting(house)
    assert one["for"] == f"({ME}) and (somebody-else)"
    assert "and you are" in answer(house, one["question"])["error"]


@pytest.mark.parametrize(
    ("order", "said"),
    [({"reach": "planet"}, "not an answer"), ({"question": 0}, "no question 0"), ({"yes": "maybe"}, "not an answer")],
)
def test_an_answer_that_means_nothing_says_why(asking, order, said):
    host = asking.host()
    host.bash(PUSH)
    request = {"question": waiting(asking)[0]["question"], "yes": True, **order}
    told = asking.control(do="answer", **request)
    assert said in told["error"]
    assert told["exit_code"] == 2
