"""Rolling: the living move to the newest version of their charter, and what descends from them stays below it."""

from __future__ import annotations

from tests.daemon.house import until
from tests.daemon.test_delegation import Agent

from outrider.events.record import AgentBorn, AgentRolled, CharterRefused

TEXT = """
[charter]
name = "coder"
extends = "base"
ttl = "8h"

[may]
read = ["*"]
exec = ["*"]
spawn = ["coder"]
connect = [{hosts}]
opaque = "allow"
"""


def edit(house, hosts, more=""):
    """Write the coder's charter anew; its hosts are what it may connect to."""
    house.home.charters.mkdir(exist_ok=True)
    listed = ", ".join(f'"{host}"' for host in hosts)
    (house.home.charters / "coder.toml").write_text(TEXT.format(hosts=listed) + more)


def curl(agent, host):
    return agent.host.bash(f"curl -s https://{host}/").verdict


def test_an_edit_binds_the_living_once_they_are_rolled(house):
    edit(house, ["one.example"])
    house.start()
    agent = Agent(house)
    agent.host.hook("SubagentStart", agent_id="b1", agent_type="helper")
    child = house.events(AgentBorn)[-1].agent
    assert (curl(agent, "one.example"), curl(agent, "two.example")) == ("silent", "deny")
    edit(house, ["two.example"])
    assert sorted(house.control(do="roll", charter="coder", dry=True)["moved"]) == sorted([agent.id, child])
    assert curl(agent, "one.example") == "silent"
    told = house.control(do="roll", charter="coder")
    assert told["moved"] == [agent.id, child]
    assert (curl(agent, "one.example"), curl(agent, "two.example")) == ("deny", "silent")
    assert [event.agent for event in house.events(AgentRolled)] == [agent.id, child]
    assert house.control(do="roll", charter="coder")["moved"] == []
    house.kill(house.pid)
    house.start()
    assert (curl(agent, "one.example"), curl(agent, "two.example")) == ("deny", "silent")


def test_a_charter_that_does_not_validate_rolls_nobody(house):
    edit(house, ["one.example"])
    house.start()
    agent = Agent(house)
    edit(house, ["two.example"], more="nonsense = 1\n")
    assert house.control(do="roll", charter="coder")["moved"] == []
    until(lambda: house.events(CharterRefused))
    assert curl(agent, "one.example") == "silent"
    assert house.control(do="roll", charter="nobody")["exit_code"] == 2


def test_an_agent_does_not_roll_itself(house):
    edit(house, ["one.example"])
    house.start()
    agent = Agent(house)
    assert len(house.events(AgentBorn)) == 1
    edit(house, ["one.example", "two.example"])
    assert "agents cannot change their guard" in agent.ask(do="roll", charter="coder")["error"]
