"""The commands that ask: over the record that a small story left, and with nothing but that record."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from outrider.cli import cli, main


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("story")
    command = [sys.executable, "-m", "outrider", "demo", "--agents", "16", "--seed", "2", "--json"]
    # Both as somebody types them, from where they stand.
    done = subprocess.run(
        [*command, "--case", "case", "--dir", "under"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture
def run(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("OUTRIDER_HOME", case["case"])

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def test_involved_says_yes_no_and_shows_the_cause(case: dict[str, Any], run: Callable[..., tuple[int, str]]) -> None:
    code, out = run("involved", case["story"]["domain"])
    assert code == 0
    assert case["truth"]["agent"] in out
    assert f"event {case['truth']['cause_event']}:" in out
    code, out = run("involved", "nobody-went-there.example")
    # On a machine so busy that hooks gave up waiting, "no" may not be said, and is not.
    whole = json.loads(run("involved", "nobody-went-there.example", "--json")[1])["data"]["coverage"]["whole"]
    assert (code, whole) in {(1, True), (3, False)}
    assert ("No agent" in out) is whole


def test_involved_meets_other_spellings_of_the_same_thing(
    case: dict[str, Any], run: Callable[..., tuple[int, str]]
) -> None:
    for spelling in (f"HTTPS://{case['story']['domain'].upper()}:443/v1", case["story"]["commit"][:9]):
        code, out = run("involved", spelling, "--json")
        assert code == 0, spelling
        assert json.loads(out)["data"]["agents"][0]["agent"] == case["truth"]["agent"]


def test_why_explains_the_leak_with_the_label_and_where_it_came_from(
    case: dict[str, Any], run: Callable[..., tuple[int, str]]
) -> None:
    code, out = run("why", str(case["truth"]["leak_event"]))
    assert code == 0
    assert "secret" in out
    assert "deploy/deploy.key" in out
    assert case["truth"]["charter_digest"] in out
    data = json.loads(run("why", str(case["truth"]["leak_event"]), "--json")[1])["data"]
    assert len(data["before"]) == 10


def test_agents_lists_the_gone_and_filters_by_charter(
    case: dict[str, Any], run: Callable[..., tuple[int, str]]
) -> None:
    code, out = run("agents", "--all", "--json")
    assert code == 0
    found = json.loads(out)["data"]
    assert len(found) == 16
    assert {one["ended_how"] for one in found} == {"completed"}
    only = json.loads(run("agents", "--all", "--charter", "release", "--json")[1])["data"]
    assert {one["charter"] for one in only} == {"release"}
    assert run("agents")[1] == ""


def test_lineage_shows_the_whole_family_from_the_end_of_an_id(
    case: dict[str, Any], run: Callable[..., tuple[int, str]]
) -> None:
    truth = case["truth"]
    code, out = run("lineage", truth["agent"][-12:])
    assert code == 0
    assert out.index(truth["root"]) < out.index(truth["agent"])
    assert re.search(r"^p_[0-9a-f]{16} sponsors$", out, re.MULTILINE)
    assert truth["sponsor"] not in out, "a case's record comes without the keys that its names are sealed under"


def test_log_filters_by_agent_and_verdict(case: dict[str, Any], run: Callable[..., tuple[int, str]]) -> None:
    code, out = run("log", "--agent", case["truth"]["agent"], "--kind", "call.decided", "--json")
    assert code == 0
    assert {event["agent"] for event in json.loads(out)["data"]} == {case["truth"]["agent"]}
    code, out = run("log", "--verdict", "deny")
    assert "deny" in out or case["story"]["outcomes"].get("deny", 0) == 0


def test_verify_is_green_on_what_was_left_and_red_after_one_flipped_byte(
    case: dict[str, Any], run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert run("verify")[0] == 0
    shutil.copytree(Path(case["case"]) / "record", tmp_path / "record")
    segment = min((tmp_path / "record" / "journal").iterdir())
    data = bytearray(segment.read_bytes())
    at = data.index(b'"enforced":"allow"') + 13
    data[at] ^= 1
    segment.write_bytes(data)
    code, out = run("verify", "--record", str(tmp_path / "record"))
    assert code == 6
    assert "tampered" in out


def test_a_rebuilt_view_answers_the_same(case: dict[str, Any], run: Callable[..., tuple[int, str]]) -> None:
    before = run("involved", case["story"]["domain"], "--json")[1]
    code, out = run("rebuild")
    assert code == 0
    assert f"{case['verify']['events']} events" in out
    assert run("involved", case["story"]["domain"], "--json")[1] == before


@pytest.mark.parametrize(
    "words",
    [
        ("involved", "collect.metrics-cdn.example"),
        ("agents", "--all"),
        ("log", "--verdict", "deny"),
        ("coverage",),
        ("assume", "check"),
        ("charter", "drift", "release"),
        ("sigma",),
    ],
    ids=lambda words: words[0],
)
def test_a_copy_of_a_record_answers_as_the_home_does_and_nothing_is_written_beside_it(
    words: tuple[str, ...], case: dict[str, Any], run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    at_home = run(*words, "--json")
    copy = tmp_path / "copy"
    for part in ("record", "charters"):
        shutil.copytree(Path(case["case"]) / part, copy / part)
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "none"))
    code, out = run(*words, "--record", str(copy), "--json")
    told, expected = json.loads(out), json.loads(at_home[1])
    if words == ("coverage",):  # What is installed on this machine is no matter of another's record.
        assert told["data"].pop("installed") == []
        expected["data"].pop("installed")
    assert (code, told) == (at_home[0], expected)
    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


def test_a_copy_that_does_not_verify_is_asked_only_on_demand_and_that_is_said(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "record"
    shutil.copytree(Path(case["case"]) / "record", copy)
    segment = min((copy / "journal").iterdir())
    written = bytearray(segment.read_bytes())
    written[written.index(b'"enforced":"allow"') + 13] ^= 1
    segment.write_bytes(written)
    asked = ["agents", "--all", "--record", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main(asked)
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (6, "")
    assert "does not verify" in told.err
    assert "--unverified" in told.err
    with pytest.raises(SystemExit):
        main([*asked, "--unverified"])
    assert "IT DOES NOT VERIFY" in capsys.readouterr().err


def test_no_content_of_a_copy_is_opened_and_it_is_said_why(case: dict[str, Any], tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["cause", str(case["truth"]["leak_event"]), "--record", case["case"]])
    assert f"Event {case['truth']['cause_event']}, " in told.stdout
    assert "no daemon is there to record that it was read" in told.stdout
    nothing = CliRunner().invoke(cli, ["cause", "1", "--record", str(tmp_path)], standalone_mode=False)
    assert "there is no record in" in str(nothing.exception)


def test_an_event_or_an_agent_that_is_not_there_is_a_clear_error(run: Callable[..., tuple[int, str]]) -> None:
    assert run("why", "999999")[0] == 2
    assert run("lineage", "ag_nobody")[0] == 2


@pytest.mark.parametrize("name", list(cli.list_commands(None)))  # type: ignore[arg-type]
def test_every_command_has_help_with_an_example_that_fits_eighty_columns(name: str) -> None:
    told = CliRunner().invoke(cli, [name, "--help"], env={"COLUMNS": "80"})
    assert told.exit_code == 0
    assert "Example" in told.output or "Commands:" in told.output
    assert max(len(line) for line in told.output.splitlines()) <= 80


def test_help_does_not_import_the_rooms() -> None:
    code = "import sys; from outrider.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('cedarpy', 'sqlite3', 'tree_sitter', 'rich', 're2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
