from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

from outrider.config import Home

MINE = '[charter]\nname = "mine"\nextends = "base"\n\n[may]\nread = ["repo/**"]\n'


def test_list_names_the_built_in_ones(outrider: Run) -> None:
    rows = {one["name"]: one for one in outrider("charter", "list", "--json").data}
    assert {"base", "coder", "developer", "reviewer", "researcher", "ci", "ops", "unclaimed"} <= set(rows)
    assert rows["coder"]["seal"]["state"] == "builtin"


def test_show_says_what_is_inherited(outrider: Run) -> None:
    done = outrider("charter", "show", "coder")
    assert "repo/**" in done.out
    assert "169.254.169.254" in done.out
    assert "refused" in done.out


def test_show_cedar_is_the_text_that_is_evaluated(outrider: Run) -> None:
    assert 'Pattern::"coder.may.read.0"' in outrider("charter", "show", "coder", "--cedar").out


def test_check_points_at_the_line(outrider: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(MINE + "wirte = []\n")
    done = outrider("charter", "check", str(wrong))
    assert done.code == 2
    assert f"{wrong}:6:" in done.out or f"{wrong}:7:" in done.out
    assert "write" in done.out


def test_check_tells_what_has_no_effect(outrider: Run, tmp_path: Path) -> None:
    loose = tmp_path / "loose.toml"
    loose.write_text(MINE.replace("\n\n", '\nundecided = "allow"\n\n', 1))
    done = outrider("charter", "check", str(loose))
    assert done.code == 0
    assert "deny holds" in done.out


def test_check_and_show_say_where_a_limit_is_measured(outrider: Run, home: Home) -> None:
    home.make()
    (home.charters / "mine.toml").write_text(
        MINE.replace("\n\n", '\nbudget = { tokens = 90000, cost = "2.50 USD" }\n\n', 1)
    )
    tokens, cost = outrider("charter", "check", "mine", "--json").data[0]["warnings"]
    assert tokens.startswith("budget: tokens limits only where a host tells it, and elsewhere is not measured")
    assert "claude_code tells it with each answer of the model" in tokens
    assert "claude_code tells it only when a session ends" in cost
    shown = " ".join(outrider("charter", "show", "mine").out.split())
    assert "90000 tokens, where the host tells, 2.50 USD a session, where the host tells" in shown


def test_check_of_everything_is_good(outrider: Run) -> None:
    assert outrider("charter", "check").code == 0


def test_a_signature_holds_for_one_version_only(outrider: Run, home: Home) -> None:
    home.make()
    file = home.charters / "mine.toml"
    file.write_text(MINE)

    def state() -> str:
        rows = outrider("charter", "list", "--json").data
        return str(next(one["seal"]["state"] for one in rows if one["name"] == "mine"))

    assert state() == "unsigned"
    assert outrider("charter", "sign", str(file)).code == 0
    assert state() == "signed"
    file.write_text("# a comment changes nothing\n" + MINE)
    assert state() == "signed"
    file.write_text(MINE.replace("repo/**", "*"))
    assert state() == "invalid"
    file.with_name("mine.toml.sig").write_text("{}")
    assert state() == "invalid"


def test_a_charter_that_does_not_parse_is_listed_as_such(outrider: Run, home: Home) -> None:
    home.make()
    (home.charters / "mine.toml").write_text("[charter")
    assert "DOES NOT PARSE" in outrider("charter", "list").out
    assert outrider("charter", "check").code == 2
    assert outrider("charter", "show", "mine").code == 2


def test_check_knows_every_rule_and_says_which_was_meant(outrider: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[charter]\nname = "mine"\nextends = "coder"\n\n[code]\npersona = "strict"\n\n[code.rules]\n'
        '"code.python-weak-hash" = "fix"\n"code.python-sql-from-strings" = "fix"\n"secret.*" = "fix"\n'
        '"nothing.*" = "fix"\n"CWE-89" = "fix"\n"CWE-98765" = "fix"\n"sequence.persistence" = "fix"\n'
        '"dependency.not-checked" = "fix"\n"egress.key" = "fix"\n"bandit.b310" = "fix"\n"semgrep.*" = "note"\n'
    )
    done = outrider("charter", "check", str(file), "--json")
    assert done.code == 2
    (found,) = done.data
    assert [one["line"] for one in found["errors"]] == [10, 12, 14]
    assert "code.python-sql-from-string" in found["errors"][0]["fix"]
    told = outrider("charter", "check", str(file))
    assert f"{file}:10: " in told.out


def test_check_tells_which_rules_are_held_more_strictly_above(outrider: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[charter]\nname = "mine"\nextends = "coder"\n\n[code.rules]\n"code.python-sql-from-string" = "tell"\n'
        '"dependency.*" = "tell"\n"code.python-weak-hash" = "fix"\n'
    )
    warnings = outrider("charter", "check", str(file), "--json").data[0]["warnings"]
    assert warnings[0] == 'code.rules "code.python-sql-from-string": it says tell, and fix (coder and base) holds'
    assert "dependency.typosquat" in warnings[1]
    assert not any("weak-hash" in one for one in warnings)


def test_show_says_what_comes_of_findings(outrider: Run, home: Home) -> None:
    home.charters.mkdir(parents=True, exist_ok=True)
    (home.charters / "mine.toml").write_text(
        '[charter]\nname = "mine"\nextends = "coder"\n\n[code]\npersona = "audit"\ncomments = "never"\n'
        'unsure = "full"\n\n[code.rules]\n"CWE-327" = "fix"\n'
    )
    told = outrider("charter", "show", "mine").out
    assert "all, those for an audit as well" in told
    assert "do not count" in told
    assert "count like others" in told
    assert "CWE-327" in told
    assert outrider("charter", "show", "mine", "--json").data["effective"]["persona"] == "audit"


def test_diff_says_in_words_what_an_edit_comes_to(outrider: Run, tmp_path: Path) -> None:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(MINE)
    after.write_text(MINE.replace('["repo/**"]', '["repo/src/**"]\nconnect = ["docs.example"]'))
    done = outrider("charter", "diff", str(before), str(after))
    assert done.code == 0
    assert "Becomes allowed" in done.out
    assert "connect docs.example" in done.out
    assert "read repo/** but for repo/src/**" in done.out
    data = outrider("charter", "diff", str(before), str(after), "--json").data
    assert [one["becomes"] for one in data["changes"]] == ["denied", "allowed"]
    assert data["before"]["digest"] != data["after"]["digest"]
    assert "Nothing" in outrider("charter", "diff", "coder", "coder").out
    assert outrider("charter", "diff", "coder", "nobody").code == 2


EXAMPLES = """
[examples]
allow = ["cat src/a.py", { tool = "Read", input = { file_path = "repo/a.py" } }]
deny = ["cat ~/.aws/credentials", { tool = "Read", input = { file_path = "~/.ssh/id_ed25519" } }]
"""


def test_a_charters_own_examples_are_tried(outrider: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    plain = MINE + 'exec = ["*"]\n'
    file.write_text(plain + EXAMPLES)
    good = outrider("charter", "check", str(file))
    assert good.code == 0
    assert "4 examples tried" in good.out
    file.write_text(plain + EXAMPLES.replace('deny = ["cat ~', 'deny = ["cat src/b.py", "cat ~'))
    wrong = outrider("charter", "check", str(file))
    assert wrong.code == 2
    assert f'{file}:11: example "cat src/b.py" stands under deny, and the charter lets it through' in wrong.out
    file.write_text(plain.replace("repo/**", "repo/docs/**") + EXAMPLES)
    told = outrider("charter", "check", str(file), "--json").data[0]["errors"]
    assert len(told) == 2
    assert "does not let this agent read" in told[0]["message"]
    assert "[may] read of charter mine" in told[0]["fix"]


def test_examples_make_no_new_version_and_malformed_ones_are_named_with_their_line(
    outrider: Run, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(MINE)
    before = outrider("charter", "check", str(file), "--json").data[0]["digest"]
    file.write_text(MINE + EXAMPLES.replace('"cat src/a.py", ', ""))
    assert outrider("charter", "check", str(file), "--json").data[0]["digest"] == before
    for wrong in ('allow = "ls"', "allow = [1]", 'allow = [{ tool = "Read" }]', 'alow = ["ls"]'):
        file.write_text(f"{MINE}\n[examples]\n{wrong}\n")
        done = outrider("charter", "check", str(file))
        assert done.code == 2
        assert f"{file}:9:" in done.out
