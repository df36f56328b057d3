"""Every rule about dependencies is held to its own examples, its page and its snapshot."""

from __future__ import annotations

import json

import pytest

from outrider.detect.dependencies.page import found, page, snapshot
from outrider.detect.dependencies.rules import RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_finds_what_it_is_for_and_leaves_what_looks_alike(rule):
    for name, text in RULES[rule].flag:
        assert rule in [one.rule for one in found(name, text)], text
    for name, text in RULES[rule].passes:
        assert rule not in [one.rule for one in found(name, text)], text


@pytest.mark.parametrize("rule", RULES)
def test_a_rules_page_and_snapshot_are_what_the_rule_says(rule, repo):
    assert (repo / "docs" / "rules" / f"{rule}.md").read_text("utf-8") == page(rule), "run: python docs/write_rules.py"
    kept = json.loads((repo / "tests" / "detect" / "snapshots" / f"{rule}.json").read_text("utf-8"))
    assert kept == snapshot(rule), "run: python docs/write_rules.py, and look at the difference"


def test_there_are_no_pages_and_snapshots_of_rules_that_are_gone(repo):
    assert {path.stem for path in (repo / "docs" / "rules").glob("dependency.*.md")} == set(RULES)
    assert {path.stem for path in (repo / "tests" / "detect" / "snapshots").glob("dependency.*.json")} == set(RULES)


def test_every_finding_says_what_to_do():
    for name, text in (example for rule in RULES.values() for example in rule.flag):
        assert all(one.advice.endswith((".", "`")) and one.message.endswith(".") for one in found(name, text))
