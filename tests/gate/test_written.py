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


def test_a_reason_beside_it_is_recorded_and_nothing_is_refused(world, host):
    said = f"    # outrider: allow {RULE} -- the name comes from a fixed list\n"
    assert host.ask("Write", {"file_path": path(world), "content": f"def f(name):\n{said}{BAD}"}).verdict == "silent"
    assert [finding.suppressed for finding in last(world).findings] == ["the name comes from a fixed list"]


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
