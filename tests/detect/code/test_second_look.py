"""What other people's scanners report, read into findings: only what counts, and never a clean bill for nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.second_look import Asked, read_report

TEXT = "import urllib.request\n\n\ndef get(url):\n    return urllib.request.urlopen(url)  # fetch\n"


def asked(**more):
    return Asked(**{"text": TEXT, "path": "src/get.py", "where": "args.content", **more})


def bandit(*results, loc=3, errors=()):
    rows = [
        {
            "test_id": "B310", "issue_severity": "MEDIUM", "issue_confidence": "HIGH", "line_number": 5,
            "line_range": [5], "issue_text": "Audit url open for permitted schemes.", **one,
        }
        for one in results
    ]  # fmt: skip
    return json.dumps({"results": rows, "errors": list(errors), "metrics": {"_totals": {"loc": loc}}}).encode()


def semgrep(*results, scanned=("code.py",)):
    rows = [
        {
            "check_id": "rules.open-url", "start": {"line": 5}, "end": {"line": 5},
            "extra": {"severity": "ERROR", "message": "Opens any address.", "metadata": {"confidence": "LOW"}}, **one,
        }
        for one in results
    ]  # fmt: skip
    return json.dumps({"results": rows, "errors": [], "paths": {"scanned": list(scanned)}}).encode()


def test_a_finding_says_where_it_stands_and_whose_it_is():
    (one,) = read_report("bandit", bandit({}), asked()).findings
    assert (one.rule, one.severity, one.confidence, one.where) == ("bandit.b310", "medium", "high", "args.content")
    assert TEXT[one.start : one.end] == "return urllib.request.urlopen(url)  # fetch"
    (one,) = read_report("semgrep", semgrep({}), asked()).findings
    assert (one.rule, one.severity, one.confidence) == ("semgrep.rules.open-url", "high", "low")


def test_only_lines_that_the_change_adds_count():
    assert read_report("bandit", bandit({}), asked(added=frozenset({1}))).findings == ()
    assert len(read_report("bandit", bandit({}), asked(added=frozenset({5}))).findings) == 1


def test_what_the_first_look_said_is_not_said_again():
    assert read_report("bandit", bandit({}), asked(said=frozenset({5}))).findings == ()


def test_tests_are_judged_a_step_more_gently():
    (one,) = read_report("bandit", bandit({}), asked(path="tests/test_get.py")).findings
    assert one.severity == "low"


def test_a_comment_with_a_reason_suppresses_and_is_recorded():
    text = TEXT.replace("# fetch", "# outrider: allow bandit.b310 -- only ever https, see get")
    (one,) = read_report("bandit", bandit({}), asked(text=text)).findings
    assert one.suppressed == "only ever https, see get"


def test_what_a_scanner_quotes_is_left_out():
    said = "Possible hardcoded password: 'correct horse'"
    (one,) = read_report("bandit", bandit({"issue_text": said}), asked()).findings
    assert "horse" not in one.message


@pytest.mark.parametrize(
    ("tool", "report", "problem"),
    [
        ("bandit", b"", "not JSON"),
        ("bandit", b"[]", "not what it should be"),
        ("bandit", b'{"results": []}', "not what it should be"),
        ("bandit", bandit(loc=0), "nothing was scanned"),
        ("bandit", bandit(errors=[{"reason": "syntax error"}]), "could not parse"),
        ("semgrep", b'{"results": []}', "not what it should be"),
        ("semgrep", semgrep(scanned=()), "nothing was scanned"),
    ],
)
def test_a_report_on_nothing_is_an_error(tool, report, problem):
    seen = read_report(tool, report, asked())
    assert problem in seen.problem
    assert seen.findings == ()


def test_a_text_without_code_may_be_reported_on_as_empty():
    assert read_report("bandit", bandit(loc=0), asked(text="# only a comment\n")).problem == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("results", "errors", "metrics", "_totals", "paths", "scanned", "loc", "extra", "start", "line", "line_range")


@given(st.sampled_from(["bandit", "semgrep"]), st.dictionaries(st.sampled_from(KEYS), JSON), st.lists(JSON, max_size=3))
def test_any_json_is_read_or_named(tool, data, results):
    whole = {"errors": [], "metrics": {"_totals": {"loc": 3}}, "paths": {"scanned": ["x"]}, **data, "results": results}
    for report in (data, whole):
        seen = read_report(tool, json.dumps(report).encode(), asked())
        for one in seen.findings:
            assert 0 <= one.start <= one.end <= len(TEXT)
