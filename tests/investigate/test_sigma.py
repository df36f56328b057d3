"""Sigma rules on single events."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.errors import BadInputError
from outrider.investigate.exports.flat import COLUMNS
from outrider.investigate.sigma.rule import CATEGORIES, read

pytest.importorskip("sigma", reason="pySigma is not installed")

HEAD = """
title: a rule
id: 3f1d8a30-9d0b-4f6e-9d0e-1111d0e0f111
logsource: {product: agent, category: tool_call}
detection:
"""
ROW = {
    "kind": "call.decided", "verdict": "deny", "enforced": "deny", "depth": 2, "ok": True,
    "host": ("a.example", "Evil.Example:443", "10.1.2.3:80"),
    "path": ("/home/u/.ssh/id_rsa",), "tool": "shell", "name": "shell",
}  # fmt: skip


def rule(tmp_path, detection, head=HEAD):
    path = tmp_path / "r.yml"
    path.write_text(head + "\n".join(f"  {line}" for line in detection.strip().splitlines()) + "\n")
    return read(path)


@pytest.mark.parametrize(
    ("detection", "wanted"),
    [
        ("a: {host: evil.example:443}\ncondition: a", True),
        ("a: {host|cased: evil.example:443}\ncondition: a", False),
        ("a: {host|endswith: .example}\ncondition: a", True),
        ("a: {host|contains: nowhere}\ncondition: a", False),
        ("a: {host|cidr: 10.0.0.0/8}\ncondition: a", True),
        ("a: {host|cidr: 192.168.0.0/16}\ncondition: a", False),
        ("a: {path|re: 'id_(rsa|dsa)$'}\ncondition: a", True),
        ("a: {path|re: '^id_'}\ncondition: a", False),
        ("a: {host|contains|all: [evil, example]}\ncondition: a", True),
        ("a: {depth|gte: 2}\ncondition: a", True),
        ("a: {depth|lt: 2}\ncondition: a", False),
        ("a: {ok: true}\ncondition: a", True),
        ("a: {rule: null}\ncondition: a", True),
        ("a: {rule|exists: true}\ncondition: a", False),
        ("a: {tool|fieldref: name}\ncondition: a", True),
        ("a: {verdict: deny}\nb: {tool: read}\ncondition: a and not b", True),
        ("a: {verdict: allow}\nb: {tool: read}\ncondition: 1 of them", False),
        ("k: [id_rsa, nothing]\ncondition: k", False),
        ("k: ['*id_rsa', nothing]\ncondition: k", True),
        ("a: {host: 'e?il.*'}\ncondition: a", True),
    ],
)
def test_a_condition_matches_as_the_specification_says(tmp_path, detection, wanted):
    [one], _ = rule(tmp_path, detection)
    assert one.matches(ROW) is wanted


def test_a_rule_about_another_kind_of_event_does_not_match(tmp_path):
    [one], _ = rule(tmp_path, "a: {verdict: deny}\ncondition: a")
    assert not one.matches({**ROW, "kind": "agent.born"})


def test_a_rule_about_another_product_is_passed_over_and_said_so(tmp_path):
    rules, passed = rule(tmp_path, "a: {x: y}\ncondition: a", HEAD.replace("agent", "windows"))
    assert rules == []
    assert "is about windows" in passed[0]


@pytest.mark.parametrize(
    ("detection", "said"),
    [
        ("a: {hots: evil}\ncondition: a", "no event has a field 'hots'"),
        ("a: {path|re: '(?=x)y'}\ncondition: a", "is invalid"),
        ("a: {path: x}\ncondition: b", "not defined"),
        ("a: {path|nonsense: x}\ncondition: a", "no Sigma rule"),
    ],
)
def test_what_cannot_be_decided_is_refused_when_it_is_read(tmp_path, detection, said):
    with pytest.raises(BadInputError, match=said):
        rule(tmp_path, detection)


def test_a_correlation_is_refused_rather_than_never_matched(tmp_path):
    path = tmp_path / "c.yml"
    path.write_text(
        HEAD.replace("title: a rule", "title: a rule\nname: one") + "  a: {verdict: deny}\n  condition: a\n---\n"
        "title: many\ncorrelation: {type: event_count, rules: [one], group-by: [agent], timespan: 1m,"
        " condition: {gte: 3}}\n"
    )
    with pytest.raises(BadInputError, match="single events"):
        read(path)


def test_a_category_that_no_event_is_of_is_refused_with_those_that_there_are(tmp_path):
    with pytest.raises(BadInputError, match="no event is of category") as caught:
        rule(tmp_path, "a: {verdict: deny}\ncondition: a", HEAD.replace("tool_call", "registry_set"))
    assert "tool_call" in caught.value.fix


def test_the_ready_made_rules_are_rules():
    rules, passed = read(Path(str(files("outrider.investigate.sigma") / "rules")))
    assert len(rules) >= 6
    assert passed == []
    assert len({one.id for one in rules}) == len(rules)
    assert {one.kind for one in rules} <= set(CATEGORIES.values())
    assert all(one.level and one.tags for one in rules)


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.one_of(st.text(), st.integers(), st.booleans(), st.tuples(st.text())))
)
def test_no_event_makes_a_rule_fail(row):
    rules, _ = read(Path(str(files("outrider.investigate.sigma") / "rules")))
    for one in rules:
        assert one.matches(row) in {True, False}
