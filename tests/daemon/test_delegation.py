"""Children made through Outrider itself, on a real daemon: narrower in everything, and of one lineage."""

from __future__ import annotations

import json
import sys

import pytest
from tests.daemon.house import HostProcess, until

from outrider.events.record import AgentBorn, AgentEnded, CallDecided, TokenIssued
from outrider.identity.ids import agent_id
from outrider.identity.tokens import Handed, narrow_with

HOUR = 3_600_000_000
_ASK = """
import json, sys
from pathlib import Path
from outrider.daemon.control import ask
print(json.dumps(ask(Path(sys.argv[1]), json.loads(sys.argv[2]))))
sys.stdout.flush()
"""


class Agent:
    """An agent under the coder's charter, and what it asks from below its host."""

    def __init__(self, house):
        self.house, self.host = house, house.host()
        assert self.host.bash("git status").verdict == "silent"
        self.id = house.events(AgentBorn)[-1].agent

    def ask(self, **request):
        argv = [sys.executable, "-c", _ASK, str(self.house.home.socket), json.dumps(request)]
        said = self.host.run(argv)[0]
        return json.loads(said.out or said.err)

    def token(self):
        return self.ask(do="token")["token"]


@pytest.fixture
def agent(running):
    return Agent(running)


def handed(house, **more):
    now = house.status()["started"]
    return Handed(**{"agent": agent_id(), "charter": "reviewer", "expires": now + HOUR, **more})


def test_a_child_is_born_under_a_narrower_charter_with_what_was_taken_away_in_its_chain(agent, running):
    told = agent.ask(do="spawn", charter="reviewer", may={"connect": [], "read": ["repo/docs/**"]}, us=HOUR)
    child = running.events(AgentBorn)[-1]
    parent = running.events(AgentBorn)[0]
    assert (told["agent"], told["parent"], told["depth"]) == (child.agent, agent.id, 1)
    assert child.how == "spawn"
    assert child.chain[-len(parent.chain) :] == parent.chain
    assert json.loads(child.narrowed)["may"]["connect"] == []
    assert child.expires <= parent.expires
    asked = [event for event in running.events(CallDecided) if event.tool == "spawn"]
    assert [(event.agent, event.effects[0].value) for event in asked] == [(agent.id, "reviewer")]


def test_a_class_that_the_charter_does_not_let_it_start_is_refused_with_the_reason(agent, running):
    answer = agent.ask(do="spawn", charter="unclaimed")
    assert answer["exit_code"] == 4
    assert "unclaimed" in answer["error"]
    assert len(running.events(AgentBorn)) == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"charter": "nobody"}, "no charter 'nobody'"),
        ({"may": {"fly": ["*"]}}, "no verb 'fly'"),
        ({"may": {"read": ["@nowhere"]}}, "not a group"),
        ({"may": "everything"}, "Expected `object`"),
        ({"calls": -1}, "not negative"),
        ({"us": -5}, "between a second and a year"),
    ],
)
def test_what_cannot_be_handed_on_is_bad_input(agent, wanted, said):
    answer = agent.ask(do="spawn", **{"charter": "reviewer", **wanted})
    assert answer["exit_code"] == 2
    assert said in answer["error"]


def test_a_token_narrowed_offline_makes_its_child_once(agent, running):
    text = narrow_with(agent.token(), handed(running, purpose="read"))
    assert [event.agent for event in running.events(TokenIssued)] == [agent.id]
    first = agent.ask(do="spawn", token=text)
    assert first["parent"] == agent.id
    again = agent.ask(do="spawn", token=text)
    assert "once" in again["error"]


def test_generations_that_were_made_offline_are_born_in_order(agent, running):
    mother = handed(running, charter="coder")
    child = handed(running, charter="reviewer", expires=mother.expires)
    told = agent.ask(do="spawn", token=narrow_with(narrow_with(agent.token(), mother), child))
    assert (told["agent"], told["parent"], told["depth"]) == (child.agent, mother.agent, 2)


def test_the_token_of_another_lineage_is_refused_inside_an_agents_tree(agent, running):
    other = Agent(running)
    text = narrow_with(other.token(), handed(running))
    assert "another lineage" in agent.ask(do="spawn", token=text)["error"]


def test_nobody_delegates_outside_an_agents_tree(running):
    assert "only agents delegate" in running.control(do="token")["error"]
    assert "only agents delegate" in running.control(do="spawn", charter="reviewer")["error"]


def test_a_token_is_void_once_a_lever_reaches_anybody_in_it(agent, running):
    mine = agent.token()
    text = narrow_with(mine, handed(running))
    assert running.control(do="verify", token=text)["blocks"] == 2
    running.control(do="lever", lever="quarantine", kind="charter", value="reviewer")
    assert "void" in running.control(do="verify", token=text)["error"]
    assert running.control(do="verify", token=mine)["agent"] == agent.id
    running.control(do="lever", lever="release", kind="charter", value="reviewer")
    child = running.control(do="verify", token=text)["agent"]
    running.control(do="lever", lever="revoke", kind="lineage", value=child)
    assert "void" in agent.ask(do="spawn", token=text)["error"]
    running.control(do="lever", lever="revoke", kind="agent", value=agent.id)
    assert "void" in running.control(do="verify", token=mine)["error"]


def test_a_quarantined_agent_makes_no_children(agent, running):
    running.control(do="lever", lever="quarantine", kind="agent", value=agent.id)
    assert "quarantine" in agent.ask(do="spawn", charter="reviewer")["error"]
    assert "quarantine" in agent.ask(do="token")["error"]


def test_a_budget_of_children_holds_however_they_come(agent, running):
    born = [agent.ask(do="spawn", charter="reviewer") for _ in range(22)]
    assert sum("agent" in one for one in born) == 20
    assert "spawns = 20" in born[-1]["error"]
    assert isinstance(agent.host, HostProcess)


def test_tokens_outlive_a_crash_of_the_daemon(agent, running):
    text = narrow_with(agent.token(), handed(running))
    running.kill(running.pid)
    running.start()
    assert running.control(do="verify", token=text)["blocks"] == 2


def run(agent, *words):
    """Run ``outrider`` from below the agent's host."""
    argv = ["env", f"OUTRIDER_HOME={agent.house.home.root}", sys.executable, "-m", "outrider", *words]
    return agent.host.run(argv)[0]


def test_a_command_becomes_the_child_before_it_runs(agent, running):
    done = run(
        agent, "spawn", "--charter", "reviewer", "--no", "connect", "--", "sh", "-c", "echo I am $OUTRIDER_AGENT"
    )
    child = running.events(AgentBorn)[-1]
    assert done.out == f"I am {child.agent}\n"
    assert done.code == 0
    assert (child.how, child.charter, child.parent) == ("spawn", "reviewer", agent.id)
    ended = until(lambda: running.events(AgentEnded))[0]
    assert (ended.agent, ended.how) == (child.agent, "completed")


def test_a_token_is_printed_and_makes_its_child_elsewhere(agent, running, tmp_path):
    printed = run(agent, "spawn", "--charter", "reviewer", "--only", "read=repo/docs/**", "--for", "5m")
    assert printed.out.startswith("outrider1.")
    place = tmp_path / "child.token"
    place.write_text(printed.out)
    done = run(agent, "spawn", "--token", str(place), "--", "true")
    assert done.code == 0, done.err
    child = running.events(AgentBorn)[-1]
    assert json.loads(child.narrowed)["may"]["read"] == ["repo/docs/**"]
    again = run(agent, "spawn", "--token", str(place), "--", "true")
    assert again.code == 4
    assert "once" in again.err


def test_what_the_command_line_cannot_mean_is_bad_usage(agent, tmp_path):
    for words in ((), ("--charter", "a", "--token", "b"), ("--charter", "coder", "--only", "read"), ("--token", "x")):
        assert run(agent, "spawn", *words).code == 2
    assert run(agent, "spawn", "--charter", "reviewer", "--", str(tmp_path / "nothing")).code == 7


_SDK = """
import subprocess, sys
from outrider import sdk
mine = sdk.token()
theirs = sdk.narrow(mine, "reviewer", may={"connect": []}, seconds=60, calls=3, purpose="review")
with sdk.spawn([sys.executable, "-c", "import os; print(os.environ['OUTRIDER_AGENT'])"], theirs, stdout=-1) as child:
    first = child.stdout.read().decode().strip()
later = sdk.narrow(mine, "researcher")
print(first, sdk.become(later).agent)
"""


def test_a_program_hands_on_less_through_the_sdk(agent, running):
    argv = ["env", f"OUTRIDER_HOME={running.home.root}", sys.executable, "-c", _SDK]
    done = agent.host.run(argv)[0]
    assert done.code == 0, done.err
    births = running.events(AgentBorn)[1:]
    assert done.out.split() == [event.agent for event in births]
    assert [(event.charter, event.purpose) for event in births] == [("reviewer", "review"), ("researcher", "")]
    assert json.loads(births[0].narrowed)["budget"] == {"calls": 3}
