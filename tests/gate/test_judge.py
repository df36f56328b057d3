"""Deciding is pure: effects, labels and counters in, a decision out."""

from __future__ import annotations

import pytest

from outrider.charter.bound import Bindings, bind
from outrider.charter.floor import floor
from outrider.charter.parse import parse
from outrider.events.call import Effect, Finding, Label
from outrider.events.counters import Counters
from outrider.gate.judge import PENDING, Setting, decide

BINDINGS = Bindings(home="/home/a", repo="/home/a/repo", groups={})
TEXT = """
[charter]
name = "t"
undecided = "ask"
budget = { calls = 10 }
[may]
read = ["*"]
connect = ["good.example"]
write = ["*"]
exec = ["*"]
[never]
read = ["~/.ssh/**"]
[ask]
read = ["/etc/hosts"]
[flow]
secret = { not_to = ["connect"] }
[code]
high = "fix"
medium = "tell"
"""


def setting(**kwargs):
    chain = (floor(BINDINGS), bind(parse(TEXT), BINDINGS))
    return Setting(**{"chain": chain, "labels": (), "counters": Counters(calls=1), **kwargs})


def read(path):
    return Effect(verb="read", kind="path", value=path)


def connect(host):
    return Effect(verb="connect", kind="host", value=host)


def judged(*effects, findings=(), carried=(), **kwargs):
    return decide(effects, findings, setting(**kwargs), carried)


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([], "allow"),
        ([read("/x")], "allow"),
        ([read("/etc/hosts")], "ask"),
        ([read("/home/a/.ssh/id")], "deny"),
        ([read("/x"), connect("evil.example")], "deny"),
        ([Effect(verb="unparsed", kind="text", value="((")], "error"),
    ],
)
def test_the_worst_effect_decides(effects, verdict):
    assert judged(*effects).decision.verdict == verdict


def test_an_error_is_enforced_as_the_charter_says():
    assert judged(Effect(verb="unparsed", kind="text", value="((")).decision.enforced == "ask"


def test_a_label_that_a_call_brings_itself_holds_within_it():
    found = judged(read("/home/a/.aws/credentials"), connect("good.example"))
    assert found.decision.verdict == "deny"
    assert Label("secret", PENDING) in found.labels


def test_labels_of_a_file_that_is_read_come_along_with_their_origin():
    found = judged(read("/x"), connect("good.example"), carried=(Label("secret", 41),))
    assert found.decision.verdict == "deny"
    assert Label("secret", 41) in found.adds


def test_what_the_context_carries_is_not_added_again():
    assert judged(read("/x"), carried=(Label("secret", 41),), labels=(Label("secret", 41),)).adds == ()


def test_a_pause_lets_all_through_but_what_the_floor_refuses():
    assert judged(connect("evil.example"), paused=True).decision.enforced == "allow"
    write = Effect(verb="write", kind="path", value="/home/a/repo/.claude/settings.json")
    assert judged(write, paused=True).decision.enforced == "deny"


def test_observing_tells_what_would_have_been():
    found = judged(connect("evil.example"), mode="observe").decision
    assert (found.verdict, found.enforced, found.mode) == ("deny", "allow", "observe")


def test_a_budget_counts_this_call():
    assert judged(read("/x"), counters=Counters(calls=10)).decision.verdict == "allow"
    assert judged(read("/x"), counters=Counters(calls=11)).decision.verdict == "deny"


@pytest.mark.parametrize(("severity", "verdict", "told"), [("high", "deny", 0), ("medium", "allow", 1)])
def test_a_weakness_is_fixed_or_told_as_the_charter_says(severity, verdict, told):
    finding = Finding(
        rule="code.x", severity=severity, confidence="high", where="args.content", message="weak", advice="do y"
    )
    found = judged(Effect(verb="write", kind="path", value="/x.py"), findings=(finding,))
    assert (found.decision.verdict, len(found.told)) == (verdict, told)
