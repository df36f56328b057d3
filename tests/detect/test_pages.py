"""Every rule about secrets and planted instructions has its page and its snapshot."""

from __future__ import annotations

import json

import pytest

from outrider.detect.page import secret_page, secret_snapshot, sign_page, sign_snapshot, signs
from outrider.detect.rules import load

ALL = [(rule.id, secret_page(rule), secret_snapshot(rule)) for rule in load()] + [
    (sign.id, sign_page(sign), sign_snapshot(sign)) for sign in signs()
]


@pytest.mark.parametrize(("name", "page", "snapshot"), ALL, ids=[name for name, _, _ in ALL])
def test_a_rules_page_and_snapshot_are_what_the_rule_says(name, page, snapshot, repo):
    written = (repo / "docs" / "rules" / f"{name}.md").read_text("utf-8")
    assert written == page, "run: python docs/write_rules.py"
    kept = json.loads((repo / "tests" / "detect" / "snapshots" / f"{name}.json").read_text("utf-8"))
    assert kept == snapshot, "run: python docs/write_rules.py, and look at the difference"


def test_there_are_no_pages_and_snapshots_of_rules_that_are_gone(repo):
    ids = {name for name, _, _ in ALL}
    for folder, ending in (("docs/rules", "md"), ("tests/detect/snapshots", "json")):
        there = {path.name.removesuffix(f".{ending}") for path in (repo / folder).glob(f"*.{ending}")}
        assert {name for name in there if name.startswith(("secret.", "content."))} == ids
