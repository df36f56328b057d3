"""A look at code: which lines count, who is judged gently, what a comment can say, and what was not seen."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.detect.code.language import USUAL, language_of
from outrider.detect.code.scan import MAX_TEXT, is_aside, scan_code

BAD = 'cursor.execute(f"SELECT * FROM users WHERE name = {name}")\n'
RULE = "code.python-sql-from-string"


def look(text, path="app.py", **more):
    return scan_code(text, "args.content", path=path, **more)


def test_a_finding_says_where_it_stands_and_what_to_write_instead():
    (one,) = look(f"import db\n{BAD}").findings
    assert (one.rule, one.severity, one.where) == (RULE, "high", "args.content")
    assert f"import db\n{BAD}"[one.start : one.end] == BAD.strip()
    assert "bind" in one.advice


def test_only_lines_that_the_change_adds_count():
    text = f"import db\n{BAD}x = 1\n"
    assert look(text, added=frozenset({2})).findings
    assert not look(text, added=frozenset({1, 3})).findings


def test_letters_that_take_several_bytes_do_not_move_a_finding():
    text = f"name = 'Zoë 😀'\n{BAD}"
    (one,) = look(text).findings
    assert text[one.start : one.end] == BAD.strip()


def test_tests_and_examples_are_judged_more_gently():
    assert look(BAD, "tests/test_app.py").findings[0].severity == "medium"
    assert look(BAD, "/home/tests/dev/project/src/deep/app.py").findings[0].severity == "high"


@pytest.mark.parametrize(
    "path",
    [
        "tests/x.py",
        "test_x.py",
        "conftest.py",
        "x_test.go",
        "a/x.spec.ts",
        "x.test.js",
        "FooTest.java",
        "examples/x.py",
    ],
)
def test_what_is_a_test_is_known_by_its_name(path):
    assert is_aside(path)


@pytest.mark.parametrize("path", ["app.py", "contest.py", "src/latest/app.py", "attestation.py", "Testament.java"])
def test_what_only_sounds_like_a_test_is_none(path):
    assert not is_aside(path)


@pytest.mark.parametrize(
    "comment",
    [
        "# outrider: allow code.python-sql-from-string -- the name is from a fixed list",
        "# outrider: allow code.python-weak-hash, code.python-sql-from-string: the name is from a fixed list",
        "# outrider: allow code.python-* -- the name is from a fixed list",
    ],
)
def test_a_comment_with_a_reason_suppresses_and_the_finding_stays_with_the_reason(comment):
    for text in (f"{comment}\n{BAD}", f"{BAD.strip()}  {comment}\n"):
        (one,) = look(text).findings
        assert one.suppressed == "the name is from a fixed list"


@pytest.mark.parametrize(
    "comment",
    [
        "# outrider: allow code.python-sql-from-string",
        "# outrider: allow code.python-sql-from-string -- ok",
        "# outrider: allow code.python-other -- the name is from a fixed list",
        "# outrider: allow -- the name is from a fixed list",
        "# allow code.python-sql-from-string -- the name is from a fixed list",
    ],
)
def test_a_comment_without_a_reason_or_for_something_else_suppresses_nothing(comment):
    (one,) = [found for found in look(f"{comment}\n{BAD}").findings if found.rule == RULE]
    assert not one.suppressed


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        (f"# outrider: allow {RULE}", "no reason"),
        (f"# outrider: allow {RULE} -- ok", "no reason"),
        ("# outrider: allow -- the name is from a fixed list", "names no rule"),
        (f"# outrider: allow {RULE} until soon -- the name is from a fixed list", "soon is no day"),
    ],
)
def test_a_comment_that_counts_for_nothing_is_told_where_a_change_brings_it(comment, why):
    text = f"x = 1\n{comment}\n{BAD}"
    (told,) = [one for one in look(text).findings if one.rule == "suppression.no-reason"]
    assert why in told.message
    assert text[told.start : told.end] == "# outrider: allow"
    old = scan_code(text, "file", path="app.py", added=frozenset({3})).findings
    assert [one.rule for one in old] == [RULE]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ('said = f"# outrider: allow {rule} -- the name is from a fixed list"', False),
        ("said = f'# outrider: allow'", False),
        ("said = `// outrider: allow`", False),
        ('said = "a"  # outrider: allow', True),
        ("x = it's  # outrider: allow", True),
        ("x = 'a' + b['c']  # outrider: allow 'all'", True),
        ('# "x" # outrider: allow', True),
    ],
    ids=str,
)
def test_a_text_that_speaks_of_a_comment_is_none(line, counts):
    told = [one for one in look(f"{line}\n").findings if one.rule == "suppression.no-reason"]
    assert bool(told) is counts


def test_a_finding_whose_comment_has_ended_says_so():
    comment = f"# outrider: allow {RULE} until 2031-06-28 -- until the names are a list"
    (one,) = look(f"{comment}\n{BAD}", today="2031-06-29").findings
    assert "ended on 2031-06-28" in one.message


@pytest.mark.parametrize(("added", "who"), [(None, "added"), ({1, 2}, "added"), ({2}, "standing")])
def test_a_comment_that_the_change_brings_is_told_from_one_that_stood_there(added, who):
    text = f"# outrider: allow {RULE} -- the name is from a fixed list\n{BAD}"
    (one,) = scan_code(text, "file", path="app.py", added=frozenset(added) if added else None).findings
    assert (one.suppressed, one.excused) == ("the name is from a fixed list", who)


def test_a_comment_counts_for_its_own_line_and_the_next_only():
    comment = "# outrider: allow code.python-sql-from-string -- the name is from a fixed list"
    first, second = look(f"{comment}\n{BAD}{BAD}").findings
    assert first.suppressed
    assert not second.suppressed


@pytest.mark.parametrize(
    ("until", "holds"),
    [("2031-06-30", True), ("2031-06-29", True), ("2031-06-28", False), ("2031-13-01", False), ("soon", False)],
)
def test_a_suppression_may_end_and_a_day_that_is_none_is_over(until, holds):
    comment = f"# outrider: allow {RULE} until {until} -- until the names are a list"
    (one,) = [one for one in look(f"{comment}\n{BAD}", today="2031-06-29").findings if one.rule == RULE]
    assert bool(one.suppressed) is holds
    assert not holds or look(f"{comment}\n{BAD}").findings[0].suppressed


def test_what_was_not_looked_at_has_a_name():
    assert look("hello", "notes.txt").outcome == "no-language"
    assert look("x = 1\n" * (MAX_TEXT // 6 + 1)).outcome == "too-large"
    assert look("SELECT 1;", "schema.sql").outcome in {"no-rules", "scanned"}
    assert look(f")))) (((( :\n{BAD}").outcome == "partly"
    assert look(BAD).outcome == "scanned"


def test_a_rule_for_auditors_is_not_shown_in_everyday_work():
    for path in USUAL.values():
        everyday = look("x", path).rules
        assert everyday <= look("x", path, persona="strict").rules <= look("x", path, persona="audit").rules


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("deploy", "#!/usr/bin/env python3\n", "python"),
        ("run", "#!/bin/bash\n", "shell"),
        ("serve", "#!/usr/bin/env -S node --no-warnings\n", "javascript"),
        ("Dockerfile.prod", "FROM x", "dockerfile"),
        ("a.yaml", "x: 1", ""),
        ("a.yaml", "apiVersion: v1\nkind: Pod\n", "kubernetes"),
        (".github/workflows/x.yml", "on: push", "github-actions"),
        ("docker-compose.prod.yml", "services:", "compose"),
        ("x.h", "#include <vector>\nnamespace a {}\n", "cpp"),
        ("x.h", "#include <stdio.h>\nint f(void);\n", "c"),
        ("README.md", "text", ""),
        ("", "", ""),
    ],
)
def test_the_language_is_known_by_name_first_line_or_shape(path, text, language):
    assert language_of(path, text) == language


@given(st.text(max_size=300), st.sampled_from(sorted(USUAL.values())))
def test_no_text_at_all_makes_a_look_fail(text, path):
    seen = look(text + "\n" + BAD, path)
    assert all(0 <= one.start <= one.end <= len(text + "\n" + BAD) for one in seen.findings)


TWICE = [
    (
        "view.py",
        """
        from flask import request
        import os, subprocess
        def view(db):
            name = request.args["name"]
            db.execute("select * from t where n = '%s'" % name)
            os.system("ls " + name)
            subprocess.run(
                "ls " + name,
                shell=True,
            )
        """,
        {6: "code.python-sql-injection", 7: "code.python-command-injection", 8: "code.python-command-injection"},
    ),
    (
        "view.js",
        """
        app.get("/x", (req, res) => {
          const name = req.query.name;
          exec("ls " + name);
          res.send("<b>" + name + "</b>");
        });
        """,
        {4: "code.javascript-command-from-client", 5: "code.javascript-page-from-client"},
    ),
]


@pytest.mark.parametrize(("path", "text", "want"), TWICE, ids=["python", "javascript"])
def test_a_weakness_that_two_rules_see_is_said_once_by_the_one_that_followed_the_value(path, text, want):
    text = textwrap.dedent(text)
    seen = scan_code(text, "file", path=path)
    assert {text.count("\n", 0, one.start) + 1: one.rule for one in seen.findings} == want
    assert len(seen.findings) == len(want)


def test_a_rule_that_knows_a_form_speaks_where_no_value_was_followed():
    text = "import os\ndef run(name):\n    os.system('ls ' + name)\n"
    assert [one.rule for one in scan_code(text, "file", path="run.py").findings] == ["code.python-os-system-built"]


def test_two_weaknesses_of_one_line_are_both_said():
    text = textwrap.dedent("""
        from flask import request
        import os, hashlib
        def view():
            os.system("ls " + request.args["x"]); digest = hashlib.md5(password).hexdigest()
    """)
    rules = {one.rule for one in scan_code(text, "file", path="view.py").findings}
    assert rules >= {"code.python-command-injection", "code.python-weak-hash-password"}
