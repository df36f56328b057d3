"""Code is judged as it is written: by which tool, in which file, and only for what the change adds."""

from __future__ import annotations

import pytest

from outrider.events.record import CallDecided

BAD = "    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")\n"
GOOD = '    cursor.execute("SELECT * FROM users WHERE name = %s", (name,))\n'
RULE = "code.python-sql-from-string"


@pytest.fixture
def host(world):
    return world.host()


def path(world, name="app.py"):
    return str(world.repo / name)


def last(world):
    return world.events(CallDecided)[-1]


def rules(world):
    return [finding.rule for finding in last(world).findings]


def test_a_weakness_is_refused_with_advice_and_the_corrected_write_passes(world, host):
    refused = host.ask("Write", {"file_path": path(world), "content": f"def find(name):\n{BAD}"})
    assert refused.verdict == "deny"
    assert "bind the values" in refused.reason
    assert RULE in refused.reason
    passed = host.ask("Write", {"file_path": path(world), "content": f"def find(name):\n{GOOD}"})
    assert passed.verdict == "silent"
    first, second = world.events(CallDecided)
    assert second.corrects == first.n


def test_an_edit_is_judged_within_its_file_and_not_for_what_stood_there_before(world, host):
    (world.repo / "app.py").write_text(f"def find(name):\n{BAD}\n\ndef other():\n    return 1\n")
    assert host.ask(
        "Edit", {"file_path": path(world), "old_string": "return 1", "new_string": "return 2"}
    ).verdict == "silent"  # fmt: skip
    assert not last(world).findings
    assert host.ask(
        "Edit", {"file_path": path(world), "old_string": "    return 1\n", "new_string": BAD.replace("users", "notes")}
    ).verdict == "deny"  # fmt: skip
    assert rules(world) == [RULE]


def test_an_edit_that_makes_a_constant_query_unsafe_elsewhere_is_seen_in_the_whole_file(world, host):
    (world.repo / "app.py").write_text('def find(conn, name):\n    q = "SELECT 1"\n    return conn.execute(q)\n')
    new = "q = \"SELECT * FROM users WHERE name = '%s'\" % name\n    return conn.execute(q)  # by name"
    asked = {"file_path": path(world), "old_string": 'q = "SELECT 1"\n    return conn.execute(q)', "new_string": new}
    assert host.ask("Edit", asked).verdict == "deny"


def test_a_fragment_of_a_file_that_cannot_be_read_is_judged_alone_and_said_to_be_one(world, host):
    asked = {"file_path": path(world), "old_string": "    pass\n", "new_string": BAD}
    assert host.ask("Edit", asked).verdict == "deny"
    assert last(world).looked == "fragment"


def test_several_edits_of_one_call_are_judged_together(world, host):
    (world.repo / "app.py").write_text("def find(name):\n    pass\n\ndef b():\n    pass  # b\n")
    edits = [
        {"old_string": "    pass\n\n", "new_string": f"{BAD}\n"},
        {"old_string": "pass  # b", "new_string": "return"},
    ]
    assert host.ask("MultiEdit", {"file_path": path(world), "edits": edits}).verdict == "deny"
    assert rules(world) == [RULE]
    assert not last(world).looked


def test_a_here_document_that_lands_in_a_file_is_code_that_is_written(world, host):
    assert host.bash(f"cat > app.py <<'EOF'\ndef find(name):\n{BAD}EOF\n").verdict == "deny"
    assert rules(world) == [RULE]
    assert host.bash(f"cat > app.py <<'EOF'\ndef find(name):\n{GOOD}EOF\n").verdict == "silent"
    assert host.bash(f"cat <<'EOF'\n{BAD}EOF\n").verdict == "silent"
    assert host.bash(f"cat > notes.txt <<'EOF'\n{BAD}EOF\n").verdict == "silent"


SAID = f"    # outrider: allow {RULE} -- the name comes from a fixed list\n"


def excused(world):
    return [(finding.rule, finding.excused) for finding in last(world).findings]


def test_a_reason_that_the_agent_writes_itself_lets_it_be_and_is_told_and_recorded(world, host):
    answer = host.ask("Write", {"file_path": path(world), "content": f"def f(name):\n{SAID}{BAD}"})
    assert answer.verdict == "silent"
    assert "by a comment that this same change brings" in answer.context
    assert [finding.suppressed for finding in last(world).findings] == ["the name comes from a fixed list"]
    assert excused(world) == [(RULE, "added")]


def edit_below_a_comment(world, host):
    (world.repo / "app.py").write_text(f"def f(name):\n{SAID}    pass\n")
    return host.ask("Edit", {"file_path": path(world), "old_string": "    pass\n", "new_string": BAD})


def test_a_reason_that_stood_there_before_is_recorded_and_nothing_is_told(world, host):
    answer = edit_below_a_comment(world, host)
    assert (answer.verdict, answer.context) == ("silent", "")
    assert excused(world) == [(RULE, "standing")]


def charter(code):
    return ("own", f'[charter]\nname = "own"\nextends = "coder"\n[may]\nread = ["*"]\nwrite = ["*"]\n{code}')


def test_where_only_standing_comments_count_an_agent_cannot_quiet_its_own_findings(make):
    world = make(charter="own", charters=[charter('[code]\ncomments = "standing"\n')])
    host = world.host()
    refused = host.ask("Write", {"file_path": path(world), "content": f"def f(name):\n{SAID}{BAD}"})
    assert refused.verdict == "deny"
    assert "does not count here" in refused.reason
    assert edit_below_a_comment(world, host).verdict == "silent"


def test_where_no_comments_count_the_finding_stays(make):
    world = make(charter="own", charters=[charter('[code]\ncomments = "never"\n')])
    assert edit_below_a_comment(world, world.host()).verdict == "deny"


LIST = '[[allow]]\nrules = ["code.python-sql-*"]\npaths = ["app.py"]\nreason = "Fixed names only."\n'


def test_a_persons_list_lets_findings_be_in_its_files_until_it_ends(world, host):
    write = {"file_path": path(world), "content": f"def f(name):\n{BAD}"}
    listed = world.repo / ".outrider.toml"
    listed.write_text(LIST)
    assert host.ask("Write", write).verdict == "silent"
    assert [(one.suppressed, one.excused) for one in last(world).findings] == [("Fixed names only.", "listed")]
    assert host.ask("Write", {**write, "file_path": path(world, "other.py")}).verdict == "deny"
    listed.write_text(f'{LIST}until = "2001-01-01"\n')
    assert host.ask("Write", write).verdict == "deny"


def test_no_agent_writes_the_list_of_what_is_let_be(world, host):
    refused = host.ask("Write", {"file_path": path(world, ".outrider.toml"), "content": LIST})
    assert refused.verdict == "deny"
    assert "floor.suppressions" in refused.reason
    assert host.bash("echo '[[allow]]' >> .outrider.toml").verdict == "deny"
    assert host.bash("cat .outrider.toml").verdict == "silent"


def test_a_suppression_without_a_reason_is_told(world, host):
    content = f"def f():\n    # outrider: allow {RULE}\n    return 1\n"
    answer = host.ask("Write", {"file_path": path(world), "content": content})
    assert answer.verdict == "silent"
    assert "it gives no reason" in answer.context
    assert rules(world) == ["suppression.no-reason"]


def test_a_comment_of_its_own_never_lets_an_agent_write_a_secret_and_one_that_stood_there_does(world, host):
    key = "AKIA" + "Q3EGRNTLA7XK2WZM"
    comment = "# outrider: allow secret.* -- a key of the test server"
    write = {"file_path": path(world, "conf.py"), "content": f'{comment}\nKEY_ID = "{key}"\n'}
    assert host.ask("Write", write).verdict == "deny"
    (world.repo / "conf.py").write_text(f"{comment}\nKEY_ID = None\n")
    edit = {
        "file_path": path(world, "conf.py"),
        "old_string": f"{comment}\nKEY_ID = None",
        "new_string": write["content"],
    }
    assert host.ask("Edit", edit).verdict == "silent"
    assert {one.excused for one in last(world).findings if one.rule.startswith("secret.")} == {"standing"}


HASH = "import hashlib\nprint(hashlib.md5(b'x').hexdigest())\n"


@pytest.mark.parametrize("key", ["code.python-weak-hash", "CWE-327", "CWE-328", "code.python-*"])
def test_a_charter_moves_one_rule_or_one_class_towards_stricter(make, key):
    world = make(charter="own", charters=[charter(f'[code.rules]\n"{key}" = "fix"\n')])
    refused = world.host().ask("Write", {"file_path": path(world), "content": HASH})
    assert refused.verdict == "deny"
    assert 'set "code.python-weak-hash" = "tell" in [code.rules] of charter own' in refused.reason


def test_without_its_own_word_a_rule_counts_by_its_severity(world, host):
    assert host.ask("Write", {"file_path": path(world), "content": HASH}).verdict == "silent"


def test_a_root_charter_lets_one_rule_only_be_told(make):
    text = f'[charter]\nname = "own"\nsponsor = "optional"\n[may]\nwrite = ["*"]\n[code.rules]\n"{RULE}" = "tell"\n'
    world = make(charter="own", charters=[("own", text)])
    answer = world.host().ask("Write", {"file_path": path(world), "content": f"def f(name):\n{BAD}"})
    assert answer.verdict == "silent"
    assert RULE in answer.context


@pytest.mark.parametrize(("persona", "seen"), [("everyday", []), ("strict", ["code.python-no-timeout"])])
def test_a_charter_asks_the_rules_of_its_persona(make, persona, seen):
    world = make(charter="own", charters=[charter(f'[code]\nlow = "tell"\npersona = "{persona}"\n')])
    content = "import requests\nrequests.get('https://api.example.com/')\n"
    answer = world.host().ask("Write", {"file_path": path(world), "content": content})
    assert rules(world) == seen
    assert [rule for rule in seen if rule not in answer.context] == []


def test_in_a_test_the_agent_is_told_and_not_stopped(world, host):
    answer = host.ask("Write", {"file_path": path(world, "tests/test_app.py"), "content": f"def f(name):\n{BAD}"})
    assert answer.verdict == "silent"
    assert RULE in answer.context


def test_a_large_file_is_looked_at_in_a_process_of_its_own(world, host):
    content = "x = 1\n" * 20_000 + f"def f(name):\n{BAD}"
    assert host.ask("Write", {"file_path": path(world), "content": content}).verdict == "deny"
    assert rules(world) == [RULE]


def test_what_is_too_large_to_be_looked_at_is_said_in_the_event(world, host):
    assert host.ask("Write", {"file_path": path(world), "content": "x = 1\n" * 100_000}).verdict == "silent"
    assert last(world).looked == "too-large"


def test_of_five_megabytes_the_beginning_is_looked_at_and_the_event_says_that_it_was_cut(world, host):
    rest = "x = 1  # a line of code\n" * 220_000
    content = f"def find(name):\n{BAD}{rest}"
    assert len(content) > 5_000_000
    assert host.ask("Write", {"file_path": path(world), "content": content}).verdict == "deny"
    assert (rules(world), last(world).looked) == ([RULE], "too-large")
    assert host.ask("Write", {"file_path": path(world), "content": f"{rest}def find(name):\n{BAD}"}).verdict == "silent"
    assert (rules(world), last(world).looked) == ([], "too-large")


def test_of_a_long_file_what_stands_around_its_new_lines_is_looked_at(world, host):
    before = "x = 1\n" * 10_000
    (world.repo / "app.py").write_text(before)
    content = f"{before}def find(name):\n{BAD}" + "y = 2\n" * 30_000
    assert host.ask("Write", {"file_path": path(world), "content": content}).verdict == "deny"
    (finding,) = last(world).findings
    assert content[finding.start : finding.end] in BAD
    assert last(world).looked == "too-large"


def test_a_change_that_only_takes_away_is_not_looked_at(world, host):
    (world.repo / "app.py").write_text(f"def find(name):\n{BAD}    return 1\n")
    asked = {"file_path": path(world), "old_string": "    return 1\n", "new_string": ""}
    assert host.ask("Edit", asked).verdict == "silent"
    assert (rules(world), last(world).looked) == ([], "")
