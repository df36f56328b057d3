"""Budgets of what only a host can tell, on a real daemon: held against its word, or said to be not measured."""

from __future__ import annotations

import json

import pytest

from outrider.events.record import AgentBorn, CallDecided

_CHARTER = """
[charter]
name = "thrifty"
extends = "coder"
budget = {{ {budget} }}

[may]
read = ["**"]
exec = ["*"]
spawn = ["*"]
opaque = "allow"
"""


class Session:
    """A host with a transcript that grows."""

    def __init__(self, house, session="s-1"):
        self.host = house.host(session=session)
        self.path = house.user / ".claude" / "projects" / "p" / f"{session}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.calls = 0

    def says(self, tokens, *, path=None, name=None):
        """The model answers."""
        path = path or self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        row = {"type": "assistant", "message": {"id": name or f"m{self.calls}", "usage": {"input_tokens": tokens}}}
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def costs(self, dollars):
        with self.path.open("a") as file:
            file.write(json.dumps({"type": "cost-state", "totalCostUSD": dollars}) + "\n")

    def call(self, command="ls", **more):
        self.calls += 1
        fields = {"tool_name": "Bash", "tool_input": {"command": command}, "tool_use_id": f"c{self.calls}", **more}
        return self.host.hook("PreToolUse", transcript_path=str(self.path), **fields)


@pytest.fixture
def thrifty(house):
    """Starts a house whose agents have the given budget."""

    def start(budget):
        (house.home.charters / "thrifty.toml").write_text(_CHARTER.format(budget=budget))
        house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "thrifty"\n')
        house.start()
        return house

    return start


def test_an_agent_past_its_tokens_is_refused_with_a_sentence_also_after_its_transcript_is_gone(thrifty):
    house = thrifty("tokens = 100")
    session = Session(house)
    session.says(60)
    assert session.call().verdict == "silent"
    session.says(40)
    refused = session.call()
    assert refused.verdict == "deny"
    assert "has used 100 tokens, which is beyond the budget of charter thrifty: tokens = 100" in refused.reason
    assert "tell your user" in refused.reason
    session.path.unlink()
    house.kill(house.pid)
    house.start()
    assert session.call().verdict == "deny"
    assert [event.counters.tokens for event in house.events(CallDecided)] == [60, 100, 100]
    assert house.events(AgentBorn)[0].unmeasured == ()
    assert house.status()["unmeasured"] == {}


def test_a_session_that_cost_too_much_is_refused_when_it_goes_on(thrifty):
    house = thrifty('cost = "2.50 USD"')
    session = Session(house)
    assert session.call().verdict == "silent"
    session.costs(2.75)
    assert "has used 2.75 USD" in session.call().reason


def test_a_sub_agent_is_held_to_the_tokens_of_its_own_transcript(thrifty):
    house = thrifty("tokens = 100")
    session = Session(house)
    session.says(90)
    assert session.call().verdict == "silent"
    own = session.path.with_suffix("") / "subagents" / "agent-b1.jsonl"
    session.says(50, path=own, name="x")
    assert session.call(agent_id="b1").verdict == "silent"
    session.says(50, path=own, name="y")
    assert session.call(agent_id="b1").verdict == "deny"
    assert session.call().verdict == "silent"
    assert [event.counters.tokens for event in house.events(CallDecided)] == [90, 50, 100, 90]


def test_what_no_host_tells_is_said_to_be_not_measured_at_the_birth_and_in_the_status(thrifty):
    house = thrifty('tokens = 100, cost = "1 USD"')
    session = Session(house)
    assert session.call().verdict == "silent"
    [born] = house.events(AgentBorn)
    assert born.unmeasured == ("cost",)
    assert house.status()["unmeasured"] == {"tokens": 1, "cost": 1}
    session.says(60)
    assert session.call().verdict == "silent"
    assert house.status()["unmeasured"] == {"cost": 1}


def test_where_no_charter_limits_it_no_transcript_is_read(thrifty):
    house = thrifty("calls = 50")
    session = Session(house)
    session.says(10**6)
    said = session.call()
    assert said.verdict == "silent", said.reason
    assert house.events(CallDecided)[0].counters.tokens == -1
