"""``outrider assume`` and ``outrider charter drift`` on a real daemon's record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.daemon.house import House

from outrider.cli import main

Said = tuple[int, str, str]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with TemporaryDirectory(prefix="ord", ignore_cleanup_errors=True) as name:
        one = House(Path(name))
        monkeypatch.setenv("OUTRIDER_HOME", str(one.home.root))
        yield one
        one.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_an_assumption_of_ones_own_is_broken_by_a_call_and_takes_a_ready_made_ones_place(
    house: House, run: Callable[..., Said]
) -> None:
    (house.home.root / "assumptions.toml").write_text(
        '[nobody-lists]\nthat = "nobody runs ls"\nnever = { verb = "exec", value = "ls" }\n'
        '[people-start-ops]\nthat = "mine"\nlacks = "despite"\n'
    )
    house.start()
    host = house.host()
    host.bash("echo a", call="c1")
    assert run("assume", "check", "nobody-lists")[0] == 0
    host.bash("ls", call="c2")
    code, out, _ = run("assume", "check", "nobody-lists")
    assert code == 8
    assert "broken" in out
    assert "Broken 1 times: nobody runs ls." in out
    code, out, _ = run("assume", "check", "--json")
    found = {one["assumption"]["name"]: one for one in json.loads(out)["data"]["checked"]}
    assert code == 8
    assert found["nobody-lists"]["state"] == "broken"
    assert found["people-start-ops"]["assumption"]["that"] == "mine"
    assert found["refusals-hold"]["state"] == "held"
    code, out, _ = run("assume", "watch", "nobody-lists", "--rounds", "2", "--every", "0")
    assert (code, out.count("nobody-lists")) == (8, 1)


def test_a_file_or_a_name_that_is_not_there_and_a_mistake_in_a_file_are_said(
    house: House, run: Callable[..., Said], tmp_path: Path
) -> None:
    house.start()
    assert run("assume", "check", "--file", str(tmp_path / "none"))[0] == 7
    assert "there is no assumption 'none'" in run("assume", "check", "none")[2]
    (tmp_path / "bad.toml").write_text('[a]\nthat = "x"\nnever = { verb = "reed" }\n')
    code, _, err = run("assume", "check", "--file", str(tmp_path / "bad.toml"))
    assert code == 2
    assert "bad.toml:3: 'reed' is no word for verb" in err
    assert "Did you mean 'read'?" in err


def test_what_is_listed_as_toml_is_a_file_to_start_from(run: Callable[..., Said], tmp_path: Path) -> None:
    code, out, _ = run("assume", "list", "--toml")
    (tmp_path / "mine.toml").write_text(out)
    assert code == 0
    code, listed, _ = run("assume", "list", "--file", str(tmp_path / "mine.toml"))
    assert code == 0
    assert listed.count("mine.toml") >= 10


def test_drift_names_what_nobody_used_and_what_everybody_tries(house: House, run: Callable[..., Said]) -> None:
    (house.home.charters / "tight.toml").write_text(
        '[charter]\nname = "tight"\nextends = "coder"\n[may]\nread = ["repo/**", "~/never/**"]\nexec = ["*"]\n'
        'write = ["repo/out/**"]\n'
    )
    house.home.config.write_text(f'[[repositories]]\npath = "{house.repo}"\ncharter = "tight"\n')
    (house.repo / "a.txt").write_text("a\n")
    house.start()
    for number in range(3):
        host = house.host()
        assert host.bash("cat a.txt", call=f"r{number}").verdict == "silent"
        assert host.bash("touch a.txt", call=f"w{number}").verdict == "deny"
    code, out, _ = run("charter", "drift", "tight", "--json")
    told = json.loads(out)["data"]
    assert code == 0
    assert "~/never/**" in told["unused"]["read"]
    assert "repo/**" not in told["unused"]["read"]
    assert [(one["verb"], one["agents"]) for one in told["everybody"]] == [("write", 3)]
    code, out, _ = run("charter", "drift", "tight")
    assert "Allowed, and nobody used it" in out
    assert "Refused, and everybody tries" in out
    assert "3 agents of tight" in " ".join(out.split())


def test_drift_of_a_charter_that_nobody_lived_under_says_so(house: House, run: Callable[..., Said]) -> None:
    house.start()
    assert "nothing is known of what it needs" in run("charter", "drift", "ops")[1]
