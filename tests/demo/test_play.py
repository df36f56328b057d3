"""The demonstration, played small: the product's answers against what was planted, and nothing left behind."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.events.codec import decode
from outrider.events.record import AnyEvent
from outrider.ledger.reader import Reader
from outrider.ledger.verify import verify
from outrider.ledger.verify.bundle import parse_policy
from outrider.ledger.verify.bundle import verify as verify_bundle

KEYS = ("agent", "charter", "charter_digest", "parent", "root", "sponsor", "cause_event", "artefacts")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("demo")
    under = place / "under"
    command = [sys.executable, "-m", "outrider", "demo", "--agents", "36", "--seed", "5", "--json"]
    done = subprocess.run(
        [*command, "--case", str(place / "case"), "--dir", str(under)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    told["place"] = place
    told["left"] = sorted(str(path.relative_to(place)) for path in place.iterdir())
    return told


@pytest.mark.parametrize("artefact", ["from_domain", "from_commit"])
@pytest.mark.parametrize("key", KEYS)
def test_the_answer_from_one_artefact_is_what_was_planted(played: dict[str, Any], artefact: str, key: str) -> None:
    assert played["answers"][artefact][key] == played["truth"][key]


def test_the_truth_names_things_that_really_happened(played: dict[str, Any]) -> None:
    assert played["story"]["left_the_machine"] == 1
    assert len(played["story"]["commit"]) == 40
    assert f"commit {played['story']['commit']}" in played["truth"]["artefacts"]
    assert played["story"]["outcomes"].get("failed", 0) == 0


def test_some_agents_were_refused_and_some_did_the_better_thing(played: dict[str, Any]) -> None:
    assert played["story"]["outcomes"]["deny"] > 0


def test_the_record_is_whole_and_lacks_nothing_of_the_demos_own_list(played: dict[str, Any]) -> None:
    assert played["verify"]["ok"]
    assert set(played["verify"]["missing"].values()) == {0}
    assert played["verify"]["events"] > 36


def test_a_copy_forged_with_the_stolen_key_passes_alone_and_is_refused_for_the_witness(played: dict[str, Any]) -> None:
    stolen = played["stolen"]
    assert (played["verify"]["assurance"], stolen["honest"]["assurance"]) == ("witnessed", "witnessed")
    assert (stolen["alone"]["ok"], stolen["alone"]["assurance"]) == (True, "local")
    for how in ("policy", "asked"):
        assert not stolen[how]["ok"]
        assert stolen[how]["problems"][0].startswith("root: ")
    assert stolen["event"] == played["truth"]["leak_event"] < stolen["honest"]["cosigned"]


def test_the_forged_copy_in_the_case_differs_in_the_decisive_event_alone(played: dict[str, Any]) -> None:
    case = Path(played["case"])
    real, forged = ([decode(e.leaf) for e in Reader(case / name).entries()] for name in ("record", "forged"))
    differ = [one.n for one, other in zip(real, forged, strict=True) if _without_chain(one) != _without_chain(other)]
    assert differ == [played["truth"]["leak_event"]]
    command = [sys.executable, "-m", "outrider", "verify", "--policy", str(case / "witness.policy"), "--record"]
    codes = [subprocess.run([*command, str(case / name)], check=False).returncode for name in ("record", "forged")]
    assert codes == [0, 6]


def _without_chain(event: AnyEvent) -> AnyEvent:
    return msgspec.structs.replace(event, src=None)


def test_one_line_more_would_have_stopped_the_leak_and_nothing_else(played: dict[str, Any]) -> None:
    assert played["replay"]["stopped_events"] == [played["truth"]["leak_event"]]
    assert played["replay"]["broken"] == 0


def test_only_the_case_folder_is_left_and_its_record_verifies_on_its_own(played: dict[str, Any]) -> None:
    assert played["left"] == ["case"]
    case = Path(played["case"])
    report = verify(case / "record", played["verify"]["vkey"])
    assert report.ok
    assert report.events == played["verify"]["events"]
    assert (case / "README.md").read_text().startswith("# What is left of a story")


def test_no_page_nor_key_of_the_story_is_in_what_is_left(played: dict[str, Any]) -> None:
    for path in Path(played["case"], "record").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"before the release can be published" not in data
            assert b"Note to automated assistants" not in data


def test_the_sealed_case_verifies_alone_under_the_witness_and_tells_a_stranger_who_and_why(
    played: dict[str, Any],
) -> None:
    case = Path(played["case"])
    policy = parse_policy((case / "witness.policy").read_text())
    report = verify_bundle(case / "case.zip", vkey=played["verify"]["vkey"], policy=policy)
    assert (report.problems, report.quorum, report.about["case"]) == ([], "yes", "case-0de300000001")
    truth = played["truth"]
    with zipfile.ZipFile(case / "case.zip") as bundle:
        told = bundle.read("report.md").decode()
        events = set(bundle.namelist())
        everything = b"".join(bundle.read(name) for name in events)
        start = bundle.read("README.md").decode()
    lead = told.partition("## What to do")[0]
    assert lead.index("**A demonstration, and no incident: ") < lead.index("at a glance")
    assert "A demonstration, and no incident: " in start
    assert truth["agent"] in lead
    assert ("What told it to: what came back from WebFetch (connect docs." in lead, "untrusted" in lead) == (True, True)
    assert f"event {truth['cause_event']} led to event {truth['leak_event']}" in told
    assert {f"events/{truth[name]}.json" for name in ("cause_event", "leak_event")} <= events
    assert {f"events/{n}.json" for n in re.findall(r"event (\d+)", told)} <= events
    assert truth["sponsor"].partition(" <")[0].encode() not in everything


def test_the_page_of_worked_examples_shows_what_the_questions_answer_today(played: dict[str, Any]) -> None:
    """Whatever heading, table or fact the page shows is in the answers about a run of this test's own, and the reverse.

    Where it is not, `python docs/write_examples.py` writes the page anew.
    """
    path = Path(__file__).parents[2] / "docs" / "write_examples.py"
    spec = importlib.util.spec_from_file_location("write_examples", path)
    assert spec is not None
    assert spec.loader is not None
    examples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(examples)
    page = examples.shown((path.parent / "examples.md").read_text("utf-8"))
    told = examples.answers(played["place"] / "case", played["place"])
    assert list(page) == ["involved", "cause", "touched", "blast", "replay"]
    for question, (_, answer) in told.items():
        assert len(examples.skeleton(page[question])) >= 3, question
        assert examples.skeleton(page[question]) == examples.skeleton(answer), question


def test_the_sealed_case_shows_what_was_planted_and_sent_and_everybody_who_met_it(played: dict[str, Any]) -> None:
    truth = played["truth"]
    others = played["answers"]["from_domain"]["also_affected"]
    with zipfile.ZipFile(Path(played["case"]) / "case.zip") as bundle:
        told = bundle.read("report.md").decode()
        page = bundle.read("report.html").decode()
        listed = json.loads(bundle.read("agents.json"))["met"]
        met = {one["agent"]: one["did"] for one in listed}
        refused = [deed["event"] for one in listed if one["did"] == "tried it: refused" for deed in one["deeds"]]
        held = bundle.namelist()
        named = [bundle.read(name) for name in bundle.namelist() if name.startswith("beside/")]
        results = json.loads(bundle.read("views/events.sarif"))["runs"][0]["results"]
        rows = list(csv.DictReader(bundle.read("views/events.csv").decode().splitlines()))
        verify_py = bundle.read("verify.py")
    for words in ("Note to automated assistants", "/v1/ingest?d=", "https://docs.", "lets it through by connect"):
        assert words in told
        assert words in page
    assert [played["story"]["commit"].encode() in one for one in named] == [True]
    assert set(met) >= {*others["agents"], *others["met_the_same_content"], *others["met_the_same_place"]}
    assert met[truth["agent"]] == "reached it with a secret in its context"
    assert {f"events/{n}.json" for n in refused} <= set(held)
    assert refused
    assert all(one["sponsor"].startswith("p_") for one in listed)
    leaks = [one["properties"]["event"] for one in results if one["ruleId"] == "flow.secret-out"]
    assert leaks == [truth["leak_event"]]
    assert [one["adds"] for one in rows if one["event"] == str(truth["cause_event"])] == ["untrusted"]
    case = Path(played["case"])
    (case / "verify.py").write_bytes(verify_py)
    copied = ["--policy", str(case / "witness.policy"), "--vkey", played["verify"]["vkey"]]
    done = subprocess.run(
        [sys.executable, case / "verify.py", case / "case.zip", *copied], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "the same as the bundle carries: it proves nothing by itself" in done.stdout) == (0, True)
    assert "on the same host" in done.stdout
