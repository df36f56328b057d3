"""What stops an agent before any charter is asked."""

from __future__ import annotations

import pytest

from outrider.events.record import AgentBorn, AgentEnded, CallDecided, LeverPulled, Refusal
from outrider.gate.state import State, fold


def pull(world, lever, scope, why="the image is poisoned", until=0):
    return world.scribe.write(LeverPulled, lever=lever, by="p_1", why=why, scope=scope, until=until)


def test_a_quarantined_agent_hears_since_when_and_why_and_what_to_do(world):
    host = world.host()
    assert host.bash("git status").verdict == "silent"
    pull(world, "quarantine", "charter:coder")
    answer = host.bash("git status")
    assert answer.verdict == "deny"
    assert "this agent class (charter coder) is in quarantine since" in answer.reason
    assert "because: the image is poisoned" in answer.reason
    assert "tell your person" in answer.reason
    assert "outrider release --charter coder" in answer.reason
    decided = world.events(CallDecided)[-1].decision
    assert (decided.verdict, decided.enforced, decided.hits[0].rule) == ("deny", "deny", "lever.quarantine")


def test_a_release_lets_the_same_agent_go_on(world):
    host = world.host()
    host.bash("git status")
    pull(world, "quarantine", "charter:coder")
    assert host.bash("git status").verdict == "deny"
    pull(world, "release", "charter:coder", why="")
    assert host.bash("git status").verdict == "silent"
    assert len(world.events(AgentBorn)) == 1


def test_nobody_of_a_quarantined_class_is_born_and_the_call_says_why(world):
    pull(world, "quarantine", "charter:coder")
    host = world.host()
    assert host.start().verdict == "silent"
    answer = host.bash("git status")
    assert answer.verdict == "deny"
    assert "no agent can be born here: this agent class (charter coder) is in quarantine" in answer.reason
    assert "[lever.quarantine]" in answer.reason
    assert world.events(AgentBorn) == []
    assert len(world.events(Refusal)) == 2


def test_a_quarantine_of_one_agent_leaves_its_sub_agents_and_keeps_new_ones_from_being_born(world):
    host = world.host()
    host.ask("Task", {"subagent_type": "general-purpose", "prompt": "look"})
    host.sub_start("old")
    pull(world, "quarantine", f"agent:{host.agent.id}")
    assert host.bash("git status").verdict == "deny"
    assert host.bash("git status", sub="old").verdict == "silent"
    assert host.bash("git status", sub="new").verdict == "deny"
    assert host.sub("new") is None


def test_neither_a_pause_nor_a_preview_lifts_a_quarantine(make):
    world = make(mode="observe")
    host = world.host()
    host.bash("git status")
    pull(world, "pause", "host", until=world.scribe.now() + 600_000_000)
    pull(world, "quarantine", "lineage:" + host.agent.id)
    answer = host.bash("git status")
    assert answer.verdict == "deny"
    assert "this agent's lineage" in answer.reason


def test_a_revoked_agent_never_comes_back_but_its_results_are_still_taken(world):
    host = world.host()
    host.bash("git status", call_id="c1")
    agent = host.agent
    pull(world, "revoke", f"agent:{agent.id}", why="it leaked a key")
    world.enrolment.end(agent, "revoked", "it leaked a key")
    host.back("Bash", {"command": "git status"}, call_id="c1", output="clean")
    for answer in (host.bash("git status"), host.start("resume"), host.bash("git status")):
        assert answer.verdict in {"deny", "silent"}
    assert host.bash("git status").verdict == "deny"
    assert "it leaked a key" in host.bash("git status").reason
    assert world.state.registry.living() == ()
    assert [event.how for event in world.events(AgentEnded)] == ["revoked"]
    assert len(world.events(AgentBorn)) == 1


def test_another_session_in_the_process_of_a_revoked_agent_is_not_born(world):
    host = world.host()
    host.bash("git status")
    pull(world, "revoke", f"agent:{host.agent.id}")
    world.enrolment.end(host.agent, "revoked", "")
    other = host.also("another")
    assert other.bash("git status").verdict == "deny"
    assert other.agent is None


def test_observing_a_class_lets_its_refusals_through_but_not_the_floors_nor_never(world):
    host = world.host()
    assert host.bash("curl https://elsewhere.example/").verdict == "deny"
    pull(world, "observe", "charter:coder", until=world.scribe.now() + 600_000_000)
    assert host.bash("curl https://elsewhere.example/").verdict == "silent"
    decided = world.events(CallDecided)[-1].decision
    assert (decided.verdict, decided.enforced) == ("deny", "allow")
    assert host.bash("cat ~/.ssh/id_ed25519").verdict == "deny"
    assert host.bash("echo {} > .claude/settings.json").verdict == "deny"
    pull(world, "release", "charter:coder")
    assert host.bash("curl https://elsewhere.example/").verdict == "deny"


def test_an_agent_that_is_born_while_it_is_in_quarantine_elsewhere_is_told_at_its_start(world):
    host = world.host()
    host.start()
    pull(world, "quarantine", f"agent:{host.agent.id}")
    assert "Every call will be refused" in host.start("compact").context


@pytest.mark.parametrize("through", ["fold", "snapshot"])
def test_a_restart_keeps_every_lever(world, through):
    host = world.host()
    host.bash("git status")
    pull(world, "quarantine", "sponsor:" + host.agent.sponsor)
    pull(world, "revoke", "charter:reviewer")
    if through == "snapshot":
        again, _, _ = State.load(world.state.dump(3, b"root"))
    else:
        events = zip(world.events(), world.besides(), strict=True)
        again = fold(State(), ((event, beside, "") for event, beside in events))
    now = world.scribe.now()
    assert again.levers.standing(now) == world.state.levers.standing(now)
    assert again.levers.stops(again.who(host.agent)).scope == "sponsor:" + host.agent.sponsor
