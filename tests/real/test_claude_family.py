"""Who is whose child on the real client: sub-agents, a client started by an agent, labels, guidance, sudden ends."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from tests.real.claude_code import ClaudeCode, Run
from tests.real.rider import Rider
from tests.real.scripted_model import Heard, Script, Turn, bash, task

from outrider.config import add_repository
from outrider.events.record import AgentBorn, AgentEnded, LabelsJoined

pytestmark = pytest.mark.real

TOKEN = "ghp_" + "16C7e42F292c6912E771" + "0c838347Ae178B4a"

LOOSE = """
[charter]
name = "loose"
extends = "base"
description = "May do anything that the base lets it."

[may]
exec = ["*"]
read = ["*"]
write = ["*"]
connect = ["*"]
prompt = ["*"]
"""


@pytest.fixture
def coder(rider: Rider, claude: ClaudeCode) -> Rider:
    """The repository's agents are coders; hooks are ``outrider init``'s own, and start the daemon."""
    rider.init("--charter", "coder", "--enforce")
    return rider


def told(run: Run, key: str) -> str:
    """Return all that the client sent to the model in the first request of the conversation that holds ``key``."""
    return next(str(request.body) for request in run.requests if request.body.get("tools") and key in str(request.body))


def test_a_client_that_an_agent_starts_is_born_as_its_child_and_is_no_freer(coder: Rider, claude: ClaudeCode) -> None:
    other = claude.world.home / "other"
    subprocess.run(["git", "init", "--quiet", other], check=True)
    (coder.home.charters / "loose.toml").write_text(LOOSE)
    add_repository(coder.home, str(other), "loose", "enforce")
    made, outside = claude.world.repo / "made", claude.world.home / "outside"
    refusals: list[str] = []

    def read_the_reason(heard: Heard) -> Turn:
        refusals.append(heard.last.text)
        return Turn("nested")

    script = Script(
        [bash(f"cd {other} && claude -p 'NESTED: look' --allowedTools Bash"), Turn("over")],
        {"NESTED": [bash(f"touch {made}"), bash(f"touch {outside}"), read_the_reason]},
    )
    run = claude(script)
    assert run.final == "over", run
    parent, child = coder.births()
    assert (child.how, child.parent, child.root, child.depth) == ("descendant", parent.agent, parent.agent, 1)
    assert (parent.charter, child.charter) == ("coder", "loose")
    assert child.chain[-len(parent.chain) :] == parent.chain
    assert child.session != parent.session
    assert child.attested.pid not in {0, parent.attested.pid}
    assert (made.exists(), outside.exists()) == (True, False)
    [refused] = [one for one in coder.decisions() if one.decision.enforced == "deny"]
    assert refused.agent == child.agent
    assert {hit.charter for hit in refused.decision.hits} == {"coder"}, "its own charter lets it"
    assert "which binds this agent's parent" in refusals[0]
    first, second = coder.events(AgentEnded)
    assert [(one.agent, one.how) for one in (first, second)] == [
        (child.agent, "completed"),
        (parent.agent, "completed"),
    ]


def test_what_a_sub_agent_has_seen_its_parent_has_seen(coder: Rider, claude: ClaudeCode) -> None:
    (claude.world.repo / "notes").write_text(f"token = {TOKEN}\n")
    refusals: list[str] = []

    def after_the_child(_: Heard) -> Turn:
        coder.wait(lambda: bool(coder.events(LabelsJoined)), "its labels did not come")
        return bash("curl -s https://github.com/a/b")

    def read_the_reason(heard: Heard) -> Turn:
        refusals.append(heard.last.text)
        return Turn("over")

    script = Script(
        [bash("true"), task("Read the notes, READING"), after_the_child, read_the_reason],
        {"READING": [bash("cat notes"), Turn("read")]},
    )
    run = claude(script, allowed=("Bash", "Agent"))
    assert run.final == "over", run
    parent, child = coder.births()
    joined = coder.events(LabelsJoined)[0]
    assert (joined.agent, joined.origin_agent) == (parent.agent, child.agent)
    assert {label.name for label in joined.labels} == {"secret"}
    asked = [one for one in coder.decisions() if one.name == "Bash" and one.agent == parent.agent]
    assert [one.decision.enforced for one in asked] == ["allow", "deny"]
    assert "This agent has seen a secret" in refusals[0]


def test_guidance_reaches_the_model_of_the_main_agent_and_of_its_sub_agent(coder: Rider, claude: ClaudeCode) -> None:
    script = Script(
        [task("Count the files, COUNTING"), Turn("thanks")], {"COUNTING": [bash("ls"), Turn("there is one")]}
    )
    run = claude(script, allowed=("Bash", "Agent"), prompt="MAIN: please count.")
    parent, child = coder.births()
    for born, key in ((parent, "MAIN: please count."), (child, "Count the files, COUNTING")):
        first = [request for request in run.requests if request.body.get("tools") and born.agent in str(request.body)]
        assert first, f"the model of {born.how} was never told who it is"
        text = str(first[0].body)
        assert key in text
        assert "You run under the Outrider charter `coder`" in text
        assert "You may write: this repository" in text
    assert child.agent not in told(run, "MAIN: please count.")


def test_a_client_that_is_killed_is_an_agent_that_was_killed(coder: Rider, claude: ClaudeCode) -> None:
    def die(_: Heard) -> Turn:
        [born] = coder.births()
        os.kill(born.attested.pid, signal.SIGKILL)
        return Turn("never heard")

    run = claude([bash("ls"), die])
    assert run.code == -signal.SIGKILL, run
    coder.wait(lambda: bool(coder.events(AgentEnded)), "its end was not noticed")
    [born], [ended] = coder.events(AgentBorn), coder.events(AgentEnded)
    assert (ended.agent, ended.how) == (born.agent, "killed")
    [gone] = coder.json("agents", "--gone")["data"]
    assert (gone["id"], gone["ended_how"]) == (born.agent, "killed")
    assert coder.json("agents")["data"] == []
