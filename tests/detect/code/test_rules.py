"""Every rule about code is held to its own vectors, its page and its snapshot."""

from __future__ import annotations

import json

import pytest
import re2

from outrider.detect.code.language import GRAMMARS, USUAL, language_of
from outrider.detect.code.page import page
from outrider.detect.code.rule import everything
from outrider.detect.code.taint import PASSES
from outrider.detect.code.taint_tables import KINDS
from outrider.detect.code.vectors import canaries, problems, silent, snapshot

RULES = everything()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_finds_what_it_is_for_and_leaves_the_near_misses(rule):
    assert list(problems(rule)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rules_page_and_snapshot_are_what_the_rule_says(rule, repo):
    written = (repo / "docs" / "rules" / f"{rule.id}.md").read_text("utf-8")
    assert written == page(rule), "run: python docs/write_rules.py"
    kept = json.loads((repo / "tests" / "detect" / "snapshots" / f"{rule.id}.json").read_text("utf-8"))
    assert kept == snapshot(rule), "run: python docs/write_rules.py, and look at the difference"


def test_there_are_no_pages_and_snapshots_of_rules_that_are_gone(repo):
    ids = {rule.id for rule in RULES}
    assert {path.stem for path in (repo / "docs" / "rules").glob("code.*.md")} == ids
    assert {path.stem for path in (repo / "tests" / "detect" / "snapshots").glob("code.*.json")} == ids


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_written_whole(rule):
    assert rule.cwe
    for sentence in (rule.message, rule.advice):
        assert "\n" not in sentence
        assert len(sentence) <= 300
        assert sentence.endswith((".", "!", "`"))
    assert len(rule.why.strip()) >= 40
    assert sum((bool(rule.rule), rule.lines is not None, bool(rule.taint))) == 1
    assert not rule.taint or rule.taint in KINDS
    for language in rule.languages:
        assert language in USUAL
        assert not rule.taint or language in PASSES
        assert rule.lines is not None or language in GRAMMARS
    if rule.lines is not None:
        for pattern in filter(None, (rule.lines.pattern, rule.lines.unless, rule.lines.without)):
            re2.compile(pattern)


def test_the_usual_name_of_every_language_is_known_by(repo):
    for language, name in USUAL.items():
        assert language_of(name, "apiVersion: v1\nkind: Pod\n") == language


def test_every_language_has_a_canary_and_it_is_found():
    assert set(canaries()) == {language for rule in RULES for language in rule.languages}
    assert silent() == []


def test_a_language_whose_rules_see_nothing_is_named(monkeypatch):
    from outrider.detect.code import vectors

    monkeypatch.setattr(vectors, "found", lambda _rule, _vector, language: [] if language == "python" else [1])
    assert vectors.silent() == ["python"]
