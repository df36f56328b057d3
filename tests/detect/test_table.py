from outrider.detect.registry import DETECTORS
from outrider.detect.rules import load
from outrider.detect.table import filled, table


def test_the_document_lists_the_rules_that_there_are(repo):
    document = (repo / "docs" / "detectors.md").read_text("utf-8")
    assert filled(document) == document


def test_every_rule_has_a_row():
    text = table()
    assert all(f"`{rule.id}`" in text for rule in load())
    assert len(DETECTORS) == 2
