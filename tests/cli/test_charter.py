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
