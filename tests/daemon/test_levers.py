"""Levers on a real daemon: pulled by a person, refused to agents, in force at the next call, kept over a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.daemon.house import until

from outrider.events.record import AgentBorn, AgentEnded, LeverPulled

_ASK = """
import json, sys
from pathlib import Path
from outrider.daemon.control import ask
print(json.dumps(ask(Path(sys.argv[1]), json.loads(sys.argv[2]))))
"""


def pull(house, lever, kind, value, **more):
    return house.control(do="lever", lever=lever, kind=kind, value=value, **more)


def from_agent(house, host, **request):
    """Ask on the control channel from below a host, as a shell call of its agent could."""
    said = host.run([sys.executable, "-c", _ASK, str(house.home.socket), json.dumps(request)])[0]
    return json.loads(said.out or said.err)


def test_a_quarantine_holds_at_the_next_call_and_outlives_a_crash_of_the_daemon(running):
    host = running.host()
    assert host.bash("git status").verdict == "silent"
    told = pull(running, "quarantine", "charter", "coder", why="the image is poisoned")
    assert told["living"] == 1
    assert told["scope"] == "charter:coder"
    assert host.bash("git status").verdict == "deny"
    running.kill(running.pid)
    running.start()
    assert "the image is poisoned" in host.bash("git status").reason
    standing = running.status()["levers"]
    assert [(one["lever"], one["scope"], one["living"]) for one in standing] == [("quarantine", "charter:coder", 1)]
    pull(running, "release", "charter", "coder")
    assert host.bash("git status").verdict == "silent"
    assert running.status()["levers"] == []


def test_a_rehearsal_counts_whom_a_lever_would_reach_and_does_nothing(running):
    hosts = [running.host() for _ in range(3)]
    for host in hosts:
        host.bash("git status")
    told = pull(running, "revoke", "charter", "base", dry=True)
    assert (told["living"], told["dry"]) == (3, True)
    assert running.events(LeverPulled) == []
    assert hosts[0].bash("git status").verdict == "silent"


def test_a_revocation_ends_every_living_agent_that_it_reaches(running):
    host = running.host()
    host.bash("git status")
    agent = running.events(AgentBorn)[0].agent
    told = pull(running, "revoke", "agent", agent[-6:].lower(), why="it leaked a key")
    assert (told["ended"], told["scope"]) == (1, f"agent:{agent}")
    assert host.bash("git status").verdict == "deny"
    until(lambda: running.status()["living"] == 0)
    assert [(event.agent, event.how) for event in running.events(AgentEnded)] == [(agent, "revoked")]
    assert "final" in pull(running, "release", "agent", agent)["error"]


def test_an_agent_can_stop_itself_and_nobody_else(running):
    host, other = running.host(), running.host()
    host.bash("git status")
    other.bash("git status")
    mine, its = [event.agent for event in running.events(AgentBorn)]
    for kind, value in (("charter", "coder"), ("agent", its), ("lineage", its)):
        answer = from_agent(running, host, do="lever", lever="quarantine", kind=kind, value=value)
        assert "agents cannot change their guard" in answer["error"]
    for lever in ("release", "observe"):
        answer = from_agent(running, host, do="lever", lever=lever, kind="agent", value=mine, us=1_000_000)
        assert "error" in answer
    assert running.events(LeverPulled) == []
    told = from_agent(running, host, do="lever", lever="quarantine", kind="lineage", value=mine)
    assert told["living"] == 1
    assert running.events(LeverPulled)[0].by == mine
    assert host.bash("git status").verdict == "deny"
    assert other.bash("git status").verdict == "silent"
    assert "error" in from_agent(running, host, do="lever", lever="release", kind="lineage", value=mine)


def test_a_lever_says_who_pulled_it_beside_the_event_and_only_a_pseudonym_in_it(running):
    pull(running, "quarantine", "sponsor", "Ada@Example.com", why="gone\x00home")
    event = running.events(LeverPulled)[0]
    assert event.scope.startswith("sponsor:p_")
    assert event.by.startswith("p_")
    assert "ada@example.com" not in str(event).lower()


def test_names_that_reach_nobody_are_told_with_what_was_meant(running):
    assert pull(running, "quarantine", "charter", "codre")["fix"] == "Did you mean coder?"
    assert "no agent" in pull(running, "quarantine", "agent", "zzz")["error"]
    assert "nothing is in force" in pull(running, "release", "charter", "coder")["error"]
    assert "a second and a day" in pull(running, "observe", "charter", "coder")["error"]
    assert "no lever" in pull(running, "explode", "charter", "coder")["error"]
    assert pull(running, "quarantine", "planet", "earth")["exit_code"] == 2


def test_a_charter_that_nobody_has_lived_under_can_be_closed_before_anybody_is_born(running):
    assert pull(running, "quarantine", "charter", "coder")["living"] == 0
    host = running.host()
    assert "is in quarantine since" in host.bash("git status").reason
    assert running.events(AgentBorn) == []


def test_only_processes_that_outrider_started_are_ended(running):
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        host = running.host()
        host.bash("git status")
        told = pull(running, "quarantine", "charter", "coder", kill=True)
        assert told["killed"] == []
        assert host.bash("git status").verdict == "deny"
        assert bystander.poll() is None
        os.kill(host.process.pid, 0)
    finally:
        bystander.kill()
        bystander.wait()
