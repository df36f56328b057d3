"""What is known of names of packages: shown with its age, asked by name, and brought by the user."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from outrider.config import Home
from outrider.daemon.facts import load


def test_what_ships_is_shown_with_its_number_and_its_age(outrider: Run) -> None:
    sets = {one["ecosystem"]: one for one in outrider("facts", "show", "--json").data["sets"]}
    assert sets["pypi"]["names"] > 2_000
    assert sets["pypi"]["made"].startswith("20")
    told = outrider("facts", "show").out
    assert "Whole lists: none" in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pypi:requests", "known"),
        ("npm:axois", "axios"),
        ("pypi:cv2", "opencv-python"),
        ("pypi:quaternion-toolbench", "not checked"),
    ],
)
def test_a_name_is_asked_for(outrider: Run, name: str, said: str) -> None:
    done = outrider("facts", "check", name)
    assert done.code == 0
    assert said in done.out


def test_a_name_without_its_ecosystem_is_an_error_with_its_fix(outrider: Run) -> None:
    done = outrider("facts", "check", "requests")
    assert done.code == 2
    assert "pypi:requests" in done.err


LISTS = {
    "names.txt": "requests\nquaternion-toolbench\t1.0\n# a remark\n",
    "names.csv": "rank,project\n1,requests\n2,quaternion-toolbench\n",
    "names.json": json.dumps({"meta": {}, "projects": [{"name": "requests"}, {"name": "Quaternion_Toolbench"}]}),
    "list.json": json.dumps(["requests", "quaternion.toolbench"]),
}


@pytest.mark.parametrize("file", LISTS)
def test_a_whole_list_makes_other_names_unknown_and_refused(outrider: Run, tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text(LISTS[file])
    done = outrider("facts", "update", "--from", str(tmp_path / file), "--ecosystem", "pypi", "--json")
    assert done.data["names"] == {"pypi": 2}
    assert outrider("facts", "check", "pypi:quaternion-toolbench", "--json").data["verdict"] == "known"
    assert outrider("facts", "check", "pypi:made-up-by-a-model", "--json").data["verdict"] == "unknown"
    judged = outrider("judge", "pip install made-up-by-a-model", "--json").data
    assert judged["verdict"] == "deny"
    assert [one["rule"] for one in judged["findings"]] == ["dependency.unknown"]


def test_advisories_about_malice_refuse_their_packages_and_no_others(outrider: Run, tmp_path: Path) -> None:
    def advisory(number: str, name: str, **more: object) -> None:
        whole = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"events": [{"introduced": "0"}]}]}
        text = json.dumps({"id": number, "affected": [{**whole, **more}]})
        (tmp_path / "osv").mkdir(exist_ok=True)
        (tmp_path / "osv" / f"{number}.json").write_text(text)

    advisory("MAL-2026-1", "stealer_of_keys")
    advisory("GHSA-0000", "flask")
    advisory("MAL-2026-2", "django", ranges=[], versions=["9.9.9"])
    (tmp_path / "osv" / "broken.json").write_text("{")
    assert outrider("facts", "update", "--from", str(tmp_path / "osv"), "--json").data["names"] == {"pypi": 1}
    words = [
        outrider("facts", "check", f"pypi:{name}", "--json").data["verdict"]
        for name in ("stealer-of-keys", "flask", "django")
    ]
    assert words == ["malicious", "known", "known"]


@pytest.mark.parametrize(
    ("file", "text"), [("pypi.json", "{"), ("pypi.csv", "a,b\n1,2\n"), ("pypi.txt", "\n"), ("other.txt", "a\n")]
)
def test_a_file_that_is_no_list_is_an_error_and_changes_nothing(
    outrider: Run, tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    assert outrider("facts", "update", "--from", str(tmp_path / file)).code == 2
    assert load(Home.default())[0].heads == ()


def test_a_damaged_file_of_facts_is_left_out_and_said(outrider: Run) -> None:
    home = Home.default()
    home.facts.mkdir(parents=True)
    (home.facts / "pypi.names.facts").write_bytes(b"nothing of the kind")
    done = outrider("facts", "check", "pypi:requests")
    assert "known" in done.out
    assert "left out" in done.err


def test_a_suspect_name_is_not_known_to_a_charter_and_judge_says_why(outrider: Run, tmp_path: Path) -> None:
    home = Home.default()
    home.charters.mkdir(parents=True)
    (home.charters / "installs.toml").write_text(
        '[charter]\nname = "installs"\n[may]\nexec = ["*"]\ninstall = ["pypi:known"]\nopaque = "allow"\n'
        '[code]\nhigh = "note"\nmedium = "note"\n'
    )
    (tmp_path / "pypi.txt").write_text("requests\n")
    assert outrider("judge", "pip install made-up-by-a-model", "--charter", "installs", "--json").data["verdict"] == (
        "allow"
    )
    assert outrider("facts", "update", "--from", str(tmp_path / "pypi.txt")).code == 0
    judged = outrider("judge", "pip install made-up-by-a-model", "--charter", "installs", "--json").data
    assert [one["rule"] for one in judged["rules"]] == ["installs.may.install"]
    assert judged["rules"][0]["reason"].endswith("pypi:made-up-by-a-model: it is none of the names of pypi.")


def findings(outrider: Run) -> list[tuple[str, str]]:
    found = outrider("doctor", "--json").data["findings"]["Packages"]
    assert [one for one in outrider("status", "--json").data["findings"] if "lists of packages:" in one["what"]] == []
    return [(one["level"], one["what"]) for one in found if "list" in one["what"]]


def test_doctor_and_status_say_which_lists_are_missing_old_or_damaged(outrider: Run, tmp_path: Path) -> None:
    (level, what), *_ = findings(outrider)
    assert (level, "no whole list" in what) == ("warn", True)
    assert any("no whole list" in one["what"] for one in outrider("status", "--json").data["findings"])
    (tmp_path / "pypi.txt").write_text("requests\n")
    outrider("facts", "update", "--from", str(tmp_path / "pypi.txt"))
    assert findings(outrider) == [("ok", "lists of packages: pypi (names, 0 d)")]
    os.utime(tmp_path / "pypi.txt", (1_600_000_000, 1_600_000_000))
    outrider("facts", "update", "--from", str(tmp_path / "pypi.txt"))
    (level, what), *_ = findings(outrider)
    assert (level, "days old" in what) == ("warn", True)
    file = Home.default().facts / "pypi.names.facts"
    file.write_bytes(file.read_bytes()[:-1])
    (level, what), *_ = findings(outrider)
    assert (level, "damaged" in what) == ("bad", True)
    assert any("damaged" in one["what"] for one in outrider("status", "--json").data["findings"])
