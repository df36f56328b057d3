"""Scanning files and changes: what is found, what is said of what was not seen, and in which form."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Run

BAD = "cursor.execute(f\"SELECT id FROM users WHERE name = '{name}'\")\n"
RULE = "code.python-sql-from-string"


def git(world: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(world), *words], check=True, capture_output=True)


@pytest.fixture
def committed(world: Path) -> Path:
    """A repository whose first commit holds a weakness."""
    (world / "old.py").write_text(BAD)
    git(world, "add", "-A")
    git(world, "commit", "-qm", "first")
    return world


def rules(outrider: Run, *arguments: str) -> list[str]:
    found = outrider("scan", "--json", *arguments).data["found"]
    return [f"{one['path']}:{one['line']} {one['finding']['rule']}" for one in found]


def test_a_weakness_is_shown_with_its_place_and_what_to_write_and_the_exit_status_says_so(
    outrider: Run, world: Path
) -> None:
    (world / "app.py").write_text(f"import db\n{BAD}")
    done = outrider("scan")
    assert done.code == 8
    assert f"app.py:2:1: high {RULE}" in done.out
    assert "Bind" in done.out or "bind" in done.out
    assert "1 high" in done.err
    assert "python 2" in done.err
    assert outrider("scan", "--fail", "never").code == 0


def test_what_is_clean_is_said_to_have_been_looked_at(outrider: Run) -> None:
    done = outrider("scan")
    assert done.code == 0
    assert "nothing found" in done.err
    assert "Looked at as code: python 1" in done.err


def test_a_scan_of_nothing_is_an_error(outrider: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "picture.png").write_bytes(b"\x89PNG\0\0")
    done = outrider("scan", str(empty))
    assert done.code == 2
    assert "nothing was scanned" in done.err
    assert outrider("scan", str(tmp_path / "absent")).code == 2


def test_what_git_ignores_is_left_out_and_what_is_named_is_not(outrider: Run, world: Path) -> None:
    (world / ".gitignore").write_text("made/\n")
    (world / "made").mkdir()
    (world / "made" / "x.py").write_text(BAD)
    assert rules(outrider) == []
    assert rules(outrider, "made/x.py") == [f"made/x.py:1 {RULE}"]


def test_only_staged_lines_count(outrider: Run, committed: Path) -> None:
    (committed / "old.py").write_text(f"{BAD}x = 1\n")
    (committed / "new.py").write_text(BAD)
    git(committed, "add", "old.py")
    assert rules(outrider, "--staged") == []
    git(committed, "add", "new.py")
    (committed / "new.py").write_text("x = 1\n")
    assert rules(outrider, "--staged") == [f"new.py:1 {RULE}"], "what is staged counts, not what stands there now"


def test_only_lines_that_a_change_adds_count(outrider: Run, committed: Path) -> None:
    (committed / "old.py").write_text(f"{BAD}y = 2\n{BAD.replace('users', 'notes')}")
    assert rules(outrider, "--diff", "HEAD") == [f"old.py:3 {RULE}"]
    assert outrider("scan", "--diff", "nowhere").code == 2
    assert outrider("scan", "--diff", "HEAD", "--staged").code == 2


def test_a_reason_beside_it_lets_it_be_and_is_reported(outrider: Run, world: Path) -> None:
    (world / "app.py").write_text(f"# outrider: allow {RULE} -- the name is from a fixed list\n{BAD}")
    done = outrider("scan")
    assert done.code == 0
    assert "1 suppressed with a reason" in done.err
    (one,) = outrider("scan", "--json").data["found"]
    assert one["finding"]["suppressed"] == "the name is from a fixed list"


def test_a_list_in_the_repository_lets_findings_be_and_what_of_it_counts_for_nothing_is_said(
    outrider: Run, world: Path
) -> None:
    (world / "app.py").write_text(BAD)
    allow = f'[[allow]]\nrules = ["{RULE}"]\npaths = ["app.py"]\nreason = "The names are fixed."\n'
    (world / ".outrider.toml").write_text(f'{allow}\n[[allow]]\nrules = ["secret.*"]\n')
    done = outrider("scan")
    assert done.code == 0
    assert "1 suppressed" in done.err
    assert "entry 2 gives no reason" in done.err
    (found,) = outrider("scan", "--json").data["found"]
    assert found["finding"]["excused"] == "listed"
    (world / ".outrider.toml").write_text(f'{allow}until = "2001-01-01"\n')
    done = outrider("scan")
    assert done.code == 8
    assert "ended on 2001-01-01" in done.err


def test_a_suppression_that_a_change_brings_is_shown_and_one_without_a_reason_counts(
    outrider: Run, committed: Path
) -> None:
    said = f"# outrider: allow {RULE} -- the names are fixed\n"
    (committed / "new.py").write_text(f"{said}{BAD}")
    git(committed, "add", "-A")
    done = outrider("scan", "--staged")
    assert done.code == 0
    assert "by a comment that this change brings: the names are fixed" in done.out
    assert "let be" not in outrider("scan").out
    (committed / "new.py").write_text(f"# outrider: allow {RULE}\nx = 1\n")
    assert "new.py:1 suppression.no-reason" in rules(outrider)


def test_secrets_are_found_in_any_file_and_not_shown(outrider: Run, world: Path) -> None:
    key = "ghp_" + "x7Kp2mQ9rT4vW8yB3nC6dF1gH5jL0s"
    (world / "notes.txt").write_text(f"token: {key}\n")
    done = outrider("scan", "--persona", "strict")
    assert "notes.txt:1" in done.out
    assert key not in done.out


def test_sarif_holds_rules_places_and_suppressions(outrider: Run, world: Path) -> None:
    said = f"# outrider: allow {RULE} -- from a fixed list\n"
    (world / "app.py").write_text(f"{BAD}{said}{BAD}")
    log = json.loads(outrider("scan", "--sarif").out)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [RULE]
    assert "external/cwe/cwe-089" in run["tool"]["driver"]["rules"][0]["properties"]["tags"]
    first, second = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "app.py"
    assert place["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": len(BAD)}
    assert (first["level"], first["ruleIndex"]) == ("error", 0)
    assert second["suppressions"] == [{"kind": "inSource", "justification": "from a fixed list"}]


def test_rules_are_listed_shown_and_held_to_their_vectors(outrider: Run) -> None:
    listed = outrider("rules", "list", "--language", "python", "--json").data
    assert len(listed) >= 50
    assert all("python" in one["languages"] for one in listed)
    assert RULE in outrider("rules", "list").out
    assert outrider("rules", "list", "--language", "cobol").code == 2
    assert "## Flagged" in outrider("rules", "show", RULE).out
    assert "## Flagged" in outrider("rules", "show", RULE.removeprefix("code.")).out
    done = outrider("rules", "show", "code.python-nonsense-string")
    assert done.code == 2
    assert "Did you mean" in done.err
    assert outrider("rules", "test", RULE).code == 0


def test_a_rule_that_no_longer_finds_its_vector_fails_its_test(outrider: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outrider.detect.code.vectors.problems", lambda rule: [f"{rule.id} finds nothing"])
    done = outrider("rules", "test", RULE)
    assert done.code == 1
    assert "finds nothing" in done.out


def test_this_repository_is_clean_for_good_reasons(outrider: Run, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    data = outrider("scan", "--json").data
    left = [f"{one['path']}:{one['line']} {one['finding']['rule']}" for one in data["found"]
            if not one["finding"].get("suppressed") and one["finding"]["severity"] != "low"]  # fmt: skip
    assert left == []
    assert data["code"]["python"] > 300
