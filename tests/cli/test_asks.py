"""Asking and answering on the command line: a real daemon, a question of a real agent, and the commands of a person."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.daemon.house import House, until

from outrider.cli import main
from outrider.config import builtin_charters
from outrider.events.record import AskTimedOut, CallDecided

PUSH = "git push origin main"


@pytest.fixture
def house():
    with tempfile.TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        yield one
        one.close()


@pytest.fixture
def asked(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A daemon with a question of an agent under the built-in coder, which the host asks as well."""
    monkeypatch.setenv("OUTRIDER_HOME", str(house.home.root))
    monkeypatch.setenv("HOME", str(house.user))
    house.start()
    assert house.host().bash(PUSH).verdict == "ask"
    return house


@pytest.fixture
def run(capsys):
    def run(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def number(house):
    return house.control(do="asks")["asks"][0]["question"]


def test_a_question_is_shown_with_its_call_counted_answered_and_explained(asked, run):
    n = number(asked)
    _, out, _ = run("asks")
    assert f"Question {n}: waits until" in out
    assert PUSH in out
    assert "pushing to origin/main" in out
    assert "1 calls wait for a person's answer" in run("status")[1]
    code, _, err = run("answer", str(n), "yes", "--why", "release day")
    assert code == 0
    assert "Answered with yes, once" in err
    assert "Nothing waits for you." in run("asks")[2]
    assert "answered with yes, once" in run("asks", "--all")[1]
    assert asked.hosts[0].bash(PUSH, call="c2").verdict == "silent"
    assert "once, and that is used" in run("asks", "--all")[1]
    explained = run("why", str(n))[1]
    assert "What a person was asked" in explained
    assert "release day" in explained
    passed = asked.status()["events"] - 1
    assert f"question  {n}" in run("why", str(passed))[1]


def test_no_answer_yet_is_said_in_the_explanation(asked, run):
    assert "none so far" in run("why", str(number(asked)))[1]


def test_a_proposed_change_of_the_charter_is_a_difference_that_a_person_applies(asked, run):
    code, out, _ = run("answer", str(number(asked)), "yes", "--charter")
    assert code == 0
    assert '-push = ["origin/main", "origin/master"]\n+push = ["origin/master"]\n' in out
    target = asked.home.charters / "coder.toml"
    assert f"+++ {target}" in out
    change = asked.top / "change.diff"
    change.write_text(out)
    subprocess.run(["patch", "-s", "-o", str(target), str(builtin_charters() / "coder.toml"), str(change)], check=True)
    asked.control(do="roll", charter="coder")
    assert asked.hosts[0].bash(PUSH, call="c2").verdict == "silent"


def test_a_no_and_a_yes_for_the_agent_say_what_they_do(asked, run):
    n = str(number(asked))
    assert "for this agent" not in run("answer", n, "no")[2]
    assert asked.hosts[0].bash(PUSH, call="c2").verdict == "deny"
    assert "until its end" in run("answer", n, "yes", "--agent")[2]
    assert asked.hosts[0].bash(PUSH, call="c3").verdict == "silent"
    assert "for this agent" in run("asks", "--all")[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("answer", "999999", "yes"), 2, "no question 999999"),
        (("answer", "1", "maybe"), 2, "maybe"),
        (("answer", "1", "yes", "--once", "--agent"), 2, "one thing"),
        (("answer", "1", "no", "--agent"), 2, "one question"),
    ],
)
def test_an_answer_that_cannot_be_given_says_why(asked, run, words, code, said):
    assert os.environ["OUTRIDER_HOME"] == str(asked.home.root)
    done = run(*words)
    assert done[0] == code
    assert said in done[2]


def test_a_time_out_stands_in_the_log_and_in_the_explanation(house, run, monkeypatch):
    monkeypatch.setenv("OUTRIDER_HOME", str(house.home.root))
    monkeypatch.setenv("HOME", str(house.user))
    (house.home.charters / "hasty.toml").write_text(
        '[charter]\nname = "hasty"\nextends = "coder"\n[may]\nread = ["**"]\nexec = ["*"]\nconnect = ["*"]\n'
        'push = ["origin/*"]\nopaque = "allow"\n[ask]\nwithin = "1s"\n'
    )
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "hasty"\n')
    house.start()
    assert house.host().bash(PUSH).verdict == "ask"
    [asked] = [event for event in house.events() if isinstance(event, CallDecided)]
    until(lambda: house.events(AskTimedOut))
    assert "nobody answered it in time" in run("asks", "--all")[1]
    assert f"nobody answered question {asked.n} in time" in run("log", "--kind", "ask.timed-out")[1]
    explained = run("why", str(asked.n))[1]
    assert f"nobody answered question {asked.n} in time, and that is a no" in explained
    assert run("charter", "show", "hasty")[1].count("answered by any person within 1 seconds") == 1
